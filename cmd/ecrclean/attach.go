package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/attach"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// An attachment is what the flags of attach ask for.
type attachment struct {
	policy            string
	detach            bool
	despiteInUse, yes bool
}

func attachCommand(w world) *cobra.Command {
	s := setup{world: w}
	var a attachment
	c := &cobra.Command{
		Use:   "attach [--policy FILE | --detach]",
		Short: "Put one lifecycle policy on many repositories, or take theirs off",
		Long: `Put a lifecycle policy in ECR's own language on the selected repositories, after
asking: the one in FILE (- for the standard input), or else on each the policy
that the configuration gives it. ECR then applies it by itself within a day and
spares nothing, whatever the configuration protects.

Before that it shows what changes, what ECR would then delete and archive, and
which of these images are in use; if any is, or if who was asked did not answer, nothing is
attached unless --despite-in-use is given. With --detach it takes off what is
attached.`,
		Args: exactArgs(0, "no arguments; name repositories with --repositories"),
		RunE: func(c *cobra.Command, _ []string) error { return s.attach(c, a) },
	}
	s.flags(c)
	s.repositoriesFlag(c)
	f := c.Flags()
	f.StringVar(&a.policy, "policy", "", "lifecycle policy to attach, in ECR's own language")
	f.BoolVar(&a.detach, "detach", false, "take the attached policies off instead")
	f.BoolVar(&a.despiteInUse, "despite-in-use", false, "attach even if ECR would then take images in use, or if what is in use is not known")
	f.BoolVar(&a.yes, "yes", false, "do not ask")
	return c
}

func (s *setup) attach(c *cobra.Command, a attachment) error {
	if a.detach && (a.policy != "" || a.despiteInUse) {
		return usageError(errors.New("--detach goes with neither --policy nor --despite-in-use"))
	}
	document, err := s.readDocument(a.policy)
	if err != nil {
		return err
	}
	mode := config.Apply // a protection that cannot be honoured would endanger what is in use
	if a.detach {
		mode = config.Plan
	}
	session, err := s.open(c, mode, limits{})
	if err != nil {
		return err
	}
	if a.detach {
		return session.detach(c.Context(), a.yes)
	}
	inline := func(e config.Entry) bool { return e.Source == config.Inline }
	if document == nil && !slices.ContainsFunc(session.Config.Policies, inline) {
		return usageError(errors.New("there is nothing to attach: give --policy FILE, or with --config a configuration that holds policies"))
	}
	plan, err := attach.Planner{Runner: &session.Runner}.Attach(c.Context(), document)
	if err != nil {
		return runError(err)
	}
	return session.attachPlanned(c.Context(), &plan, a)
}

// readDocument reads and checks a policy file; without a name there is none.
func (s *setup) readDocument(name string) (*attach.Document, error) {
	if name == "" {
		return nil, nil //nolint:nilnil // no file is no fault
	}
	text, err := s.readInput(name, config.MaxBytes)
	if err != nil {
		return nil, err
	}
	_, problems := lifecycle.ParseText(text)
	if err := problems.Err(); err != nil {
		return nil, usageError(fmt.Errorf("policy %s: %w", name, err))
	}
	for _, warning := range problems.Warnings() {
		fmt.Fprintf(s.stderr, "ecrclean: policy %s: %s\n", printable(name), printable(warning.String()))
	}
	document := attach.Read(string(text))
	return &document, nil
}

// attachPlanned attaches what was planned, unless something speaks against it.
func (s *session) attachPlanned(ctx context.Context, plan *attach.Plan, a attachment) error {
	change := s.newChange("attach", plan)
	if err := change.show(); err != nil {
		return err
	}
	if names := refused(plan); len(names) > 0 {
		err := usageError(fmt.Errorf("nothing was changed: ECR does not take the policies of %s; leave these out with --repositories", strings.Join(names, ", ")))
		return errors.Join(err, change.printJSONResult())
	}
	inUse, doubt := plan.Danger()
	if !a.despiteInUse && (inUse > 0 || doubt != "") {
		return change.refuse(inUse, doubt)
	}
	totals := change.report().Totals
	question := fmt.Sprintf("Attach policies to %d repositories of account %s in %s? ECR then deletes %d and archives %d images within a day, and spares none.",
		plan.Changes(), plan.Account, s.Region, totals.Expired, totals.Transitioned)
	return change.carryOut(ctx, a.yes, question)
}

// refused names the repositories whose policies ECR would refuse.
func refused(plan *attach.Plan) []string {
	var names []string
	for i := range plan.Repositories {
		if plan.Repositories[i].Change == attach.Refused {
			names = append(names, plan.Repositories[i].Name)
		}
	}
	return names
}

func (s *session) detach(ctx context.Context, yes bool) error {
	plan, err := attach.Planner{Runner: &s.Runner}.Detach(ctx)
	if err != nil {
		return runError(err)
	}
	change := s.newChange("detach", &plan)
	if err := change.show(); err != nil {
		return err
	}
	return change.carryOut(ctx, yes, fmt.Sprintf("Detach the policies of %d repositories of account %s in %s?", plan.Changes(), plan.Account, s.Region))
}
