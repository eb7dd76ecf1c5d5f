package scenario_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
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
	// clock is the registry's clock. The clock of the programs is ahead of it.
	clock   *clock
	ahead   time.Duration
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
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, r *http.Request) {
		writer.Header().Set("Date", w.clock.now().Format(http.TimeFormat)) // also of services that set none
		handler.ServeHTTP(writer, r)
	}))
	tb.Cleanup(server.Close)
	w.registry = function.Connect(awsclient.Local(server.URL, region), w.local)
}

// newQuickWorld is newWorld without a network in between.
func newQuickWorld(p picture) *world { return newSkewedWorld(p, 0) }

// newSkewedWorld is newQuickWorld with programs whose clock is ahead of the registry's.
func newSkewedWorld(p picture, ahead time.Duration) *world {
	w := emptyWorld(p)
	w.ahead = ahead
	cfg := awsclient.Local("http://registry.invalid", region)
	cfg.HTTPClient = &http.Client{Transport: inProcess{w.journal}}
	w.registry = function.Connect(cfg, w.local)
	w.registry.Sources = w.inUse
	return w
}

// local is the time by the clock of the programs.
func (w *world) local() time.Time { return w.clock.now().Add(w.ahead) }

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
	r := w.registry.Runner(c, w.local)
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
	if fault := programFault(&report); fault != "" {
		tb.Errorf("run: %s", fault)
	}
	return report
}

// programFault returns the report's finding about a fault of the program, such as
// outcomes that do not add up to the plan.
func programFault(report *cleaner.Report) string {
	for _, f := range report.Findings {
		if f.Kind == cleaner.ProgramFault {
			return f.Message
		}
	}
	return ""
}
