package attachment

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/attach"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/awserror"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// Adopt returns the command adopt.
func Adopt(f *session.Flags) *cobra.Command {
	var (
		out         string
		detach, yes bool
	)
	c := &cobra.Command{
		Use:   "adopt [--out FILE [--detach]]",
		Short: "Print a configuration with the attached policies",
		Long: `Print a configuration with the attached policies of the selected repositories, each
policy once. Adopted entries come before the existing ones, with the same settings, so
no verdict changes. adopt does not overwrite FILE unless FILE is the configuration. If
FILE has the policies already, or if nothing is adopted, adopt does not write FILE.

A repository for which the configuration has another policy, or "none", keeps its
attached policy. adopt names these repositories, and the exit status is 3.

ECR applies an attached policy until it is detached, without any protection. With
--detach, adopt writes FILE, asks, and then detaches the adopted policies, except those
that have changed. From then on, only a run with FILE applies them.`,
		Args: func(c *cobra.Command, args []string) error {
			if detach && out == "" {
				return exit.Usagef("--detach needs --out FILE: without a configuration nothing would apply the policies")
			}
			return f.NoArgs(c, args)
		},
		// The mode is that of the configuration: another one would be in the printed file.
		RunE: f.InSession("", func(ctx context.Context, s *session.Session, _ []string) error {
			return adopt(ctx, s, out, detach, yes)
		}),
	}
	f.AddConfig(c)
	f.AddOutput(c, session.Table, session.JSON)
	c.Flags().Lookup("output").Usage = "with --out, report on the standard output as table or json"
	f.AddRepositories(c)
	c.Flags().StringVar(&out, "out", "", "write the configuration to this file instead of the standard output")
	c.Flags().BoolVar(&detach, "detach", false, "detach the adopted policies")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}

func adopt(ctx context.Context, s *session.Session, out string, detach, yes bool) error {
	s.Config = s.Portable // the new one is perhaps used in other Regions, too
	adoption, err := attach.Planner{Runner: &s.Runner}.Adopt(ctx)
	if err != nil {
		return session.Error(err)
	}
	if err := writeAdopted(ctx, s, &adoption, out); err != nil {
		return err
	}
	for _, r := range adoption.Plan.Repositories {
		if r.Message != "" {
			s.Notef("%s: not adopted: %s", r.Name, awserror.Clean(r.Message))
		}
	}
	fmt.Fprintf(s.Stderr, "Adopted the policies of %s in %s.\n",
		text.Count(adoption.Plan.Changes(), "repository"), text.Count(adoption.Entries, "entry"))
	c := &change{Session: s, plan: &adoption.Plan, command: "adopt", detaching: detach}
	switch {
	case out == "":
		err = c.status()
	case !detach || adoption.Entries == 0:
		err = c.conclude()
	default:
		err = c.carryOut(ctx, yes, nil, fmt.Sprintf("Detach the policies of %s? From then on only a run with %s applies them.", c.where(), out))
	}
	return cmp.Or(err, stillAttached(adoption.Kept()))
}

// stillAttached returns an error that names the repositories that keep an attached policy.
func stillAttached(kept []string) error {
	if len(kept) == 0 {
		return nil
	}
	const most = 10
	names := strings.Join(kept, ",")
	if len(kept) > most {
		names = "REPOSITORY,..."
	}
	return exit.Incompletef("incomplete: %s %s an attached policy, which ECR applies within a day, also to images in use; to detach it: ecrclean attach --detach -r %s",
		text.Count(len(kept), "repository"), english.PluralWord(len(kept), "keeps", "keep"), names)
}

// writeAdopted writes no file if nothing is adopted, or if the file has the policies already.
func writeAdopted(ctx context.Context, s *session.Session, a *attach.Adoption, out string) error {
	document, err := a.Document()
	if err != nil {
		return exit.Failuref("%w", err)
	}
	write := func(w io.Writer) error {
		_, err := jsondoc.Printable(w).Write(document)
		return err
	}
	switch {
	case out == "":
		err = write(s.Stdout)
	case a.Entries == 0:
		s.Notef("nothing is adopted: %s is not written", out)
		return nil
	case isConfiguration(s, out):
		if document, err = withSchema(s, document, out); err != nil {
			return err
		}
		err = env.SaveFile(out, write)
	default:
		if has, err := hasAdopted(ctx, s, a, out); has || err != nil {
			return err
		}
		err = env.SaveFile(out, write)
	}
	if err != nil {
		return exit.Failuref("write the configuration: %w", err)
	}
	return nil
}

// isConfiguration reports whether the file is that of the configuration. Only this file is
// overwritten, because the new one has all its entries.
func isConfiguration(s *session.Session, out string) bool {
	file, err := os.Stat(out)
	of, errOf := os.Stat(strings.TrimSpace(s.Configuration))
	return err == nil && errOf == nil && file.Mode().IsRegular() && os.SameFile(file, of)
}

// withSchema adds the "$schema" of the file to a document that replaces it. It returns an
// error if the file has comments, which the document would lose.
func withSchema(s *session.Session, document []byte, file string) ([]byte, error) {
	content, err := s.ReadInput(file, config.MaxBytes)
	if err != nil {
		return nil, err
	}
	var old struct {
		Schema json.RawMessage `json:"$schema"`
	}
	switch err := json.Unmarshal(content, &old); { // the session has parsed it, with comments
	case err != nil:
		return nil, exit.Usagef("nothing was changed: %s has comments, which adopt would lose; give another FILE to --out", file)
	case old.Schema == nil:
		return document, nil
	}
	return slices.Concat([]byte("{\n  \"$schema\": "), old.Schema, []byte(","), bytes.TrimPrefix(document, []byte("{"))), nil
}

// hasAdopted reports whether the file has the adopted policies. If it has other content,
// the error refuses to overwrite it: policies adopted earlier may be nowhere else.
func hasAdopted(ctx context.Context, s *session.Session, a *attach.Adoption, out string) (bool, error) {
	there, err := os.Stat(out)
	if err != nil || !there.Mode().IsRegular() {
		return false, nil //nolint:nilerr // there is nothing to lose, or writing finds the fault
	}
	content, err := s.ReadInput(out, config.MaxBytes)
	if err != nil {
		return false, err
	}
	from, problems := config.Parse(content)
	missing := "it is not a valid configuration"
	if problems.Err() == nil {
		missing = attach.Planner{Runner: &s.Runner}.Missing(ctx, a, &from)
	}
	if missing != "" {
		return false, exit.Usagef("nothing was changed: %s exists and is not overwritten: %s; name another file, or give this one as --config too, to add to it", out, missing)
	}
	s.Notef("%s has these policies already and is not changed", out)
	return true, nil
}
