package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/attach"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi/policyapi"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// A change is a plan to attach or detach on its way to being carried out.
type change struct {
	*session
	plan    *attach.Plan
	command string // attach, detach or adopt
	// detaching is true unless adopt leaves the policies where they are.
	detaching bool
	calls     func() map[string]int
}

// adopting is the command that reads attached policies, and what it does about
// a repository.
const adopting = "adopt"

func (s *session) newChange(command string, plan *attach.Plan) *change {
	return &change{session: s, plan: plan, command: command, detaching: command == "detach", calls: s.registry.Calls}
}

// refuse says why nothing is attached.
func (c *change) refuse(inUse int, doubt string) error {
	why := fmt.Sprintf("ECR would take images that are in use: %d", inUse)
	if doubt != "" {
		why = "what is in use is not known: " + doubt
	}
	err := &statusError{statusUnhandled, fmt.Errorf("nothing was attached: %s; give --despite-in-use to attach all the same", why)}
	return errors.Join(err, c.printJSONResult())
}

// carryOut asks, unless yes is true or nothing changes, and makes the changes.
func (c *change) carryOut(ctx context.Context, yes bool, question string) error {
	if !yes && c.plan.Changes() > 0 {
		asked := c.now().Round(0) // wall time, which passes while the machine is suspended
		agreed, err := c.confirm(question, "Nothing was changed.", "give --yes to go on without asking")
		if agreed && c.now().Sub(asked) > cleaner.MaxScanAge {
			agreed, err = false, failure(fmt.Errorf("nothing was changed: the answer came after more than %s, in which much may have come into use; run again", cleaner.MaxScanAge))
		}
		if !agreed {
			return errors.Join(err, c.printJSONResult(), c.status())
		}
	}
	client, calls := policyapi.Connect(c.registry.AWS)
	attach.Apply(ctx, &c.Runner, c.plan, client)
	before := c.calls()
	c.calls = func() map[string]int {
		maps.Copy(before, calls.Snapshot())
		return before
	}
	return c.conclude()
}

// conclude prints the report and says whether everything was handled.
func (c *change) conclude() error {
	if err := c.printResult(); err != nil {
		return err
	}
	return c.status()
}

func (c *change) status() error {
	if missed := c.explainMissed(); missed || !c.plan.Handled() {
		return errUnhandled
	}
	return nil
}

// explainMissed prints, on the standard error stream, each repository that
// --repositories gives by name, not by a pattern, and for which nothing was done. It
// reports whether one of them was left alone.
func (c *change) explainMissed() (missed bool) {
	for i := range c.plan.Repositories {
		r := &c.plan.Repositories[i]
		named := slices.ContainsFunc(c.Config.Repositories.Requested, func(p wildcard.Pattern) bool { return p.String() == r.Name })
		if named && r.Change == attach.LeftAlone {
			missed = true
			fmt.Fprintf(c.stderr, "ecrclean: %s: left alone, although --repositories names it: %s\n", printable(r.Name), printable(r.Message))
		}
		if named && r.Change == attach.Unchanged && c.command == adopting {
			fmt.Fprintf(c.stderr, "ecrclean: %s: nothing to adopt: no policy is attached\n", printable(r.Name))
		}
	}
	return missed
}
