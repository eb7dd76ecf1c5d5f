package scenario_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// many returns a registry with n old images in one repository.
func many(t *testing.T, n int) *fixture {
	t.Helper()
	f := newFixture(t, draw("repository app"))
	for i := range n {
		f.server.Put("app", fakeecr.Image{Digest: digestOf(fmt.Sprint(i)), PushedAt: noon.Add(-90 * day)})
	}
	return f
}

func TestPitfall07ListingCutShort(t *testing.T) {
	t.Parallel()
	f := many(t, 1001)
	f.onceBefore(second("DescribeImages"), func() { f.server.Fail("DescribeImages", "app", "AccessDeniedException") })
	report := f.apply(t, configuration("expire any count>1", "", ""))
	sameLines(t, "skipped", skips(&report), "app: failed: describe images in app: …")
	if n := len(f.server.Images("app")); n != 1001 || !report.Incomplete {
		t.Errorf("%d of 1001 images left, incomplete %v", n, report.Incomplete)
	}
}

func TestPitfall08DeletingWhilePaginating(t *testing.T) {
	t.Parallel()
	f := many(t, 2500)
	report := f.apply(t, configuration("expire any pushed>30", "", `"limits": {"maxDeletionsPerRepository": 2500}`))
	if n := len(f.server.Images("app")); n != 0 || report.Totals.Deleted != 2500 {
		t.Errorf("%d images left, %d deleted", n, report.Totals.Deleted)
	}
	lastPage, firstDelete := -1, -1
	for i, c := range f.journal.calls {
		switch {
		case c.operation == "DescribeImages" && len(c.digests) == 0:
			lastPage = i
		case c.operation == "BatchDeleteImage" && firstDelete < 0:
			firstDelete = i
		}
		if len(c.digests) > 100 {
			t.Errorf("call %d, %s, has %d ids", i, c.operation, len(c.digests))
		}
	}
	if firstDelete < lastPage {
		t.Errorf("call %d deletes, call %d still lists", firstDelete, lastPage)
	}
}

// A configuration and an event without a mode remove nothing.
func TestPitfall13DangerousDefaults(t *testing.T) {
	t.Parallel()
	const words = "expire any pushed>30"
	type test struct {
		configuration, event string
		removes              bool
	}
	awstest.Each(t, map[string]test{
		"nothing said":     {"{}", "{}", false},
		"a policy":         {configuration(words, "", ""), "{}", false},
		"an empty event":   {configuration(words, "", ""), "null", false},
		"plan said":        {configuration(words, "", `"mode": "apply"`), `{"mode": "plan"}`, false},
		"apply configured": {configuration(words, "", `"mode": "apply"`), "{}", true},
		"apply said":       {configuration(words, "", ""), `{"mode": "apply"}`, true},
	}, func(t *testing.T, c test) {
		f := newFixture(t, draw("repository app expire any pushed>30\n old 90d #v1"))
		h := function.Handler{
			Configuration: c.configuration, Now: f.clock.now, Log: slog.New(slog.DiscardHandler),
			Connect: func(context.Context) (function.Registry, error) { return f.registry, nil },
			RunID:   func(context.Context) string { return "run" },
		}
		_, err := h.Handle(t.Context(), json.RawMessage(c.event))
		awstest.Equal(t, fmt.Sprintf("removed (error %v)", err), c.removes, len(f.left("app")) == 0)
		if calls := f.removals(); !c.removes && len(calls) > 0 {
			t.Errorf("removing calls: %v", calls)
		}
	})
}

// The order of calls: indexes, then the images that follow them, then the others.
func TestOrderOfCalls(t *testing.T) {
	t.Parallel()
	type test struct {
		picture string
		want    []string
	}
	awstest.Each(t, map[string]test{
		"an index, what follows it and others": {`
			a     91d
			b     91d
			dead  90d >a,b #v1
			sig   80d ^dead
			plain 70d #v0
			note  60d ^plain`, []string{"dead", "a b sig", "plain", "note"}},
		"an index of indexes": {`
			a   93d
			b   93d
			sub 92d >a
			top 90d >sub,b #v1`, []string{"top", "sub", "b", "a"}},
		"two indexes in one call": {`
			a   93d
			one 92d >a #v1
			two 90d >a #v2`, []string{"one two", "a"}},
	}, func(t *testing.T, c test) {
		f := newFixture(t, draw(c.picture))
		f.apply(t, configuration("expire v* pushed>1", "", ""))
		awstest.Equal(t, "removing calls", c.want, f.removals())
		awstest.Empty(t, "left", f.left("app"))
	})
}
