package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/attach"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
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
Every image gets the verdict it had. A FILE that is there is written over only if it
is the configuration; one that holds the policies already stays as it is.

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
	s.configurationFlags(c)
	c.Flags().StringVar(&s.output, "output", "table", "with --out, report on the standard output as table or json")
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
	if err := s.writeAdopted(ctx, &adoption, out); err != nil {
		return err
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

// writeAdopted writes the configuration to the file, unless that holds the adopted
// policies already, or without one to the standard output.
func (s *session) writeAdopted(ctx context.Context, a *attach.Adoption, out string) error {
	document, err := a.Document()
	if err != nil {
		return failure(err)
	}
	if held, err := s.held(ctx, a, out); held || err != nil {
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
		return failure(fmt.Errorf("write the configuration: %w", err))
	}
	return nil
}

// held reports whether the file is there and holds the adopted policies. One that
// does not is not written over: policies of an earlier adoption may be nowhere
// else by now. The file of the configuration is, since all of it goes on.
func (s *session) held(ctx context.Context, a *attach.Adoption, out string) (bool, error) {
	there, err := os.Stat(out)
	if err != nil || !there.Mode().IsRegular() {
		return false, nil //nolint:nilerr // there is nothing to lose, or writing says what is wrong
	}
	if of, err := os.Stat(strings.TrimSpace(s.config)); err == nil && os.SameFile(there, of) {
		return false, nil
	}
	text, err := s.readInput(out, config.MaxBytes)
	if err != nil {
		return false, err
	}
	from, problems := config.Parse(text)
	missing := "it is no valid configuration"
	if problems.Err() == nil {
		missing = attach.Planner{Runner: &s.Runner}.Missing(ctx, a, &from)
	}
	if missing != "" {
		return false, usageError(fmt.Errorf("nothing was changed: %s is there and is not written over: %s; name another file, or give this one as --config too, to add to it", out, missing))
	}
	fmt.Fprintf(s.stderr, "ecrclean: %s holds these policies already and stays as it is\n", printable(out))
	return true, nil
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
