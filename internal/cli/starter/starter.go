// Package starter has the command init. It reads a registry and writes a configuration with
// comments: the repositories in groups, the tags seen, and careful rules. It shows the plan.
package starter

import (
	"cmp"
	"context"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/awserror"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
	"github.com/ecr-cleaner/ecr-cleaner/internal/resourcepolicy"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// Init returns the command init.
func Init(f *session.Flags) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "init",
		Short: "Write a first configuration for the registry; show its plan",
		Long: `Read the registry and write a configuration for it, with comments. init changes nothing
in AWS. It does not overwrite a file.

The configuration has an entry for each group of repositories, by the first part of their
names. Its rules delete only images without tags, 30 days after the push. Other rules are
proposals in comments, with the number of images that they would delete. Repositories
with an attached policy keep it. The comments name the tags that init saw, the in-use
sources that answered, and other accounts that may pull.

init then shows the plan of the configuration, as "ecrclean plan" does. It ignores
CLEANER_CONFIG.`,
		Args: f.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return start(c.Context(), f, out) },
	}
	f.AddAccount(c)
	f.AddRepositories(c)
	f.AddOutput(c, session.Table, session.Wide, session.CSV, session.JSON)
	c.Flags().StringVar(&out, "out", "", "write the configuration to this file instead of cleaner.json, or to the standard output for -")
	return c
}

func start(ctx context.Context, f *session.Flags, out string) error {
	out = cmp.Or(out, "cleaner.json")
	if there, err := os.Stat(out); err == nil && there.Mode()&os.ModeType&^os.ModeDir == 0 && out != "-" {
		return exit.Usagef("%s exists and is not overwritten; name another file with --out, or run: %s",
			out, f.Line(session.Only("profile", "region"), "plan", "--config", out))
	}
	s, err := f.OpenWith(ctx, config.Default(), config.Plan)
	if err != nil {
		return err
	}
	assignments, _, err := s.Assign(ctx)
	if err := cmp.Or(err, s.Begin(nil)); err != nil {
		return session.Error(err)
	}
	if len(assignments) == 0 {
		return exit.Usagef("nothing was written: %s", s.Empty(ctx))
	}
	d := newDraft(s, assignments)
	var made inuse.Scan
	s.Flags.Progress.Phase("in-use scan")
	d.sources, made = scan(ctx, s.Connection, f.Now)
	r, err := d.plan(ctx, s, made)
	if err != nil {
		return err
	}
	d.header = header(s, r, out)
	document := d.text()
	if _, err := parse(document, s.ConfigurationHash); err != nil {
		return err
	}
	if err := write(f, out, document); err != nil {
		return err
	}
	if out == "-" {
		f.Stdout = f.Stderr // the standard output has the configuration
	}
	f.Use(named(out))
	if err := f.PrintReport(r); err != nil {
		return err
	}
	if names := leftOut(d.sources); len(names) > 0 {
		f.Notef("protect.inUse lacks %s, which did not answer; the comments in the configuration say why. "+
			"Before you delete anything, add those that use images of this registry", words.And(names))
	}
	printNext(f, r, out)
	return session.Status(r)
}

// newDraft returns a draft without counts.
func newDraft(s *session.Session, assignments []cleaner.Assignment) *draft {
	d := &draft{include: lifecycle.Texts(s.Config.Repositories.Requested), exclude: lifecycle.Texts(s.Config.Repositories.Omitted)}
	var others []string
	for _, a := range assignments {
		switch {
		case a.Skip == nil || a.Skip.Code == plan.SkipInvalidPolicy:
			d.attached = append(d.attached, a.Repository)
		case a.Skip.Code == plan.SkipFailed:
			d.unknown = append(d.unknown, a.Repository+": "+awserror.Clean(a.Skip.Message))
			fallthrough
		case a.Skip.Code == plan.SkipNoPolicy:
			others = append(others, a.Repository)
		}
	}
	d.groups = groupsOf(others)
	return d
}

// plan makes the plan of the draft's configuration, and counts the images that it lists.
func (d *draft) plan(ctx context.Context, s *session.Session, made inuse.Scan) (*report.Report, error) {
	c, err := parse(d.text(), "")
	if err != nil {
		return nil, err
	}
	if s.ConfigurationHash, err = c.Hash(); err != nil {
		return nil, exit.Failuref("%w", err)
	}
	before := s.Config.Repositories
	if s.Config, err = c.Narrow(config.Request{Mode: config.Plan, Repositories: before.Requested}); err != nil {
		return nil, exit.Failuref("%w", err)
	}
	s.Config.Repositories.Omitted = before.Omitted
	s.Scan = nil
	if len(c.Protect.InUse) > 0 {
		s.Scan = func(context.Context) inuse.Scan { return made }
	}
	reader, able := s.Registry.(registry)
	if !able {
		return nil, exit.Failuref("this registry cannot read resource policies")
	}
	recorder := &recorder{registry: reader, before: s.Now.AddDate(0, 0, -days), counts: map[string]counts{}}
	s.Registry = recorder
	r, err := s.Report(ctx, s.Run)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, exit.Failuref("nothing was written: %w", context.Cause(ctx))
	}
	for i := range d.groups {
		for _, name := range d.groups[i].repositories {
			d.groups[i].counts = d.groups[i].counts.plus(recorder.counts[name])
		}
	}
	d.shared = sharedWith(ctx, reader, r)
	return r, nil
}

// sharedWith names the repositories from which other accounts may pull.
func sharedWith(ctx context.Context, reader plan.PolicyReader, r *report.Report) []string {
	names := make([]string, len(r.Repositories))
	for i := range r.Repositories {
		names[i] = r.Repositories[i].Name
	}
	shared, err := query.Gather(ctx, names, func(ctx context.Context, name string) ([]string, error) {
		policy, err := reader.RepositoryPolicyText(ctx, name)
		others := resourcepolicy.Parse(policy).Pullers(r.Account)
		if err != nil || len(others) == 0 {
			return nil, err
		}
		return []string{name + ": " + strings.Join(others, ", ")}, nil
	})
	if err != nil {
		return []string{"it is not known from which repositories: " + awserror.Clean(err.Error())}
	}
	return shared
}

// parse reads the configuration back. A hash that is not "" must be its hash.
func parse(document []byte, hash string) (config.Config, error) {
	c, problems := config.Parse(document)
	if len(problems) > 0 {
		return c, exit.Failuref("nothing was written: the program is faulty: the configuration has problems: %w; please report it", problems)
	}
	if of, err := c.Hash(); err != nil || hash != "" && of != hash {
		return c, exit.Failuref("nothing was written: the program is faulty: comments change the configuration; please report it")
	}
	return c, nil
}

func write(f *session.Flags, out string, document []byte) error {
	all := func(w io.Writer) error { _, err := w.Write(document); return err }
	var err error
	if out == "-" {
		err = all(f.Stdout)
	} else {
		err = env.SaveFile(out, all)
	}
	if err != nil {
		return exit.Failuref("write the configuration: %w", err)
	}
	return nil
}
