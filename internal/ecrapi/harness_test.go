package ecrapi_test

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

var (
	now    = awstest.Now
	digest = awstest.Digest
)

// connect returns a client of the server behind the handler. It tries each
// call three times without a pause.
func connect(t *testing.T, handler http.Handler) (ecrapi.Client, *ecrapi.Calls) {
	t.Helper()
	return ecrapi.Connect(awstest.Attempts(awstest.Serve(t, handler), 3))
}

// start returns a registry with the repository "app" and a client of it.
func start(t *testing.T) (*fakeecr.Server, ecrapi.Client, *ecrapi.Calls) {
	t.Helper()
	registry, cfg := awstest.Registry(t)
	client, calls := ecrapi.Connect(awstest.Attempts(cfg, 3))
	return registry, client, calls
}

// put stores n images, each pushed one second after the one before.
func put(registry *fakeecr.Server, n int) []string {
	digests := make([]string, n)
	for i := range digests {
		digests[i] = registry.Put("app", fakeecr.Image{Digest: digest(i), PushedAt: now.Add(time.Duration(i) * time.Second)})
	}
	return digests
}

// collect returns the items of a sequence up to its first error.
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

// canned answers each operation with the text of its function for the page token, for
// answers that a correct registry does not give.
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

// api returns the SDK's client with those answers. It tries each call once.
func api(answers awstest.Client) *ecr.Client {
	return ecr.NewFromConfig(awstest.Attempts(awstest.Offline(answers), 1))
}

// plain is an API whose answers the SDK decodes.
type plain struct{ ecrapi.API }

func (p plain) DescribeImages(ctx context.Context, in *ecr.DescribeImagesInput, _ ...func(*ecr.Options)) (*ecr.DescribeImagesOutput, error) {
	return p.API.DescribeImages(ctx, in)
}
