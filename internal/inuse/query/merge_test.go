package query_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// three yields an item three times, and then its error.
func three(failures map[string]error) func(context.Context, string) iter.Seq2[string, error] {
	return func(_ context.Context, item string) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			for range 3 {
				if !yield(item, nil) {
					return
				}
			}
			if err := failures[item]; err != nil {
				yield("", err)
			}
		}
	}
}

func TestMergeYieldsTheResultsOfAllItems(t *testing.T) {
	t.Parallel()
	one, two := errors.New("one"), errors.New("two")
	for want, failures := range map[string]map[string]error{
		"": nil, "one": {"b": one}, "one; two": {"a": one, "c": two},
	} {
		var got []string
		var failed error
		for item, err := range query.Merge(t.Context(), 2, []string{"a", "b", "c"}, three(failures)) {
			if err != nil {
				failed = err
				continue
			}
			if failed != nil {
				t.Error("an error is not the last")
			}
			got = append(got, item)
		}
		slices.Sort(got)
		awstest.Equal(t, "results", []string{"a", "a", "a", "b", "b", "b", "c", "c", "c"}, got)
		if failed == nil && want != "" || failed != nil && failed.Error() != want {
			t.Errorf("got error %v, want %q", failed, want)
		}
		for _, err := range failures {
			awstest.ErrorIs(t, "the joined error", failed, err)
		}
	}
}

func TestMergeOfNoItemsIsEmpty(t *testing.T) {
	t.Parallel()
	for item, err := range query.Merge(t.Context(), 2, nil, three(nil)) {
		t.Errorf("got %v, %v", item, err)
	}
}

// Two items at a time wait for each other; a third one never runs with them.
func TestMergeBoundsTheItemsAtATime(t *testing.T) {
	t.Parallel()
	var running, most atomic.Int64
	meet := make(chan struct{})
	for _, err := range query.Merge(t.Context(), 2, []string{"a", "b", "c", "d"}, func(context.Context, string) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			select {
			case meet <- struct{}{}:
			case <-meet:
			}
			yield("x", nil)
		}
	}) {
		awstest.NoError(t, err)
	}
	awstest.Equal(t, "most items at a time", int64(2), most.Load())
}

// A caller that stops ends the sequences through their context, and waits for them.
func TestMergeEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	var ended atomic.Int64
	for _, err := range query.Merge(t.Context(), 3, []string{"a", "b", "c"}, func(ctx context.Context, item string) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			defer ended.Add(1)
			if item == "a" && yield(item, nil) {
				<-ctx.Done()
				yield("", ctx.Err())
			}
			<-ctx.Done()
		}
	}) {
		awstest.NoError(t, err)
		break
	}
	awstest.Equal(t, "sequences that have ended", int64(3), ended.Load())
}
