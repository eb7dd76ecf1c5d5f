package scenario_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

const (
	account = "123456789012"
	region  = "eu-west-1"
	host    = account + ".dkr.ecr." + region + ".amazonaws.com"
)

var errDown = errors.New("the service is down")

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A clock stands still until it is moved.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// A world is a registry, who uses its images, and the time.
type world struct {
	clock   *clock
	server  *fakeecr.Server
	journal *journal
	// sources are asked for what is in use.
	sources []*source
	// registry leads to the server, as in the programs.
	registry function.Registry
	names    map[string]string // by digest
}

// newWorld returns a world with the registry of the picture, behind HTTP on
// this machine. Its only in-use source is "ecs", which names nothing, and the
// role is a pull-time exclusion.
func newWorld(tb testing.TB, p picture) *world {
	tb.Helper()
	w := emptyWorld(p)
	w.connect(tb, w.journal)
	w.registry.Sources = w.inUse
	return w
}

// connect puts the handler behind HTTP and the programs' registry on it, which
// also looks there for what is in use.
func (w *world) connect(tb testing.TB, handler http.Handler) {
	tb.Helper()
	server := httptest.NewServer(handler)
	tb.Cleanup(server.Close)
	w.registry = function.Connect(awsclient.Local(server.URL, region), w.clock.now)
}

// newQuickWorld is newWorld without a network in between.
func newQuickWorld(p picture) *world {
	w := emptyWorld(p)
	cfg := awsclient.Local("http://registry.invalid", region)
	cfg.HTTPClient = &http.Client{Transport: inProcess{w.journal}}
	w.registry = function.Connect(cfg, w.clock.now)
	w.registry.Sources = w.inUse
	return w
}

func emptyWorld(p picture) *world {
	w := &world{clock: &clock{t: noon}, names: map[string]string{}, sources: []*source{{name: "ecs"}}}
	w.server = fakeecr.New(fakeecr.WithClock(w.clock.now))
	w.server.ExcludePulls(true)
	w.journal = &journal{next: w.server}
	p.put(w.server, noon)
	for _, r := range p {
		for _, im := range r.images {
			for _, name := range append(im.children, im.name, im.subject) {
				w.names[digestOf(name)] = name
			}
		}
	}
	return w
}

func (w *world) inUse(config.Config) []inuse.Source {
	sources := make([]inuse.Source, len(w.sources))
	for i, s := range w.sources {
		sources[i] = s
	}
	return sources
}

// source returns the in-use source of that name, which is added when there is
// none.
func (w *world) source(name string) *source {
	for _, s := range w.sources {
		if s.name == name {
			return s
		}
	}
	w.sources = append(w.sources, &source{name: name})
	return w.sources[len(w.sources)-1]
}

// A source is an in-use source whose answer is set.
type source struct {
	name string

	mu    sync.Mutex
	uses  []inuse.Use
	err   error
	asked int
}

func (s *source) Name() string { return s.name }

func (s *source) Uses(context.Context) iter.Seq2[inuse.Use, error] {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	uses, err := slices.Clone(s.uses), s.err
	return func(yield func(inuse.Use, error) bool) {
		for _, use := range uses {
			if !yield(use, nil) {
				return
			}
		}
		if err != nil {
			yield(inuse.Use{}, err)
		}
	}
}

// answer sets what the source names: one use on each line, "BY REFERENCE",
// where the reference has no host when it is to the registry of the world, and
// @NAME for the digest of an image.
func (s *source) answer(tb testing.TB, text string) {
	tb.Helper()
	var uses []inuse.Use
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		ref, err := reference.Parse(spell(words[1]))
		if err != nil {
			tb.Fatal(err)
		}
		uses = append(uses, inuse.Use{Reference: ref, By: words[0]})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uses = uses
}

// spell writes a reference out.
func spell(text string) string {
	image, name, digest := strings.Cut(text, "@")
	if !strings.Contains(image, ".") {
		image = host + "/" + image
	}
	if !digest {
		return image
	}
	return image + "@" + digestOf(name)
}

// runner returns a runner that plans with the configuration.
func (w *world) runner(tb testing.TB, text string) cleaner.Runner {
	tb.Helper()
	c, problems := config.Parse([]byte(text))
	if err := problems.Err(); err != nil {
		tb.Fatalf("configuration %s: %v", text, err)
	}
	hash, err := c.Hash()
	if err != nil {
		tb.Fatal(err)
	}
	r := w.registry.Runner(c, w.clock.now)
	r.ConfigurationHash, r.RunID, r.Log, r.MaxPlanAge = hash, "run", slog.New(slog.DiscardHandler), day
	return r
}

// plan plans with the configuration, apply applies it.
func (w *world) plan(tb testing.TB, configuration string) cleaner.Report {
	tb.Helper()
	r := w.runner(tb, configuration)
	return run(tb, &r)
}

func (w *world) apply(tb testing.TB, configuration string) cleaner.Report {
	tb.Helper()
	r := w.runner(tb, configuration)
	r.Remover = w.registry.Remover
	return run(tb, &r)
}

func run(tb testing.TB, r *cleaner.Runner) cleaner.Report {
	tb.Helper()
	report, err := r.Run(tb.Context())
	if err != nil {
		tb.Fatalf("run: %v", err)
	}
	return report
}

// A journal notes the calls that pass through it.
type journal struct {
	next http.Handler

	mu     sync.Mutex
	calls  []recorded
	before func(recorded)
	lose   bool // the answer to the call under way
}

// A recorded call has the digests that it names.
type recorded struct {
	operation string
	digests   []string
	// asked and answered are when the server got the request and was done.
	asked, answered time.Time
}

func (j *journal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	call := recorded{operation: operation, asked: time.Now()}
	var in struct {
		ImageIDs []struct{ ImageDigest string } `json:"imageIds"`
		ImageID  struct{ ImageDigest string }   `json:"imageId"`
	}
	_ = json.Unmarshal(body, &in) // a form names no images
	for _, id := range append(in.ImageIDs, in.ImageID) {
		if id.ImageDigest != "" {
			call.digests = append(call.digests, id.ImageDigest)
		}
	}
	j.mu.Lock()
	place, before := len(j.calls), j.before
	j.calls = append(j.calls, call)
	j.mu.Unlock()
	if before != nil {
		before(call)
	}
	answer := httptest.NewRecorder()
	j.next.ServeHTTP(answer, r)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.calls[place].answered = time.Now()
	if j.lose {
		j.lose = false
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // the caller may have gone
}

// loseAnswer has the call that is about to be carried out answered by an error
// that says nothing.
func (j *journal) loseAnswer() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lose = true
}

// on has f called before each call.
func (j *journal) on(f func(recorded)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.before = f
}

// removals returns the removing calls, each as the names of its images.
func (w *world) removals() []string {
	var calls []string
	w.journal.mu.Lock()
	defer w.journal.mu.Unlock()
	for _, c := range w.journal.calls {
		if c.operation == "BatchDeleteImage" || c.operation == "UpdateImageStorageClass" {
			names := make([]string, len(c.digests))
			for i, digest := range c.digests {
				names[i] = w.names[digest]
			}
			slices.Sort(names)
			calls = append(calls, strings.Join(names, " "))
		}
	}
	return calls
}

// inProcess answers requests from a handler.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w.Result(), nil
}
