package inspect

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/awserror"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// References returns the command references.
func References(f *session.Flags) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "references [--out FILE|s3://BUCKET/KEY|s3://BUCKET/PREFIX/]",
		Short: "List the images in use here, for protect.references elsewhere",
		Long: `Query the services in protect.inUse for the images that they use in this account and
Region, read the lists in protect.references, and write one list of all these images.
Add the list to protect.references in the configuration that cleans the registry. The
list is valid for 36 hours, or for protect.referencesMaxAgeHours of that configuration.
Images of public registries, such as docker.io and public.ecr.aws, are left out.`,
		Args: session.Args(0, 0, "no arguments"),
		RunE: f.InSession("", func(ctx context.Context, s *session.Session, _ []string) error { return references(ctx, s, out) }),
	}
	f.AddConfig(c)
	f.AddExec(c)
	c.Flags().StringVar(&out, "out", "", "write to this file or S3 object instead of the standard output; below s3://BUCKET/PREFIX/ to ACCOUNT/REGION.json")
	return c
}

func references(ctx context.Context, s *session.Session, out string) error {
	s.Flags.Progress.Phase("in-use scan")
	list, err := s.Connection.List(ctx, s.Config, s.Clock)
	switch {
	case errors.Is(err, function.ErrNoSource):
		return exit.Usagef("%w", err)
	case err == nil:
		err = list.Err()
	}
	if err != nil {
		return exit.Failuref("%w", err)
	}
	switch {
	case out == "":
		err = list.Write(s.Stdout)
	case strings.HasPrefix(out, "s3://"):
		var text bytes.Buffer
		if err = list.Write(&text); err == nil {
			err = s.Connection.PutObject(ctx, list.Location(out), text.Bytes())
		}
	default:
		err = env.SaveFile(out, list.Write)
	}
	if err != nil {
		return exit.Failuref("write references: %w", err)
	}
	for _, f := range list.Findings() {
		s.Notef("%s", awserror.Clean(f.Message))
	}
	return nil
}
