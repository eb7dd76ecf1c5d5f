package demo

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// Command returns the command demo.
func Command(e env.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Plan and apply on an embedded registry; no AWS account",
		Long: `Start an embedded registry on this machine, fill it as a machine-learning team would,
plan, apply, and show which images are left and why. demo needs no AWS account and calls
no AWS service.`,
		Args: session.Args(0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := run(c.Context(), e); err != nil {
				return exit.Failuref("%w", err)
			}
			return nil
		},
	}
}

const region = "eu-west-1"

func run(ctx context.Context, e env.Env) error {
	server := fakeecr.New(fakeecr.WithClock(e.Now), fakeecr.WithRegion(region))
	server.ExcludePulls(true)
	fill(server, e.Now())
	endpoint, stop, err := serve(server)
	if err != nil {
		return err
	}
	defer stop()
	e.Connector = func(string, string, func() time.Time) func(context.Context) (function.Registry, error) {
		return func(context.Context) (function.Registry, error) {
			return function.Connect(awsclient.Local(endpoint, region), e.Now), nil
		}
	}
	f := session.NewFlags(e)
	f.Configuration = configuration
	s, err := f.Open(ctx, config.Apply)
	if err != nil {
		return err
	}
	fmt.Fprint(e.Stdout, story)
	if _, err := report(ctx, s, "plan"); err != nil {
		return err
	}
	s.Remover = s.Connection.Remover
	applied, err := report(ctx, s, "apply --yes")
	if err != nil {
		return err
	}
	fmt.Fprint(e.Stdout, "\nImages that are left, and why:\n")
	return printLeft(ctx, s, server, applied)
}

// serve starts the registry on a free port of the loopback interface.
func serve(handler http.Handler) (endpoint string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("start the embedded registry: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // it returns an error after Close
	return "http://" + listener.Addr().String(), func() { _ = server.Close() }, nil
}

// report runs once and prints the report below the command line.
func report(ctx context.Context, s *session.Session, command string) (*cleaner.Report, error) {
	fmt.Fprintf(s.Stdout, "\n$ ecrclean %s\n", command)
	r, err := s.Report(ctx, s.Run)
	if err != nil {
		return nil, err
	}
	return r, s.PrintReport(r)
}

// printLeft explains every image that is still in the registry.
func printLeft(ctx context.Context, s *session.Session, server *fakeecr.Server, report *cleaner.Report) error {
	t := text.NewTable("REPOSITORY", "IMAGE", "TAGS", "KEPT BECAUSE")
	for i := range report.Repositories {
		repository := &report.Repositories[i]
		images := server.Images(repository.Name)
		if repository.Skipped != "" {
			t.Row(repository.Name, fmt.Sprintf("all %d", len(images)), "", "skipped: "+repository.Message)
			continue
		}
		for _, im := range images {
			why, err := whyLeft(ctx, s, repository, im.Digest)
			if err != nil {
				return err
			}
			t.Row(repository.Name, text.ShortDigest(im.Digest), text.Tags(im.Tags), text.ShortDigests(why))
		}
	}
	_, err := fmt.Fprint(s.Stdout, t)
	return err
}

func whyLeft(ctx context.Context, s *session.Session, repository *cleaner.RepositoryReport, digest string) (string, error) {
	for _, im := range repository.Images {
		if im.ImageDigest == digest && im.Outcome == cleaner.Blocked {
			return "an index references it, so ECR refuses to delete it", nil
		}
	}
	e, err := s.Explain(ctx, repository.Name, digest)
	if err != nil {
		return "", err
	}
	because := []string{e.Verdict.Why()}
	for _, p := range e.ProtectedBy {
		because = append(because, "protected by "+p.String())
	}
	return strings.Join(because, "; "), nil
}
