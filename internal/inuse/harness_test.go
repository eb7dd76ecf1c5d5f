package inuse_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
)

const (
	region   = "eu-west-1"
	registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// sha returns a digest that is easy to tell from others.
func sha(letter string) string { return "sha256:" + strings.Repeat(letter, 64) }

// object is a JSON object.
type object = map[string]any

// A fault is an answer that is an error.
type fault struct {
	status        int
	code, message string
}

// A recorder counts the calls of each operation and how many run at a time.
// Calls may still come to their end after the client has given them up.
type recorder struct {
	mu            sync.Mutex
	calls         map[string]int
	running, most int
}

func (r *recorder) begin(operation string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.calls == nil {
		r.calls = map[string]int{}
	}
	r.calls[operation]++
	r.running++
	r.most = max(r.most, r.running)
}

func (r *recorder) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running--
}

// count returns the number of calls of the operation.
func (r *recorder) count(operation string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls[operation]
}

// atATime returns the largest number of calls that ran at a time.
func (r *recorder) atATime() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.most
}

// config leads a client to the handler, without retries.
func config(t *testing.T, handler http.Handler) aws.Config {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return configFor(server.URL)
}

func configFor(url string) aws.Config {
	return aws.Config{
		Region:       region,
		BaseEndpoint: &url,
		HTTPClient:   &http.Client{Transport: copyBody{http.DefaultTransport}},
		Retryer:      func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET"}, nil
		}),
	}
}

// copyBody keeps the request body out of the reach of the SDK, which closes it
// while net/http may still read it.
type copyBody struct{ next http.RoundTripper }

func (c copyBody) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return c.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return c.next.RoundTrip(r)
}

// answer writes a JSON answer.
func answer(w http.ResponseWriter, status int, body object) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// shorten leaves of an ARN what tells it from others.
var shorten = strings.NewReplacer("arn:aws:ecs:"+region+":123456789012:", "", "arn:aws:lambda:"+region+":123456789012:", "")

// uses returns what the source names, each as "image by", both shortened, and the error that ended it.
func uses(t *testing.T, source inuse.Source) ([]string, error) {
	t.Helper()
	scan := inuse.Scope{}.Run(t.Context(), []inuse.Source{source}, now)
	lines := make([]string, len(scan.Uses))
	for i, use := range scan.Uses {
		lines[i] = strings.TrimPrefix(use.Reference.String(), registry) + use.Problem + " " + shorten.Replace(use.By)
		if use.Runs {
			lines[i] += " runs"
		}
	}
	if len(scan.Failed) == 0 {
		return lines, nil
	}
	return lines, scan.Failed[0].Err
}

// wantUses checks that the source names exactly these, in any order.
func wantUses(t *testing.T, source inuse.Source, want ...string) {
	t.Helper()
	got, err := uses(t, source)
	slices.Sort(got)
	slices.Sort(want)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got uses\n%s\nand error %v, want\n%s", strings.Join(got, "\n"), err, strings.Join(want, "\n"))
	}
}

// wantFailure checks that the source fails with all the words in its error.
func wantFailure(t *testing.T, source inuse.Source, words ...string) {
	t.Helper()
	_, err := uses(t, source)
	if err == nil {
		t.Errorf("got no error, want one with %q", words)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("got error %q, want %q in it", err, word)
		}
	}
}
