package function_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// A silent client gets no answer, as in a VPC without an endpoint.
type silent struct{}

func (silent) Do(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestPullExclusionIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := awsclient.Local("http://127.0.0.1:1", "eu-west-1")
		cfg.HTTPClient = silent{}
		start := time.Now()
		if function.Connect(cfg, time.Now).PullsExcluded(t.Context()) {
			t.Error("pulls are excluded, although nobody said so")
		}
		if waited := time.Since(start); waited != 5*time.Second {
			t.Errorf("waited for %v, want 5s", waited)
		}
	})
}

// Many ask at the same time; one of them is stopped, and asks for nobody else.
func TestPullExclusionIsAskedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		registry := function.Registry{PullsExcluded: func(ctx context.Context) bool {
			asked++
			select {
			case <-time.After(time.Second):
				return true
			case <-ctx.Done():
				return false
			}
		}}
		excluded := registry.Runner(config.Config{}, time.Now).PullsExcluded
		stopped, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if excluded(stopped) || time.Since(start) > 100*time.Millisecond {
					t.Errorf("who is stopped hears that pulls are excluded, or waits for %v", time.Since(start))
				}
			})
		}
		wg.Wait()
		if asked != 1 {
			t.Errorf("asked %d times for those who were stopped, want 1", asked)
		}
		for range 3 {
			wg.Go(func() {
				if !excluded(t.Context()) {
					t.Error("the answer to who was stopped was kept")
				}
			})
		}
		wg.Wait()
		if asked != 2 {
			t.Errorf("asked %d times, want 2", asked)
		}
	})
}
