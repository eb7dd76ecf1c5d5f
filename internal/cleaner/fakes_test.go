package cleaner_test

import (
	"context"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// A reader is a cleaner.Registry made of functions. One that is nil must not
// be called.
type reader struct {
	repositories func(context.Context) ([]cleaner.Repository, error)
	policyText   func(ctx context.Context, repository string) (string, error)
	images       func(ctx context.Context, repository string) ([]evaluator.Image, error)
	children     func(ctx context.Context, repository string, indexes []string) (map[string][]string, error)
}

func (r reader) Repositories(ctx context.Context) iter.Seq2[cleaner.Repository, error] {
	return sequence(r.repositories(ctx))
}

func (r reader) PolicyText(ctx context.Context, repository string) (string, error) {
	return r.policyText(ctx, repository)
}

func (r reader) Images(ctx context.Context, repository string) iter.Seq2[[]evaluator.Image, error] {
	images, err := r.images(ctx, repository)
	return sequence(slices.Collect(slices.Chunk(images, 2)), err)
}

// Children answers at the time now, cut to the second.
func (r reader) Children(ctx context.Context, repository string, indexes []string) (cleaner.Reading, error) {
	found, err := r.children(ctx, repository, indexes)
	reading := cleaner.Reading{Children: found, At: cleaner.Span{From: now, To: now}}
	for _, digest := range indexes {
		if _, read := found[digest]; !read {
			reading.Failed = append(reading.Failed, cleaner.Failure{Digest: digest, Code: "KmsError", Message: "no key"})
		}
	}
	return reading, err
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
	untag    func(ctx context.Context, repository string, tags []string) (cleaner.Untagging, error)
}

func (r remover) Describe(ctx context.Context, repository string, digests []string) ([]evaluator.Image, error) {
	return r.describe(ctx, repository, digests)
}

func (r remover) Delete(ctx context.Context, repository string, digests []string) (cleaner.Deletion, error) {
	return r.delete(ctx, repository, digests)
}

func (r remover) Untag(ctx context.Context, repository string, tags []string) (cleaner.Untagging, error) {
	return r.untag(ctx, repository, tags)
}

func (r remover) Archive(ctx context.Context, repository, digest string) error {
	return r.archive(ctx, repository, digest)
}

// A fakeRegistry has repositories with images, and remembers the calls that changed it.
type fakeRegistry struct {
	names    []string // of the repositories, in the order of the listing
	policies map[string]string
	// children are by index; one that is missing cannot be read.
	children map[string][]string

	mu      sync.Mutex
	images  map[string][]evaluator.Image
	calls   []string   // of the remover: "describe", "delete" or "archive"
	batches [][]string // the digests of each of these calls
}

// newFakeRegistry returns a registry of one repository "app" with these images.
func newFakeRegistry(images ...evaluator.Image) *fakeRegistry {
	return &fakeRegistry{
		names: []string{"app"}, policies: map[string]string{}, children: map[string][]string{},
		images: map[string][]evaluator.Image{"app": images},
	}
}

// add puts another repository at the end of the listing.
func (w *fakeRegistry) add(name string, images ...evaluator.Image) *fakeRegistry {
	w.names = append(w.names, name)
	w.images[name] = images
	return w
}

func (w *fakeRegistry) reader() reader {
	return reader{
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

// excluded says that ECR does not record the pulls of this role.
var excluded = cleaner.OwnPulls{Excluded: true}

// planner returns what makes plans of the registry.
func (w *fakeRegistry) planner() cleaner.Planner {
	return cleaner.Planner{Registry: w.reader(), Now: now}.With(excluded)
}

func (w *fakeRegistry) remover() remover {
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
		untag: func(_ context.Context, repository string, tags []string) (cleaner.Untagging, error) {
			return w.untag(repository, tags), nil
		},
	}
}

// take notes a call, carries it out and returns the images it is about.
func (w *fakeRegistry) take(call, repository string, digests []string) []evaluator.Image {
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
			im.Status, im.LastArchivedAt = evaluator.Archived, evaluator.At(now)
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

// untag notes a call and takes the tags from whatever has them.
func (w *fakeRegistry) untag(repository string, tags []string) cleaner.Untagging {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, "untag")
	w.batches = append(w.batches, slices.Clone(tags))
	done := cleaner.Untagging{Removed: map[string]string{}, Failed: map[string]cleaner.Failure{}}
	for i, im := range w.images[repository] {
		w.images[repository][i].Tags = slices.DeleteFunc(slices.Clone(im.Tags), func(tag string) bool {
			if slices.Contains(tags, tag) {
				done.Removed[tag] = im.Digest
				return true
			}
			return false
		})
	}
	return done
}

// digests returns what is left in a repository, sorted.
func (w *fakeRegistry) digests(repository string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := []string{}
	for _, im := range w.images[repository] {
		list = append(list, im.Digest)
	}
	slices.Sort(list)
	return list
}

// before returns a log that calls do for each record and discards the record.
func before(tb testing.TB, do func(slog.Record)) *slog.Logger {
	tb.Helper()
	return slog.New(hook{slog.DiscardHandler, do})
}

type hook struct {
	slog.Handler
	do func(slog.Record)
}

func (hook) Enabled(context.Context, slog.Level) bool { return true }

func (h hook) Handle(ctx context.Context, r slog.Record) error {
	h.do(r)
	return h.Handler.Handle(ctx, r)
}

func (h hook) WithAttrs(attrs []slog.Attr) slog.Handler {
	return hook{h.Handler.WithAttrs(attrs), h.do}
}
