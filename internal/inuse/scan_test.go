package inuse_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// A given source yields what it is given and then, unless it is nil, an error.
type given struct {
	name string
	uses []inuse.Use
	err  error
	// meet, unless it is nil, is waited for before the first use.
	meet func()
}

func (g given) Name() string { return g.name }

func (g given) Uses(context.Context) iter.Seq2[inuse.Use, error] {
	return func(yield func(inuse.Use, error) bool) {
		if g.meet != nil {
			g.meet()
		}
		for _, use := range g.uses {
			if !yield(use, nil) {
				return
			}
		}
		if g.err != nil && yield(inuse.Use{}, g.err) {
			panic("asked for more after an error")
		}
	}
}

func use(tag, by string) inuse.Use {
	return inuse.Use{Reference: reference.Reference{RegistryID: "123456789012", Region: inusetest.Region, Repository: "app", Tag: tag}, By: by}
}

// from returns the use as Run does for that source.
func from(source string, u inuse.Use) inuse.Use {
	u.Source = source
	return u
}

func TestAPanicInASourceIsItsFailure(t *testing.T) {
	t.Parallel()
	got := inuse.Scope{}.Run(t.Context(), []inuse.Source{
		given{name: "faulty", meet: func() { panic("fault") }}, given{name: "one", uses: []inuse.Use{use("a", "x")}},
	}, inusetest.Now)
	if len(got.Failed) != 1 || got.Failed[0].String() != "faulty: the program is faulty: fault; please report it" || got.Counts["one"] != 1 {
		t.Errorf("failed %v, counts %v", got.Failed, got.Counts)
	}
}

func TestRunJoinsWhatTheSourcesSay(t *testing.T) {
	t.Parallel()
	failure := errors.New("not today")
	got := inuse.Scope{}.Run(t.Context(), []inuse.Source{
		given{name: "one", uses: []inuse.Use{use("b", "x"), use("a", "y"), use("a", "x"), use("b", "x")}},
		given{name: "fails", uses: []inuse.Use{use("c", "z")}, err: failure},
		given{name: "none"},
		given{name: "two", uses: []inuse.Use{use("a", "x")}},
		given{name: "two", uses: []inuse.Use{use("d", "x")}},
	}, inusetest.Now)
	want := inuse.Scan{
		At: inusetest.Now,
		Uses: []inuse.Use{
			from("one", use("a", "x")), from("two", use("a", "x")), from("one", use("a", "y")),
			from("one", use("b", "x")), from("fails", use("c", "z")), from("two", use("d", "x")),
		},
		Failed: []inuse.Failure{{Source: "fails", Err: failure}},
		Counts: map[string]int{"one": 3, "none": 0, "two": 2}, Elsewhere: map[string]int{},
	}
	awstest.Equal(t, "Run", want, got, cmp.Comparer(errors.Is))
	awstest.Equal(t, "failure", "fails: not today", got.Failed[0].String())
}

// A source that fails for some accounts has a failure for each, and one for all at "".
func TestRunTellsTheFailuresOfAccountsApart(t *testing.T) {
	t.Parallel()
	one, two := errors.New("one"), errors.New("two")
	for want, err := range map[string]error{
		`"": s: one; "2": s: two, counted false`: inuse.AccountsError{"2": two, "": one},
		`"1": s: one, counted true`:              fmt.Errorf("all: %w", inuse.AccountsError{"1": one}),
		`"": s: , counted false`:                 inuse.AccountsError{},
	} {
		got := inuse.Scope{}.Run(t.Context(), []inuse.Source{given{name: "s", err: err}}, inusetest.Now)
		texts := make([]string, len(got.Failed))
		for i, f := range got.Failed {
			texts[i] = fmt.Sprintf("%q: %s", f.Account, f)
		}
		_, counted := got.Counts["s"]
		awstest.Equal(t, "failures", want, fmt.Sprintf("%s, counted %t", strings.Join(texts, "; "), counted))
	}
	awstest.Equal(t, "error", "one; two", inuse.AccountsError{"2": two, "": one}.Error())
}

