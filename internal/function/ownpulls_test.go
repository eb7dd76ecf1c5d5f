package function_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// A silent client gets no answer, as in a VPC without an endpoint.
var silent = awstest.Client(func(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
})

func TestOwnPullsAreNotWaitedForWithoutEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if got := function.Connect(awstest.Offline(silent), time.Now).OwnPulls(t.Context()); got.Excluded || got.Err == nil {
			t.Errorf("%+v, although nobody answered", got)
		}
		if waited := time.Since(start); waited > time.Minute {
			t.Errorf("waited for %v", waited)
		}
	})
}
