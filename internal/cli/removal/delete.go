package removal

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

// Delete returns the command delete.
func Delete(e env.Env) *cobra.Command {
	f := session.NewFlags(e)
	var yes bool
	c := &cobra.Command{
		Use:   "delete REPOSITORY IMAGE...",
		Short: "Delete chosen images, each named by tag or digest",
		Long: `Delete chosen images of one repository, each named by tag or digest, after asking.

An image is deleted with all its tags. Before delete deletes anything, it prints the
other tags of each named image. With --yes, name all tags of an image or its digest.
If you name only some of the tags, nothing is deleted.

Policies are not evaluated. Protection, limits and the re-check before the removal are
those of apply. If a named image was not deleted, the exit status is 3, and the standard
error stream has the reason. An image that somebody else has deleted in the meantime
counts as deleted.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return exit.Usagef("expects a repository and at least one tag or digest")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			s, err := f.Open(c.Context(), config.Apply)
			if err != nil {
				return err
			}
			d := deletion{Session: s, names: args[1:], yes: yes}
			s.Approve = d.approve
			run := func(ctx context.Context) (cleaner.Report, error) { return s.RunNamed(ctx, args[0], d.names) }
			r := removal{Session: s, run: run, status: d.status}
			return r.apply(c.Context(), yes)
		},
	}
	f.AddConfig(c)
	f.AddOutput(c)
	f.AddLog(c)
	f.AddLimits(c)
	c.Flags().BoolVar(&yes, "yes", false, "do not ask; every image must be named by its digest or by all its tags")
	return c
}
