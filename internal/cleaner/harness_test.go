package cleaner_test

import (
	"context"
	"encoding/json"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
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

// A registry is a cleaner.Registry made of functions. One that is nil must not
// be called.
type registry struct {
	repositories func(context.Context) ([]cleaner.Repository, error)
	policyText   func(ctx context.Context, repository string) (string, error)
	images       func(ctx context.Context, repository string) ([]evaluator.Image, error)
	children     func(ctx context.Context, repository string, indexes []string) (map[string][]string, error)
}

func (r registry) Repositories(ctx context.Context) iter.Seq2[cleaner.Repository, error] {
	return sequence(r.repositories(ctx))
}

func (r registry) PolicyText(ctx context.Context, repository string) (string, error) {
	return r.policyText(ctx, repository)
}

func (r registry) Images(ctx context.Context, repository string) iter.Seq2[evaluator.Image, error] {
	return sequence(r.images(ctx, repository))
}

func (r registry) Children(ctx context.Context, repository string, indexes []string, children map[string][]string) error {
	found, err := r.children(ctx, repository, indexes)
	maps.Copy(children, found)
	return err
}

// sequence yields the items and then the error, if there is one.
func sequence[T any](items []T, err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
		if err != nil {
			var none T
			yield(none, err)
		}
	}
}

// A remover is a cleaner.Remover made of functions. One that is nil must not be
// called.
type remover struct {
	describe func(ctx context.Context, repository string, digests []string) ([]evaluator.Image, error)
	delete   func(ctx context.Context, repository string, digests []string) (cleaner.Deletion, error)
	archive  func(ctx context.Context, repository, digest string) error
}

func (r remover) Describe(ctx context.Context, repository string, digests []string) ([]evaluator.Image, error) {
	return r.describe(ctx, repository, digests)
}

func (r remover) Delete(ctx context.Context, repository string, digests []string) (cleaner.Deletion, error) {
	return r.delete(ctx, repository, digests)
}

func (r remover) Archive(ctx context.Context, repository, digest string) error {
	return r.archive(ctx, repository, digest)
}

// A world is what a registry holds, and what was done to it.
type world struct {
	names    []string // of the repositories, in the order of the listing
	policies map[string]string
	// children are by index; one that is missing cannot be read.
	children map[string][]string

	mu      sync.Mutex
	images  map[string][]evaluator.Image
	calls   []string   // of the remover: "describe", "delete" or "archive"
	batches [][]string // the digests of each of these calls
}

// newWorld returns a world of one repository "app" with these images.
func newWorld(images ...evaluator.Image) *world {
	return &world{
		names: []string{"app"}, policies: map[string]string{}, children: map[string][]string{},
		images: map[string][]evaluator.Image{"app": images},
	}
}

// add puts another repository at the end of the listing.
func (w *world) add(name string, images ...evaluator.Image) *world {
	w.names = append(w.names, name)
	w.images[name] = images
	return w
}

func (w *world) registry() registry {
	return registry{
		repositories: func(context.Context) ([]cleaner.Repository, error) {
			var list []cleaner.Repository
			for _, name := range w.names {
				list = append(list, cleaner.Repository{Name: name, RegistryID: account})
			}
			return list, nil
		},
		policyText: func(_ context.Context, repository string) (string, error) {
			if text, attached := w.policies[repository]; attached {
				return text, nil
			}
			return "", cleaner.ErrNoPolicy
		},
		images: func(_ context.Context, repository string) ([]evaluator.Image, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return slices.Clone(w.images[repository]), nil
		},
		children: func(_ context.Context, _ string, indexes []string) (map[string][]string, error) {
			found := map[string][]string{}
			for _, digest := range indexes {
				if children, readable := w.children[digest]; readable {
					found[digest] = children
				}
			}
			return found, nil
		},
	}
}

// planner returns what makes plans of the world.
func (w *world) planner() cleaner.Planner {
	return cleaner.Planner{Registry: w.registry(), Now: now, PullsExcluded: func(context.Context) bool { return true }}
}

func (w *world) remover() remover {
	return remover{
		describe: func(_ context.Context, repository string, digests []string) ([]evaluator.Image, error) {
			return w.take("describe", repository, digests), nil
		},
		delete: func(_ context.Context, repository string, digests []string) (cleaner.Deletion, error) {
			w.take("delete", repository, digests)
			return cleaner.Deletion{Deleted: digests}, nil
		},
		archive: func(_ context.Context, repository, digest string) error {
			w.take("archive", repository, []string{digest})
			return nil
		},
	}
}

// take notes a call, carries it out and returns the images it is about.
func (w *world) take(call, repository string, digests []string) []evaluator.Image {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, call)
	w.batches = append(w.batches, slices.Clone(digests))
	var taken, left []evaluator.Image
	for _, im := range w.images[repository] {
		switch {
		case !slices.Contains(digests, im.Digest):
		case call == "archive":
			taken = append(taken, im)
			im.Status, im.LastArchivedAt = evaluator.Archived, now
		default:
			taken = append(taken, im)
			if call == "delete" {
				continue
			}
		}
		left = append(left, im)
	}
	w.images[repository] = left
	return taken
}

// digests returns what is left in a repository, sorted.
func (w *world) digests(repository string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := []string{}
	for _, im := range w.images[repository] {
		list = append(list, im.Digest)
	}
	slices.Sort(list)
	return list
}

// image returns an ACTIVE image pushed that long ago.
func image(digest string, age time.Duration, tags ...string) evaluator.Image {
	return evaluator.Image{
		Digest: digest, Tags: tags, Status: evaluator.Active, PushedAt: now.Add(-age), SizeInBytes: 100,
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

// newRunner returns a runner that applies the configuration to the world.
func newRunner(t *testing.T, w *world, text string) cleaner.Runner {
	t.Helper()
	c := configure(t, text)
	hash, err := c.Hash()
	if err != nil {
		t.Fatal(err)
	}
	return cleaner.Runner{
		Registry: w.registry(), Remover: w.remover(), Config: c, ConfigurationHash: hash, Region: "eu-west-1",
		Now: now, RunID: "run-1", Log: slog.New(slog.DiscardHandler), Workers: 4, MaxPlanAge: day,
		PullsExcluded: func(context.Context) bool { return true },
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
func mustPlan(t *testing.T, w *world, text string) cleaner.RepositoryPlan {
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
