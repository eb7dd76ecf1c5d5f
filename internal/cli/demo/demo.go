// Package demo has the command demo, which plans and applies on an embedded registry and
// explains the images that are left. Nothing leaves the machine.
package demo

import (
	"context"

	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"

	_ "embed"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
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
	if _, err := runReport(ctx, s, "plan"); err != nil {
		return err
	}
	s.Remover = s.Connection.Remover
	applied, err := runReport(ctx, s, "apply --yes")
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

// runReport runs once and prints the report below the command line.
func runReport(ctx context.Context, s *session.Session, command string) (*report.Report, error) {
	fmt.Fprintf(s.Stdout, "\n$ ecrclean %s\n", command)
	r, err := s.Report(ctx, s.Run)
	if err != nil {
		return nil, err
	}
	return r, s.PrintReport(r)
}

// printLeft explains every image that is still in the registry.
func printLeft(ctx context.Context, s *session.Session, server *fakeecr.Server, report *report.Report) error {
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

func whyLeft(ctx context.Context, s *session.Session, repository *report.Repository, digest string) (string, error) {
	for _, im := range repository.Images {
		if im.ImageDigest == digest && im.Outcome == plan.Blocked {
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

//go:embed story.txt
var story string

//go:embed configuration.json
var configuration string

// A filler fills the registry with images whose ages are counted back from now.
type filler struct {
	server *fakeecr.Server
	now    time.Time
}

func (f filler) push(repository string, daysAgo float64, megabytes int64, tags ...string) string {
	return f.server.Put(repository, fakeecr.Image{
		Tags: tags, SizeInBytes: megabytes * 1_000_000,
		PushedAt: f.now.Add(-time.Duration(daysAgo * 24 * float64(time.Hour))),
	})
}

// fill builds the registry of the story.
func fill(server *fakeecr.Server, now time.Time) {
	f := filler{server, now}
	f.training()
	f.serving()
	f.experiments()
	f.base()
}

// training has releases and development builds. One build was promoted: a rule matches its
// prod tag first, so the rule for dev never deletes it.
func (f filler) training() {
	f.server.CreateRepository("ml/training")
	for i := range 8 {
		f.push("ml/training", 90-10*float64(i)-1, 2400, fmt.Sprintf("prod-1.%d", i))
	}
	f.push("ml/training", 45, 2400, "dev-4711", "prod-1.8")
	for i, daysAgo := range []float64{75, 60, 50, 40, 31, 20, 10, 2} {
		f.push("ml/training", daysAgo, 2600, fmt.Sprintf("dev-%d", 4700+10*i))
	}
}

// serving was rolled back: latest is the tag of an old image.
func (f filler) serving() {
	f.server.CreateRepository("ml/serving")
	for i := range 9 {
		tags := []string{fmt.Sprintf("v2.%d", i)}
		if i == 2 {
			tags = append(tags, "latest")
		}
		f.push("ml/serving", 80-8*float64(i), 900, tags...)
	}
}

// experiments has so many old images that the plan exceeds the limit.
func (f filler) experiments() {
	f.server.CreateRepository("ml/experiments")
	for i := range 20 {
		f.push("ml/experiments", 100-4*float64(i), 5200, fmt.Sprintf("run-%03d", i))
	}
}

// base has old builds without tags, and a multi-platform index with untagged children.
func (f filler) base() {
	f.server.CreateRepository("ml/base")
	for i := range 4 {
		f.push("ml/base", 60-18*float64(i), 700)
	}
	f.push("ml/base", 90, 680, "cuda-11")
	amd64 := f.push("ml/base", 20, 710)
	arm64 := f.push("ml/base", 20, 690)
	f.server.Put("ml/base", fakeecr.Image{
		Tags: []string{"cuda-12"}, SizeInBytes: 710_000_000, Children: []string{amd64, arm64},
		PushedAt: f.now.Add(-20 * 24 * time.Hour),
	})
}
