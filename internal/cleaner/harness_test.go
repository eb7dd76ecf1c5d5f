package cleaner_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

const (
	day     = 24 * time.Hour
	account = "123456789012"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// image returns an ACTIVE image pushed that long ago.
func image(digest string, age time.Duration, tags ...string) evaluator.Image {
	return evaluator.Image{
		Digest: digest, Tags: tags, Status: evaluator.Active, PushedAt: evaluator.At(now.Add(-age)), SizeInBytes: 100,
		ManifestMediaType: "application/vnd.oci.image.manifest.v1+json",
	}
}

func index(digest string, age time.Duration, tags ...string) evaluator.Image {
	im := image(digest, age, tags...)
	im.ManifestMediaType = "application/vnd.oci.image.index.v1+json"
	return im
}

// Policies of one rule.
const (
	expireOld  = `{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}, "action": {"type": "expire"}}]}`
	archiveOld = `{"rules": [{"rulePriority": 2, "selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}, "action": {"type": "transition", "targetStorageClass": "archive"}}]}`
)

// unprotected turns all protection off.
const unprotected = `"protect": {"inUse": [], "tagPatterns": [], "keepNewest": 0, "pulledWithinDays": 0, "pushedWithinHours": 0}`

// expireAll is a configuration that expires what is older than a day,
// everywhere and unprotected.
const expireAll = `{"policies": [{"name": "old", "policy": ` + expireOld + `}], ` + unprotected + `}`

func configure(t *testing.T, text string) config.Config {
	t.Helper()
	c, problems := config.Parse([]byte(text))
	if len(problems) > 0 {
		t.Fatalf("configuration %s: %v", text, problems)
	}
	return c
}

// entryOf returns the first entry of the configuration.
func entryOf(t *testing.T, text string) *config.Entry {
	t.Helper()
	c := configure(t, text)
	return &c.Policies[0]
}

// newRunner returns a runner that applies the configuration to the registry.
func newRunner(t *testing.T, w *fakeRegistry, text string) cleaner.Runner {
	t.Helper()
	c := configure(t, text)
	hash, err := c.Hash()
	if err != nil {
		t.Fatal(err)
	}
	return cleaner.Runner{
		Registry: w.reader(), Remover: w.remover(), Config: c, ConfigurationHash: hash, Region: "eu-west-1",
		Now: now, RunID: "run-1", Log: slog.New(slog.DiscardHandler), Workers: 4, MaxPlanAge: day,
		OwnPulls: func(context.Context) cleaner.OwnPulls { return excluded },
	}
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// run runs the runner.
func run(t *testing.T, r *cleaner.Runner) cleaner.Report {
	t.Helper()
	report, err := r.Run(t.Context())
	if err != nil {
		t.Fatalf("Run: %v", err)
	}
	checkAccount(t, &report)
	return report
}

// outcomes returns what became of the images of the repository "app", by digest.
func outcomes(t *testing.T, report *cleaner.Report) map[string]cleaner.Outcome {
	t.Helper()
	by := map[string]cleaner.Outcome{}
	for _, im := range repositoryOf(t, report, "app").Images {
		by[im.ImageDigest] = im.Outcome
	}
	return by
}

func repositoryOf(t *testing.T, report *cleaner.Report, name string) *cleaner.RepositoryReport {
	t.Helper()
	for i := range report.Repositories {
		if report.Repositories[i].Name == name {
			return &report.Repositories[i]
		}
	}
	t.Fatalf("the report says nothing about %s", name)
	return nil
}

// skips returns why repositories were left alone, by name.
func skips(report *cleaner.Report) map[string]cleaner.SkipCode {
	by := map[string]cleaner.SkipCode{}
	for i := range report.Repositories {
		if r := &report.Repositories[i]; r.Skipped != "" {
			by[r.Name] = r.Skipped
		}
	}
	return by
}

// mustPlan returns the plan of the repository "app" by the first entry of the
// configuration.
func mustPlan(t *testing.T, w *fakeRegistry, text string) cleaner.RepositoryPlan {
	t.Helper()
	plan, err := w.planner().Plan(t.Context(), "app", entryOf(t, text))
	if err != nil {
		t.Fatalf("Plan: %v", err)
	}
	return plan
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want one with %q", err, want)
	}
}
