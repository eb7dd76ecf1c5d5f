package ecrapi_test

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// connect returns a client of the server behind the handler. It tries each
// call three times without a pause.
func connect(t *testing.T, handler http.Handler) (ecrapi.Client, *ecrapi.Calls) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	cfg := awsclient.Local(server.URL, "eu-west-1")
	cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}
	return ecrapi.Connect(cfg)
}

// start returns a registry with the repository "app" and a client of it.
func start(t *testing.T) (*fakeecr.Server, ecrapi.Client, *ecrapi.Calls) {
	t.Helper()
	registry := fakeecr.New(fakeecr.WithClock(func() time.Time { return now }))
	registry.CreateRepository("app")
	client, calls := connect(t, registry)
	return registry, client, calls
}

// digest returns a digest that sorts by n.
func digest(n int) string { return fmt.Sprintf("sha256:%064x", n) }

// put stores n images, pushed one second after the other.
func put(registry *fakeecr.Server, n int) []string {
	digests := make([]string, n)
	for i := range digests {
		digests[i] = registry.Put("app", fakeecr.Image{Digest: digest(i), PushedAt: now.Add(time.Duration(i) * time.Second)})
	}
	return digests
}

// collect returns the items of a sequence before its first error.
func collect[T any](t *testing.T, sequence iter.Seq2[T, error]) ([]T, error) {
	t.Helper()
	var items []T
	var failed error
	for item, err := range sequence {
		switch {
		case failed != nil:
			t.Error("the sequence continues after an error")
		case err != nil:
			failed = err
		default:
			items = append(items, item)
		}
	}
	return items, failed
}

// each returns the items of pages.
func each[T any](pages iter.Seq2[[]T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for page, err := range pages {
			for _, item := range page {
				if !yield(item, nil) {
					return
				}
			}
			var none T
			if err != nil && !yield(none, err) {
				return
			}
		}
	}
}

// canned answers each operation with what its function makes of the page
// token, for answers that no sane registry gives.
type canned map[string]func(token string) string

func (c canned) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		NextToken string `json:"nextToken"`
	}
	body, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(body, &in)
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_, _ = io.WriteString(w, c[operation](in.NextToken))
}

// images answers DescribeImages with one page of these image details.
func images(details ...string) canned {
	return canned{"DescribeImages": func(string) string {
		return `{"imageDetails": [` + strings.Join(details, ", ") + `]}`
	}}
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want one with %q", err, want)
	}
}
