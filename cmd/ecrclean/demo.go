package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

func demoCommand(w world) *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Plan and apply on an embedded registry; no AWS account",
		Long: `Start an embedded registry on this machine, fill it as a machine-learning team
would, plan, apply, and show what is left and why. It needs no AWS account and
touches none.`,
		Args: exactArgs(0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := w.demo(c.Context()); err != nil {
				return failure(err)
			}
			return nil
		},
	}
}

const demoRegion = "eu-west-1"

func (w world) demo(ctx context.Context) error {
	now := w.now()
	server := fakeecr.New(fakeecr.WithClock(w.now), fakeecr.WithRegion(demoRegion))
	server.ExcludePulls(true)
	fillDemo(server, now)
	endpoint, stop, err := serve(server)
	if err != nil {
		return err
	}
	defer stop()
	s := &setup{world: w, config: demoConfiguration, output: "table"}
	s.connector = func(string, string, func() time.Time) func(context.Context) (function.Registry, error) {
		return func(context.Context) (function.Registry, error) {
			return function.Connect(awsclient.Local(endpoint, demoRegion), w.now), nil
		}
	}
	fmt.Fprint(w.stdout, demoStory)
	return s.demoRun(ctx, server)
}

// serve starts the registry on a free port of the loopback interface.
func serve(handler http.Handler) (endpoint string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("start the embedded registry: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // ends with Close, the only error
	return "http://" + listener.Addr().String(), func() { _ = server.Close() }, nil
}

// demoRun plans, applies and shows what is left.
func (s *setup) demoRun(ctx context.Context, server *fakeecr.Server) error {
	configuration, err := s.load(ctx)
	if err != nil {
		return err
	}
	session, err := s.session(ctx, configuration, config.Request{Mode: config.Apply}, "")
	if err != nil {
		return err
	}
	fmt.Fprint(s.stdout, "\n$ ecrclean plan\n")
	plan, err := session.run(ctx)
	if err != nil {
		return err
	}
	if err := s.print(plan); err != nil {
		return err
	}
	fmt.Fprint(s.stdout, "\n$ ecrclean apply --yes\n")
	session.Remover = session.registry.Remover
	report, err := session.run(ctx)
	if err != nil {
		return err
	}
	if err := s.print(report); err != nil {
		return err
	}
	fmt.Fprint(s.stdout, "\nWhat is left, and why:\n")
	return session.printLeft(ctx, server, report)
}

// printLeft explains every image that is still in the registry.
func (s *session) printLeft(ctx context.Context, server *fakeecr.Server, report *cleaner.Report) error {
	t := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "REPOSITORY\tIMAGE\tTAGS\tKEPT BECAUSE")
	for i := range report.Repositories {
		repository := &report.Repositories[i]
		images := server.Images(repository.Name)
		if repository.Skipped != "" {
			fmt.Fprintf(t, "%s\tall %d\t\tleft alone: %s\n", repository.Name, len(images), repository.Message)
			continue
		}
		for _, im := range images {
			why, err := s.whyLeft(ctx, repository, im.Digest)
			if err != nil {
				return err
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", repository.Name, shortDigest(im.Digest), tagsCell(im.Tags), shortDigests(why))
		}
	}
	return t.Flush()
}

func (s *session) whyLeft(ctx context.Context, repository *cleaner.RepositoryReport, digest string) (string, error) {
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
