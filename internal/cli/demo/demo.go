// Package demo has the command demo, which plans and applies on an embedded registry and
// explains the images that are left. Nothing leaves the machine.
package demo

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// Command returns the command demo.
func Command(f *session.Flags) *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Plan and apply on an embedded registry; no AWS account",
		Long: `Start an embedded registry on this machine, fill it as a machine-learning team would,
plan, apply, and show which images are left and why. demo needs no AWS account and calls
no AWS service.`,
		Args: session.Args(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := run(c.Context(), f); err != nil {
				return exit.Failuref("%w", err)
			}
			return nil
		},
	}
}

const region = "eu-west-1"

func run(ctx context.Context, f *session.Flags) error {
	server := fakeecr.New(fakeecr.WithClock(f.Now), fakeecr.WithRegion(region))
	server.ExcludePulls(true)
	fill(server, f.Now())
	endpoint, stop, err := serve(server)
	if err != nil {
		return err
	}
	defer stop()
	f.Connector = func(string, string, func() time.Time) func(context.Context) (function.Registry, error) {
		return func(context.Context) (function.Registry, error) {
			return function.Connect(awsclient.Local(endpoint, region), f.Now), nil
		}
	}
	f.Configuration = configuration
	s, err := f.Open(ctx, config.Apply)
	if err != nil {
		return err
	}
	fmt.Fprint(f.Stdout, text.Fold(story, f.Terminal.Out.Width))
	if _, err := runReport(ctx, s, "plan"); err != nil {
		return err
	}
	s.Remover = s.Connection.Remover
	applied, err := runReport(ctx, s, "apply --yes")
	if err != nil {
		return err
	}
	fmt.Fprint(f.Stdout, "\nImages that are left, and why:\n")
	return printLeft(ctx, s, server, applied)
}

func serve(handler http.Handler) (endpoint string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("start the embedded registry: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // it returns an error after Close
	return "http://" + listener.Addr().String(), func() { _ = server.Close() }, nil
}

func runReport(ctx context.Context, s *session.Session, command string) (*report.Report, error) {
	fmt.Fprintf(s.Stdout, "\n$ ecrclean %s\n", command)
	r, err := s.Report(ctx, s.Run)
	if err != nil {
		return nil, err
	}
	return r, s.PrintReport(r)
}

func printLeft(ctx context.Context, s *session.Session, server *fakeecr.Server, report *report.Report) error {
	t := text.NewTable(text.Column{Name: "REPOSITORY", Middle: true}, text.Column{Name: "IMAGE", Cut: 2}, text.Column{Name: "TAGS", Cut: 1}, text.Column{Name: "KEPT BECAUSE"})
	for _, repository := range report.Repositories {
		images := server.Images(repository.Name)
		if repository.Skipped != "" {
			t.Row(repository.Name, fmt.Sprintf("all %d", len(images)), "", "skipped: "+string(repository.Skipped)+", see above")
			continue
		}
		for _, im := range images {
			why, err := whyLeft(ctx, s, repository, im.Digest)
			if err != nil {
				return err
			}
			t.Row(repository.Name, text.ShortDigest(im.Digest), text.Tags(im.Tags), text.Days(text.ShortDigests(why)))
		}
	}
	_, err := io.WriteString(s.Stdout, t.Fit(s.Terminal.Out, "a pipe"))
	return err
}

func whyLeft(ctx context.Context, s *session.Session, repository report.Repository, digest string) (string, error) {
	for _, im := range repository.Images {
		if im.ImageDigest == digest && im.Outcome == plan.Blocked {
			return "an index references it, so ECR refuses to delete it", nil
		}
	}
	e, err := s.Explain(ctx, repository.Name, digest)
	if err != nil {
		return "", err
	}
	if len(e.ProtectedBy) > 0 {
		return "protected by " + e.ProtectedBy[0].String(), nil
	}
	why := e.Verdict.Why()
	if _, reason, matched := strings.Cut(why, ", not marked: "); matched { // which rule is in the story
		why = reason
	}
	return why, nil
}

//go:embed story.txt
var story string

//go:embed configuration.json
var configuration string

// fill builds the registry of the story.
func fill(server *fakeecr.Server, now time.Time) {
	for _, name := range []string{"ml/training", "ml/serving", "ml/experiments", "ml/base"} {
		server.CreateRepository(name)
	}
	pushed := func(daysAgo int) time.Time { return now.Add(-time.Duration(daysAgo) * 24 * time.Hour) }
	push := func(repository string, daysAgo int, megabytes int64, tags ...string) string {
		return server.Put(repository, fakeecr.Image{Tags: tags, SizeInBytes: megabytes * 1e6, PushedAt: pushed(daysAgo)})
	}
	// ml/training has releases and development builds. One build was promoted: a rule matches
	// its prod tag first, so the rule for dev never deletes it.
	for i := range 8 {
		push("ml/training", 89-10*i, 2400, fmt.Sprintf("prod-1.%d", i))
	}
	push("ml/training", 45, 2400, "dev-4711", "prod-1.8")
	for i, daysAgo := range []int{75, 60, 50, 40, 31, 20, 10, 2} {
		push("ml/training", daysAgo, 2600, fmt.Sprintf("dev-%d", 4700+10*i))
	}
	// ml/serving was rolled back: latest is the tag of an old image.
	for i := range 9 {
		tags := []string{fmt.Sprintf("v2.%d", i)}
		if i == 2 {
			tags = append(tags, "latest")
		}
		push("ml/serving", 80-8*i, 900, tags...)
	}
	// ml/experiments has so many old images that the plan exceeds the limit.
	for i := range 20 {
		push("ml/experiments", 100-4*i, 5200, fmt.Sprintf("run-%03d", i))
	}
	// ml/base has old builds without tags, and a multi-platform index with untagged children.
	for i := range 4 {
		push("ml/base", 60-18*i, 700)
	}
	push("ml/base", 90, 680, "cuda-11")
	children := []string{push("ml/base", 20, 710), push("ml/base", 20, 690)}
	server.Put("ml/base", fakeecr.Image{Tags: []string{"cuda-12"}, SizeInBytes: 710e6, PushedAt: pushed(20), Children: children})
}
