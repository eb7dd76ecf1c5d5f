package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/attach"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

func adoptCommand(w world) *cobra.Command {
	s := setup{world: w}
	var (
		out         string
		detach, yes bool
	)
	c := &cobra.Command{
		Use:   "adopt [--out FILE [--detach]]",
		Short: "Print a configuration that holds the attached policies",
		Long: `Print a configuration that holds the attached policies of the selected
repositories, each policy once, in front of what the configuration held before.
Every image gets the verdict it had.

While a policy stays attached, ECR applies it by itself and spares nothing. With
--detach the policies are taken off, after asking, once FILE is written and where
they still are what was adopted: from then on only a run with FILE applies them.`,
		Args: exactArgs(0, "no arguments; name repositories with --repositories"),
		RunE: func(c *cobra.Command, _ []string) error {
			if detach && out == "" {
				return usageError(errors.New("--detach goes with --out FILE: without a configuration nothing would apply the policies"))
			}
			session, err := s.openAdoption(c)
			if err != nil {
				return err
			}
			return session.adopt(c.Context(), out, detach, yes)
		},
	}
	s.flags(c)
	s.repositoriesFlag(c)
	f := c.Flags()
	f.StringVar(&out, "out", "", "write the configuration to this file instead of the standard output")
	f.BoolVar(&detach, "detach", false, "take the adopted policies off")
	f.BoolVar(&yes, "yes", false, "do not ask")
	return c
}

// openAdoption is open without a mode, which would end up in the configuration
// to be printed.
func (s *setup) openAdoption(c *cobra.Command) (*session, error) {
	if _, err := s.json(); err != nil {
		return nil, err
	}
	configuration, err := s.load(c.Context())
	if err != nil {
		return nil, err
	}
	request, err := s.request(c, "")
	if err != nil {
		return nil, err
	}
	return s.session(c.Context(), configuration, request, "")
}

func (s *session) adopt(ctx context.Context, out string, detach, yes bool) error {
	adoption, err := attach.Planner{Runner: &s.Runner}.Adopt(ctx)
	if err != nil {
		return runError(err)
	}
	if err := s.writeAdopted(&adoption, out); err != nil {
		return failure(err)
	}
	s.explainAdoption(&adoption)
	change := s.newChange(adopting, &adoption.Plan)
	change.detaching = detach
	switch {
	case out == "":
		return change.status()
	case !detach:
		return change.conclude()
	}
	if err := change.show(); err != nil {
		return err
	}
	return change.carryOut(ctx, yes, fmt.Sprintf("Detach the policies of %d repositories of account %s in %s? From then on only a run with %s applies them.",
		adoption.Plan.Changes(), adoption.Plan.Account, s.Region, out))
}

// writeAdopted writes the configuration to the file or, without one, to the
// standard output.
func (s *session) writeAdopted(a *attach.Adoption, out string) error {
	document, err := a.Document()
	if err != nil {
		return err
	}
	write := func(w io.Writer) error {
		_, err := jsondoc.Printable(w).Write(document)
		return err
	}
	if out == "" {
		err = write(s.stdout)
	} else {
		err = saveFile(out, write)
	}
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return nil
}

// explainAdoption says on the standard error stream what was adopted and what
// was not.
func (s *session) explainAdoption(a *attach.Adoption) {
	for i := range a.Plan.Repositories {
		if r := &a.Plan.Repositories[i]; r.Message != "" {
			fmt.Fprintf(s.stderr, "ecrclean: %s: not adopted: %s\n", printable(r.Name), oneLine(errors.New(r.Message)))
		}
	}
	fmt.Fprintf(s.stderr, "Adopted the policies of %d repositories in %d entries.\n", a.Plan.Changes(), a.Entries)
}