func TestRunOfNoSourcesIsEmpty(t *testing.T) {
	t.Parallel()
	got := inuse.Scope{}.Run(t.Context(), nil, inusetest.Now)
	if len(got.Uses) != 0 || len(got.Failed) != 0 || !maps.Equal(got.Counts, map[string]int{}) {
		t.Errorf("got %v", got)
	}
}

// The sources meet: each waits for the other.
func TestRunAsksAllAtTheSameTime(t *testing.T) {
	t.Parallel()
	here, there := make(chan bool), make(chan bool)
	got := inuse.Scope{}.Run(t.Context(), []inuse.Source{
		given{name: "here", meet: func() { here <- true; <-there }},
		given{name: "there", meet: func() { <-here; there <- true }},
	}, inusetest.Now)
	awstest.Equal(t, "sources with counts", 2, len(got.Counts))
}

// Of many sources, the first are queried first, and 48 at the same time.
func TestRunBoundsTheNumberOfSources(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var running, most, begun atomic.Int64
		sources := make([]inuse.Source, 100)
		for i := range sources {
			sources[i] = given{name: fmt.Sprint(i), meet: func() {
				if n := begun.Add(1); (n <= 48) != (i < 48) {
					t.Errorf("source %d was the %dth to begin", i, n)
				}
				most.Store(max(most.Load(), running.Add(1)))
				time.Sleep(time.Second) // until all others have begun that may
				running.Add(-1)
			}}
		}
		start := time.Now()
		got := inuse.Scope{}.Run(t.Context(), sources, inusetest.Now)
		awstest.Equal(t, "sources with counts", 100, len(got.Counts))
		awstest.Equal(t, "sources at the same time", 48, int(most.Load()))
		awstest.Equal(t, "time", 3*time.Second, time.Since(start))
	})
}

func TestAScopeKeepsWhatMayBeOfTheRegistry(t *testing.T) {
	t.Parallel()
	ref := func(text string) inuse.Use {
		r, err := reference.ParseAny(text)
		awstest.NoError(t, err)
		return inuse.Use{Reference: r, By: "x", Source: "s"}
	}
	here, far := ref(inusetest.Registry+"app:v1"), ref("123456789012.dkr.ecr.us-east-1.amazonaws.com/app:v1")
	proxy, anywhere := ref("proxy.example.com/app:v1"), inuse.Use{Reference: reference.Reference{Digest: inusetest.Digest("a")}, By: "x", Source: "s"}
	unknown := inuse.Use{By: "x", Source: "s", Problem: "no name"} // is not counted
	source := given{name: "s", uses: []inuse.Use{here, far, far, proxy, ref("mirror.example.com/app:v2"), ref("far.example.com/app:v3"), anywhere, unknown}}
	got := inuse.Scope{Region: inusetest.Region, Aliases: reference.Aliases{
		"mirror.example.com": {ID: "123456789012", Region: inusetest.Region}, "far.example.com": {ID: "123456789012", Region: "us-east-1"},
	}}.Run(t.Context(), []inuse.Source{source, given{name: "none"}}, inusetest.Now)
	want := inuse.Scan{
		At: inusetest.Now, Uses: []inuse.Use{unknown, anywhere, proxy, here, ref(inusetest.Registry + "app:v2")},
		Counts: map[string]int{"s": 6, "none": 0}, Elsewhere: map[string]int{"s": 1},
	}
	awstest.Equal(t, "scan", want, got)
}

// The image and its recorded digest may be different manifests; then both are in use.
func TestACollectorAddsTheImageAndItsDigest(t *testing.T) {
	t.Parallel()
	a, b := inusetest.Digest("a"), inusetest.Digest("b")
	for _, c := range []struct{ image, digest, want string }{
		{"app:v1", "", "app:v1 runs"},
		{"app:v1", a, "app:v1@" + a + " runs"},
		{"app@" + a, "", "app@" + a},
		{"app@" + a, a, "app@" + a},
		{"app@" + a, b, "app@" + b + ", app@" + a},
		{"", b, "@" + b + " runs"},
		{"", "", "error"},
		{"app:v1", "sha256:a", "error"},
		{"two words", a, "error"},
	} {
		var got []string
		for use, err := range inuse.Collect(func(to *inuse.Collector) error { return to.Add(c.image, c.digest, inuse.Use{By: "x", Runs: true}) }) {
			text := use.Reference.String()
			if use.Runs {
				text += " runs"
			}
			if err != nil {
				text = "error"
			}
			got = append(got, text)
		}
		awstest.Equal(t, fmt.Sprintf("%q and %q", c.image, c.digest), c.want, strings.Join(got, ", "))
	}
}

