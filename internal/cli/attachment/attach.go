// Package attachment has the commands attach and adopt, which attach lifecycle policies
// and detach them. Both show a plan and ask before they change anything.
package attachment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/attach"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/render"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi/policyapi"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/usage"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

type attachCommand struct {
	*session.Flags
	policy                    string
	detach, despiteInUse, yes bool
}

// Attach returns the command attach.
func Attach(f *session.Flags) *cobra.Command {
	a := &attachCommand{Flags: f}
	c := &cobra.Command{
		Use:   "attach [--policy FILE | --detach]",
		Short: "Attach lifecycle policies to repositories, or detach them",
		Long: `Attach a native ECR policy to the selected repositories, after asking. The policy is the
one in FILE (- for the standard input) or, without --policy, the policy that the
configuration gives each repository. ECR then applies the policy within a day. ECR
ignores the protection of the configuration and does not ask what is in use.

attach first shows the changes, the images that ECR would delete and archive, and which
of these images are in use. If one is in use, or if an in-use source does not answer,
attach changes nothing unless you give --despite-in-use. With --detach, it detaches the
policies of the selected repositories.`,
		Args: f.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.run(c.Context()) },
	}
	f.AddRegistry(c)
	f.AddRepositories(c)
	f.AddExec(c)
	c.Flags().StringVar(&a.policy, "policy", "", "native ECR policy to attach")
	c.Flags().BoolVar(&a.detach, "detach", false, "detach the attached policies instead")
	c.Flags().BoolVar(&a.despiteInUse, "despite-in-use", false, "attach even if ECR would remove images in use, or if it is not known which images are in use")
	c.Flags().BoolVar(&a.yes, "yes", false, "do not ask")
	return c
}

func (a *attachCommand) run(ctx context.Context) error {
	if a.detach && (a.policy != "" || a.despiteInUse) {
		return exit.Usagef("--detach cannot be used with --policy or --despite-in-use")
	}
	if a.policy == "-" && !a.yes {
		return exit.Usagef("--policy - uses the standard input, where attach also expects the answer to its question; " +
			"save the policy to a file, or give --yes")
	}
	document, err := a.readDocument()
	if err != nil {
		return err
	}
	mode := config.Apply // so that a configuration with fields of a later version is refused
	if a.detach {
		mode = config.Plan
	}
	s, err := a.Open(ctx, mode)
	if err != nil {
		return err
	}
	planner := attach.Planner{Runner: &s.Runner}
	if a.detach {
		plan, err := planner.Detach(ctx)
		if err != nil {
			return session.Error(err)
		}
		c := &change{Session: s, plan: &plan, command: "detach"}
		return c.carryOut(ctx, a.yes, nil, fmt.Sprintf("Detach the policies of %s?", c.where()))
	}
	inline := func(e config.Entry) bool { return e.Source == config.Inline }
	if document == nil && !slices.ContainsFunc(s.Config.Policies, inline) {
		return exit.Usagef("there is nothing to attach: give --policy FILE, or with --config a configuration that has policies")
	}
	plan, err := planner.Attach(ctx, document)
	if err != nil {
		return session.Error(err)
	}
	c := &change{Session: s, plan: &plan, command: "attach"}
	totals := c.report().Totals
	question := fmt.Sprintf("Attach policies to %s? ECR then deletes %d and archives %d images within a day, in use or not.",
		c.where(), totals.Expired, totals.Transitioned)
	return c.carryOut(ctx, a.yes, a.refuse(&plan), question)
}

func (a *attachCommand) readDocument() (*attach.Document, error) {
	if a.policy == "" {
		return nil, nil //nolint:nilnil // no file is no fault
	}
	_, content, err := a.ReadPolicy(a.policy, lifecycle.ParseText)
	if err != nil {
		return nil, err
	}
	document := attach.Read(string(content))
	return &document, nil
}

// refuse returns an error if ECR would refuse a policy, or if images are in use.
func (a *attachCommand) refuse(plan *attach.Plan) error {
	var refused []string
	for _, r := range plan.Repositories {
		if r.Change == attach.Refused {
			refused = append(refused, r.Name)
		}
	}
	inUse, doubt := plan.Danger()
	why := fmt.Sprintf("ECR would remove %s in use", text.Count(inUse, "image"))
	if doubt != "" {
		why = "it is not known which images are in use: " + doubt
	}
	switch {
	case len(refused) > 0:
		return exit.Usagef("nothing was changed: ECR does not accept the policies of %s; leave these out with --repositories", strings.Join(refused, ", "))
	case !a.despiteInUse && (inUse > 0 || doubt != ""):
		return exit.Incompletef("nothing was attached: %s; give --despite-in-use to attach the policies anyway", why)
	}
	return nil
}

// A change is a plan to attach or detach policies, carried out or not.
type change struct {
	*session.Session
	plan      *attach.Plan
	command   string         // attach, detach or adopt
	detaching bool           // adopt with --detach
	calls     map[string]int // those that attach and detach policies
}

func (c *change) where() string {
	return fmt.Sprintf("%s of account %s in %s", text.Count(c.plan.Changes(), "repository"), c.plan.Account, c.Region)
}

// carryOut shows the plan, asks, unless yes is true or there is nothing to change, and makes
// the changes. If refused is an error, carryOut only shows the plan and returns the error.
func (c *change) carryOut(ctx context.Context, yes bool, refused error, question string) error {
	if err := c.show(); err != nil {
		return err
	}
	if refused != nil {
		return errors.Join(refused, c.printJSON())
	}
	if !yes && c.plan.Changes() > 0 {
		now := c.Flags.Now
		asked := now().Round(0) // the wall clock also runs while the machine is suspended
		agreed, err := c.Confirm(question, "Nothing was changed.", "give --yes to go on without asking")
		if agreed && now().Sub(asked) > usage.MaxScanAge {
			agreed, err = false, exit.Failuref("nothing was changed: the answer came after more than %s, and other images may be in use now; run again", usage.MaxScanAge)
		}
		if !agreed {
			return errors.Join(err, c.printJSON(), c.status())
		}
	}
	c.Flags.Progress.Phase(c.command + "ing")
	client, calls := policyapi.Connect(c.Connection.AWS)
	attach.Apply(ctx, &c.Runner, c.plan, client)
	c.calls = calls.Snapshot()
	return c.conclude()
}

func (c *change) conclude() error {
	if err := c.print(); err != nil {
		return err
	}
	return c.status()
}

// status returns the error that ends the command, or nil. It names each repository with
// nothing to do that --repositories gives by name, not by a pattern.
func (c *change) status() error {
	var undone []string
	for _, r := range c.plan.Repositories {
		named := slices.ContainsFunc(c.Config.Repositories.Requested, func(p wildcard.Pattern) bool { return p.String() == r.Name })
		switch {
		case !r.Handled():
			undone = append(undone, r.Name)
		case c.command == "adopt" && r.Change == attach.LeftAlone && r.Before.Text != "": // see stillAttached
		case named && r.Change == attach.LeftAlone:
			undone = append(undone, r.Name)
			c.Notef("%s: skipped, although --repositories names it: %s", r.Name, r.Message)
		case named && r.Change == attach.Unchanged && c.command == "adopt":
			c.Notef("%s: nothing to adopt: no policy is attached", r.Name)
		}
	}
	if len(undone) == 0 {
		return nil
	}
	return exit.Incompletef("%s", render.IncompleteIn(undone))
}
