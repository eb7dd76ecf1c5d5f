package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

func deleteCommand(w world) *cobra.Command {
	s := setup{world: w}
	var (
		yes   bool
		typed limits
	)
	c := &cobra.Command{
		Use:   "delete REPOSITORY IMAGE...",
		Short: "Delete chosen images, each named by tag or digest",
		Long: `Delete chosen images of one repository, each named by tag or digest, after asking.

An image is deleted with all its tags. Before delete deletes anything, it prints the
other tags of each named image. With --yes, name all tags of an image or its digest.
If you name only some of the tags, nothing is deleted.

Protection, limits and the re-check before the removal are those of apply; policies
are not evaluated. If a named image was not deleted, the exit status is 3, and the
standard error stream has the reason. An image that somebody else has deleted in the
meantime counts as deleted.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usageError(errors.New("expects a repository and at least one tag or digest"))
			}
			return typed.check()
		},
		RunE: func(c *cobra.Command, args []string) error {
			session, err := s.open(c, config.Apply, typed)
			if err != nil {
				return err
			}
			d := deletion{session: session, repository: args[0], names: args[1:], yes: yes}
			session.Approve, session.judge = d.approve, d.status
			return session.apply(c.Context(), yes, d.run)
		},
	}
	s.flags(c)
	s.logFlag(c)
	typed.flags(c)
	c.Flags().BoolVar(&yes, "yes", false, "do not ask; every image must be named by its digest or by all its tags")
	return c
}

// A deletion is the removal of images that a person named.
type deletion struct {
	*session
	repository string
	names      []string
	// yes is the flag --yes: the tool does not ask.
	yes bool
}

func (d *deletion) run(ctx context.Context) (*cleaner.Report, error) {
	report, err := d.RunNamed(ctx, d.repository, d.names)
	if err != nil {
		return nil, runError(err)
	}
	d.finish(&report)
	return &report, nil
}
