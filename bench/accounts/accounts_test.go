package accounts_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/bench"
	"github.com/ecr-cleaner/ecr-cleaner/bench/accounts"
	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

var scale = accounts.Scale{
	Size: bench.Size{Repositories: 1, Images: 1000, Small: 8}, Accounts: 4, Regions: 2, Denied: 1, Throttled: 5,
}

// plan handles an event in mode plan. It returns the report, and reads the log.
func plan(t *testing.T, address, configuration string) (*report.Report, accounts.Outcome) {
	t.Helper()
	var log bytes.Buffer
	h := function.Handler{
		Configuration: configuration, Read: function.SourceReader("", "", time.Now),
		Connect: func(context.Context) (function.Registry, error) {
			return function.Connect(awsclient.Local(address, accounts.Region), time.Now), nil
		},
		Now: time.Now, RunID: func(context.Context) string { return "run" }, Log: function.NewLog(&log),
	}
	r, err := h.Handle(t.Context(), json.RawMessage(`{"mode": "plan"}`))
	awstest.NoError(t, err)
	outcome, err := accounts.ReadLog(log.Bytes())
	awstest.NoError(t, err)
	return r, outcome
}

// This is the measurement with few accounts. Images that are in use, or that a denied account
// may use, are not marked. All others are.
func TestAPlanWithOtherAccounts(t *testing.T) {
	t.Parallel()
	s := accounts.NewServer(scale, time.Millisecond, time.Now())
	address := httptest.NewServer(s)
	defer address.Close()
	policy := bench.Policy(scale.Images, bench.Some)
	_, without := plan(t, address.URL, bench.Configuration(policy))
	r, with := plan(t, address.URL, scale.Configuration(policy, accounts.Services...))
	awstest.NoError(t, scale.Check(without, with, accounts.Services...))
	awstest.Equal(t, "incomplete", true, r.Incomplete)
	stats := s.AccountStats()
	awstest.Equal(t, "places", scale.Places()-scale.Denied*scale.Regions+1, stats.Places)
}
