package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/list"
)

func referencesCommand(w world) *cobra.Command {
	s := setup{world: w}
	var out string
	c := &cobra.Command{
		Use:   "references [--out FILE|s3://BUCKET/KEY]",
		Short: "Write a list of what is in use here, for protect.references elsewhere",
		Long: `Query the services in protect.inUse for the images that they use in this account and
Region, read the lists in protect.references, and write one list of all these images.
Add the list to protect.references in the configuration that cleans the registry. The
list is valid for 36 hours, or for protect.referencesMaxAgeHours of that configuration.
Images of public registries, such as docker.io and public.ecr.aws, are left out.`,
		Args: exactArgs(0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			configuration, err := s.load(c.Context())
			if err != nil {
				return err
			}
			session, err := s.session(c.Context(), configuration, config.Request{Mode: config.Plan}, "")
			if err != nil {
				return err
			}
			return session.references(c.Context(), out)
		},
	}
	s.configurationFlags(c)
	c.Flags().StringVar(&out, "out", "", "write to this file or S3 object instead of the standard output")
	return c
}

// references scans and writes the list. It writes nothing if the scan failed in part,
// because a reader could not tell the list from a complete one. It writes nothing if
// the clock is wrong, because a reader could take the list for newer than it is.
func (s *session) references(ctx context.Context, out string) error {
	ask := s.registry.Scanner(s.Config, "", s.now)
	if ask == nil {
		return usageError(errors.New("the configuration names no source in protect.inUse; name one"))
	}
	account, err := s.registry.Account(ctx)
	scan := ask(ctx)
	if err := s.registry.ClockCheck.Check(); err != nil {
		return failure(fmt.Errorf("nothing was written: %w", err))
	}
	if len(scan.Failed) > 0 {
		failures := make([]string, len(scan.Failed))
		for i, f := range scan.Failed {
			failures[i] = f.String()
		}
		return failure(fmt.Errorf("nothing was written: %s", strings.Join(failures, "; ")))
	}
	if err != nil {
		return failure(err)
	}
	write := func(w io.Writer) error { return list.Write(w, account, s.registry.Region, scan.At, scan.Uses) }
	switch {
	case out == "":
		err = write(s.stdout)
	case strings.HasPrefix(out, "s3://"):
		var list bytes.Buffer
		if err = write(&list); err == nil {
			err = s.registry.PutObject(ctx, out, list.Bytes())
		}
	default:
		err = saveFile(out, write)
	}
	if err != nil {
		return failure(fmt.Errorf("write references: %w", err))
	}
	s.explainUnwritten(scan.Uses)
	return nil
}

// explainUnwritten says on the standard error stream which uses the list does not
// have because their repository is not known. A reader of the list would take their
// images for unused without a word.
func (s *session) explainUnwritten(uses []inuse.Use) {
	for i := range uses {
		if use := &uses[i]; use.Reference.Repository == "" {
			why := cmp.Or(use.Problem, "the repository of "+use.Reference.Digest+" is not known")
			fmt.Fprintf(s.stderr, "ecrclean: not in the list: %s: %s\n", printable(use.By), printable(why))
		}
	}
}
