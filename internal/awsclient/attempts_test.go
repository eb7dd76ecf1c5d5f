package awsclient_test

import (
	"slices"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// Each attempt counts, of clients of the SDK and of calls without them.
func TestAttemptsAreCounted(t *testing.T) {
	t.Parallel()
	eachService(t, "", func(t serviceTest) {
		cfg, _ := scripted(slices.Concat(times(20, throttled), times(3, serverDown), []end{listed})...)
		attempts := awsclient.CountAttempts(&cfg)
		awstest.NoError(t, t.call(t.Context(), cfg))
		all, throttled := attempts.Counts()
		awstest.Equal(t, "attempts, throttled", [2]int{24, 20}, [2]int{all, throttled})
	})
}
