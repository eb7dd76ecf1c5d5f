package inspect

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/awserror"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/list"
)

// References returns the command references.
func References(f *session.Flags) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "references [--out FILE|s3://BUCKET/KEY]",
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
	c.Flags().StringVar(&out, "out", "", "write to this file or S3 object instead of the standard output")
	return c
}

// references writes nothing if a part of the scan failed, because the list would look
// complete, or if the clock is wrong, because the list could look too new.
func references(ctx context.Context, s *session.Session, out string) error {
	s.Flags.Progress.Phase("in-use scan")
	run := s.Connection.Scanner(s.Config, "", s.Clock)
	if run == nil {
		return exit.Usagef("the configuration names no source in protect.inUse; name one")
	}
	account, err := s.Connection.Account(ctx)
	scan := run(ctx)
	if err := s.Connection.ClockCheck.Check(); err != nil {
		return exit.Failuref("nothing was written: %w", err)
	}
	if len(scan.Failed) > 0 {
		failures := make([]string, len(scan.Failed))
		for i, f := range scan.Failed {
			failures[i] = f.String()
		}
		return exit.Failuref("nothing was written: %s", strings.Join(failures, "; "))
	}
	if err != nil {
		return exit.Failuref("%w", err)
	}
	write := func(w io.Writer) error { return list.Write(w, account, s.Connection.Region, scan.At, scan.Uses) }
	switch {
	case out == "":
		err = write(s.Stdout)
	case strings.HasPrefix(out, "s3://"):
		var list bytes.Buffer
		if err = write(&list); err == nil {
			err = s.Connection.PutObject(ctx, out, list.Bytes())
		}
	default:
		err = env.SaveFile(out, write)
	}
	if err != nil {
		return exit.Failuref("write references: %w", err)
	}
	for _, use := range scan.Uses {
		// A reader of the list would take such images for unused.
		switch {
		case use.Finding.Kind != "":
			s.Notef("%s", awserror.Clean(use.Finding.Message))
		case use.Reference.Repository == "":
			s.Notef("not in the list: %s: %s", use.By, cmp.Or(use.Problem, "the repository of "+use.Reference.Digest+" is not known"))
		}
	}
	return nil
}