type repetitive struct{ given }

func (repetitive) MaxUses() int { return 1 }

// A use that protects more, or only for some time, is no repetition of a plain use.
func TestOnlyPlainUsesAreRepetitions(t *testing.T) {
	t.Parallel()
	all, family, idle, found := use("a", "x"), use("a", "x"), use("a", "x"), use("a", "x")
	all.AllImages, family.Family, found.Finding.Kind = true, "f", finding.ManagedRuntime
	idle.Family, idle.LastActivity = "f", inusetest.Now
	got := inuse.Scope{}.Run(t.Context(), []inuse.Source{repetitive{given{
		name: "s", uses: []inuse.Use{found, idle, family, use("a", "x"), use("a", "y"), all, all},
	}}}, inusetest.Now)
	want := []inuse.Use{from("s", found), from("s", family), from("s", idle), from("s", use("a", "x")), from("s", all)}
	if diff := cmp.Diff(inuse.Distinct(want), got.Uses); diff != "" {
		t.Errorf("uses (-want +got):\n%s", diff)
	}
}

// Each account that uses an image has a use of it: if its part of the source fails, the use
// is all that is known of it.
func TestAUseByAnotherAccountIsNoRepetition(t *testing.T) {
	t.Parallel()
	one, two := use("a", "x"), use("a", "y")
	one.Account, two.Account = "222222222222", "333333333333"
	got := inuse.Scope{}.Run(t.Context(), []inuse.Source{repetitive{given{name: "s", uses: []inuse.Use{one, one, two}}}}, inusetest.Now)
	awstest.Equal(t, "uses", []inuse.Use{from("s", one), from("s", two)}, got.Uses)
}

// The texts of a use are parts of a service's answer, which is much larger.
func TestAScanKeepsNoAnswersInMemory(t *testing.T) { //nolint:paralleltest // measures the memory of the process
	before := heap()
	const answers, size = 64, 1 << 20
	uses := make([]inuse.Use, answers)
	for i := range uses {
		answer := fmt.Sprintf("task/%d app v1 %s", i, strings.Repeat(" ", size))
		texts := strings.Fields(answer)
		uses[i] = inuse.Use{By: texts[0], Reference: reference.Reference{Host: "example.com", Repository: texts[1], Tag: texts[2]}}
	}
	scan := inuse.Scope{}.Run(t.Context(), []inuse.Source{given{name: "one", uses: uses}}, inusetest.Now)
	clear(uses)
	if kept := heap() - before; kept > answers*size/4 {
		t.Errorf("%d uses keep %d bytes", len(scan.Uses), kept)
	}
	awstest.Equal(t, "uses", answers, len(scan.Uses))
}

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

type lister struct{ given }

func (lister) Listed() (accounts []string, organization string) {
	return []string{"222222222222"}, "o-ours"
}

// What a source knows about lists is in the scan, unless the source failed.
func TestAScanKnowsWhichAccountsHaveAList(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		source inuse.Source
		listed int
	}{
		"a lister":            {lister{given{name: "fleet"}}, 1},
		"a lister that fails": {lister{given{name: "fleet", err: errors.New("denied")}}, 0},
		"another source":      {given{name: "ecs"}, 0},
	} {
		scan := inuse.Scope{}.Run(t.Context(), []inuse.Source{given{name: "s3://b/l"}, want.source}, time.Now())
		if len(scan.Listed) != want.listed || (scan.Organization == "o-ours") != (want.listed > 0) {
			t.Errorf("%s: listed %q in %q", name, scan.Listed, scan.Organization)
		}
	}
}
