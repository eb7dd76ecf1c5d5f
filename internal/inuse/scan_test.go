package inuse_test

import (
	"context"
	"errors"
	"iter"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	return inuse.Use{Reference: reference.Reference{RegistryID: "123456789012", Region: region, Repository: "app", Tag: tag}, By: by}
}

// from returns the use as Run does for that source.
func from(source string, u inuse.Use) inuse.Use {
	u.Source = source
	return u
}

// A fault in one source is its failure, so that what relies on it stays.
func TestAPanicInASourceIsItsFailure(t *testing.T) {
	t.Parallel()
	got := inuse.Scope{}.Run(t.Context(), []inuse.Source{
		given{name: "faulty", meet: func() { panic("fault") }}, given{name: "one", uses: []inuse.Use{use("a", "x")}},
	}, now)
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
	}, now)
	want := inuse.Scan{
		At: now,
		Uses: []inuse.Use{
			from("one", use("a", "x")), from("two", use("a", "x")), from("one", use("a", "y")),
			from("one", use("b", "x")), from("fails", use("c", "z")), from("two", use("d", "x")),
		},
		Failed: []inuse.Failure{{Source: "fails", Err: failure}},
		Counts: map[string]int{"one": 3, "none": 0, "two": 2}, Elsewhere: map[string]int{},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(errors.Is)); diff != "" {
		t.Errorf("Run mismatch (-want +got):\n%s", diff)
	}
	if text := got.Failed[0].String(); text != "fails: not today" {
		t.Errorf("got failure %q", text)
	}
}

func TestRunOfNoSourcesIsEmpty(t *testing.T) {
	t.Parallel()
	got := inuse.Scope{}.Run(t.Context(), nil, now)
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
	}, now)
	if len(got.Counts) != 2 {
		t.Errorf("got %v", got)
	}
}

func TestASourceCanBeLeftEarly(t *testing.T) {
	t.Parallel()
	for use, err := range deployed().source(t, 5).Uses(t.Context()) {
		if err != nil || use.Reference.Repository != "app" {
			t.Errorf("got %v, %v first", use, err)
		}
		break
	}
}
