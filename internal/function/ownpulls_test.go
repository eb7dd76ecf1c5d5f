package function_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// A silent client gets no answer, as in a VPC without an endpoint.
type silent struct{}

func (silent) Do(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestOwnPullsAreNotWaitedForWithoutEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := awsclient.Local("http://127.0.0.1:1", "eu-west-1")
		cfg.HTTPClient = silent{}
		start := time.Now()
		if got := function.Connect(cfg, time.Now).OwnPulls(t.Context()); got.Excluded || got.Err == nil {
			t.Errorf("%+v, although nobody answered", got)
		}
		if waited := time.Since(start); waited > time.Minute {
			t.Errorf("waited for %v", waited)
		}
	})
}
