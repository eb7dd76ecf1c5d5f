// Package inusetest has helpers for the tests of the in-use sources. It configures clients
// of a handler that plays a service, and checks the uses and the error of a source.
package inusetest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
)

// The Region and the registry of the tests. Registry ends with a slash.
const (
	Region   = "eu-west-1"
	Registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/"
)

// Now is the time of the tests.
var Now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Digest returns a digest that is easy to tell from others.
func Digest(letter string) string { return "sha256:" + strings.Repeat(letter, 64) }

// Object is a JSON object.
type Object = map[string]any

// A Recorder counts the calls of each operation and how many run at the same time.
// Calls may end after the client has stopped waiting for them.
type Recorder struct {
	mu            sync.Mutex
	calls         map[string]int
	running, most int
}

// Begin records the beginning of a call, and returns a function that records its end.
func (r *Recorder) Begin(operation string) (end func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.calls == nil {
		r.calls = map[string]int{}
	}
	r.calls[operation]++
	r.running++
	r.most = max(r.most, r.running)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.running--
	}
}

// Count returns the number of calls of the operation.
func (r *Recorder) Count(operation string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls[operation]
}

// AtATime returns the largest number of calls that ran at a time.
func (r *Recorder) AtATime() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.most
}

// Config returns the configuration of a client of the handler, without retries.
func Config(t *testing.T, handler http.Handler) aws.Config {
	t.Helper()
	return ConfigFor(*awstest.Serve(t, handler).BaseEndpoint)
}

// ConfigFor returns the configuration of a client of the URL, without retries.
func ConfigFor(url string) aws.Config {
	cfg := awsclient.Local(url, Region)
	cfg.Retryer, cfg.APIOptions = func() aws.Retryer { return aws.NopRetryer{} }, nil
	return cfg
}

// Answer writes a JSON answer.
func Answer(w http.ResponseWriter, status int, body Object) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// shorten removes the parts that all ARNs of a service share.
var shorten = strings.NewReplacer("arn:aws:ecs:"+Region+":123456789012:", "", "arn:aws:lambda:"+Region+":123456789012:", "")

// Uses returns the uses of the source, each as "image by", both shortened, and the error
// that ended them.
func Uses(t *testing.T, source inuse.Source) ([]string, error) {
	t.Helper()
	scan := inuse.Scope{}.Run(t.Context(), []inuse.Source{source}, Now)
	lines := make([]string, len(scan.Uses))
	for i, use := range scan.Uses {
		lines[i] = strings.TrimPrefix(use.Reference.String(), Registry) + use.Problem + " " + shorten.Replace(use.By)
		if use.Runs {
			lines[i] += " runs"
		}
	}
	if len(scan.Failed) == 0 {
		return lines, nil
	}
	return lines, scan.Failed[0].Err
}

// WantUses checks that the source has exactly these uses, in any order.
func WantUses(t *testing.T, source inuse.Source, want ...string) {
	t.Helper()
	got, err := Uses(t, source)
	slices.Sort(got)
	slices.Sort(want)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got uses\n%s\nand error %v, want\n%s", strings.Join(got, "\n"), err, strings.Join(want, "\n"))
	}
}

// WantFailure checks that the source fails with all the words in its error.
func WantFailure(t *testing.T, source inuse.Source, words ...string) {
	t.Helper()
	_, err := Uses(t, source)
	awstest.ErrorContains(t, err, words...)
}
