package scenario_test

import (
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

const (
	account = "123456789012"
	region  = awstest.Region
	host    = account + ".dkr.ecr." + region + ".amazonaws.com"
)

var errDown = errors.New("the service is down")

var noon = awstest.Now

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

// A fixture is a registry, the in-use sources and the clocks.
type fixture struct {
	// clock is the registry's clock. The clock of the programs is ahead of it.
	clock   *clock
	ahead   time.Duration
	server  *fakeecr.Server
	journal *journal
	// sources answer the in-use scan.
	sources []*source
	// registry is connected to the server as the programs connect to ECR.
	registry function.Registry
	names    map[string]string // by digest
}

// newFixture returns a fixture with the registry of the picture, behind HTTP. Its only
// in-use source is "ecs", which has no uses, and the role is a pull-time exclusion.
func newFixture(tb testing.TB, p picture) *fixture {
	tb.Helper()
	f := emptyFixture(p)
	f.connect(tb, f.journal)
	f.registry.Sources = f.inUse
	return f
}

// connect serves the handler over HTTP and connects the programs' registry to it. The
// in-use sources are the programs' own.
func (f *fixture) connect(tb testing.TB, handler http.Handler) {
	tb.Helper()
	cfg := awstest.Serve(tb, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", f.clock.now().Format(http.TimeFormat)) // also of services that set none
		handler.ServeHTTP(w, r)
	}))
	f.registry = function.Connect(cfg, f.local)
}

// newQuickFixture is newFixture without a network.
func newQuickFixture(p picture) *fixture { return newSkewedFixture(p, 0) }

// newSkewedFixture is newQuickFixture with programs whose clock is ahead of the registry's.
func newSkewedFixture(p picture, ahead time.Duration) *fixture {
	f := emptyFixture(p)
	f.ahead = ahead
	f.connectOver(awstest.InProcess(f.journal), function.DefaultConcurrency)
	return f
}

// connectOver connects the programs' registry over the transport, without a network, and
// to the in-use sources of the fixture.
func (f *fixture) connectOver(transport http.RoundTripper, limits pace.Limits) {
	f.registry = function.ConnectAt(awstest.Offline(&http.Client{Transport: transport}), limits, f.local)
	f.registry.Sources = f.inUse
}

// local returns the time of the programs' clock.
func (f *fixture) local() time.Time { return f.clock.now().Add(f.ahead) }

func emptyFixture(p picture) *fixture {
	f := &fixture{clock: &clock{t: noon}, names: map[string]string{}, sources: []*source{{name: "ecs"}}}
	f.server = fakeecr.New(fakeecr.WithClock(f.clock.now))
	f.server.ExcludePulls(true)
	f.journal = &journal{next: f.server}
	p.put(f.server, noon)
	for _, r := range p {
		for _, im := range r.images {
			for _, name := range append(im.children, im.name, im.subject) {
				f.names[digestOf(name)] = name
			}
		}
	}
	return f
}

func (f *fixture) inUse(c config.Config, _ string) []inuse.Source {
	for _, name := range c.InUse().Sources() {
		f.source(name)
	}
	sources := make([]inuse.Source, len(f.sources))
	for i, s := range f.sources {
		sources[i] = s
	}
	return sources
}

// source returns the in-use source of that name. It adds the source if there is none.
func (f *fixture) source(name string) *source {
	for _, s := range f.sources {
		if s.name == name {
			return s
		}
	}
	f.sources = append(f.sources, &source{name: name})
	return f.sources[len(f.sources)-1]
}

// runner returns a runner that plans with the configuration.
func (f *fixture) runner(tb testing.TB, text string) cleaner.Runner {
	tb.Helper()
	c, problems := config.Parse([]byte(text))
	awstest.NoError(tb, problems.Err())
	hash, err := c.Hash()
	awstest.NoError(tb, err)
	r := f.registry.Runner(c, f.local)
	r.ConfigurationHash, r.RunID, r.Log, r.MaxPlanAge = hash, "run", slog.New(slog.DiscardHandler), day
	return r
}

// plan plans with the configuration, apply applies it.
func (f *fixture) plan(tb testing.TB, configuration string) report.Report {
	tb.Helper()
	r := f.runner(tb, configuration)
	return run(tb, &r)
}

func (f *fixture) apply(tb testing.TB, configuration string) report.Report {
	tb.Helper()
	r := f.runner(tb, configuration)
	r.Remover = f.registry.Remover
	return run(tb, &r)
}

// applySaved applies a saved plan.
func (f *fixture) applySaved(tb testing.TB, configuration string, saved *report.Report) report.Report {
	tb.Helper()
	r := f.runner(tb, configuration)
	r.Remover, r.Saved = f.registry.Remover, saved
	return run(tb, &r)
}

func run(tb testing.TB, r *cleaner.Runner) report.Report {
	tb.Helper()
	report, err := r.Run(tb.Context())
	awstest.NoError(tb, err)
	if fault := programFault(&report); fault != "" {
		tb.Errorf("run: %s", fault)
	}
	return report
}

// programFault returns the finding about a fault of the program, such as outcomes whose
// sum is not the plan.
func programFault(report *report.Report) string {
	for _, f := range report.Findings {
		if f.Kind == finding.ProgramFault {
			return f.Message
		}
	}
	return ""
}
