package bench_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/bench"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

var noon = awstest.Now

// A details has the members of DescribeImages that the tests use.
type details struct {
	ImageDetails []struct{ ImageDigest string }
	NextToken    string
}

// call makes a call and decodes the answer.
func call(tb testing.TB, s http.Handler, operation, body string, into any) {
	tb.Helper()
	if err := json.Unmarshal(send(s, operation, body), into); err != nil {
		tb.Fatalf("%s: %v", operation, err)
	}
}

func send(s http.Handler, operation, body string) []byte {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921."+operation)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Body.Bytes()
}

// list returns the digests of a repository, in their pages.
func list(tb testing.TB, s http.Handler, repository string) (pages [][]string) {
	tb.Helper()
	for token := ""; ; {
		body := fmt.Sprintf(`{"repositoryName": %q, "maxResults": 1000, "filter": {"imageStatus": "ANY"}%s}`, repository, token)
		var page details
		call(tb, s, "DescribeImages", body, &page)
		var digests []string
		for _, d := range page.ImageDetails {
			digests = append(digests, d.ImageDigest)
		}
		pages = append(pages, digests)
		if page.NextToken == "" {
			return pages
		}
		token = fmt.Sprintf(`, "nextToken": %q`, page.NextToken)
	}
}

func identifiers(digests []string) string {
	return `[{"imageDigest": "` + strings.Join(digests, `"}, {"imageDigest": "`) + `"}]`
}

// Rendered answers are the answers of the embedded registry.
func TestPreparedAnswersAreTheRegistrys(t *testing.T) {
	t.Parallel()
	size := bench.Size{Repositories: 1, Images: 1500}
	prepared, plain := bench.NewServer(size, 0, noon), bench.NewServer(size, 0, noon)
	plain.Throttle("", 1e9, 1e9) // leaves every call to the embedded registry
	name := bench.Repository(0)
	pages := list(t, prepared, name)
	if diff := cmp.Diff(list(t, plain, name), pages); diff != "" || len(pages) != 2 {
		t.Fatalf("%d pages, mismatch (-want +got):\n%s", len(pages), diff)
	}
	chosen := pages[1][:100]
	for _, step := range []struct{ operation, body string }{
		{"DescribeImages", fmt.Sprintf(`{"repositoryName": %q, "imageIds": %s}`, name, identifiers(chosen))},
		{"BatchDeleteImage", fmt.Sprintf(`{"repositoryName": %q, "imageIds": %s}`, name, identifiers(chosen))},
		{"BatchDeleteImage", fmt.Sprintf(`{"repositoryName": %q, "imageIds": %s}`, name, identifiers(chosen))},
		{"DescribeImages", fmt.Sprintf(`{"repositoryName": %q, "imageIds": %s}`, name, identifiers(chosen[:1]))},
		{"DescribeImages", fmt.Sprintf(`{"repositoryName": %q, "maxResults": 1000}`, name)},
	} {
		var want, got map[string]any
		call(t, plain, step.operation, step.body, &want)
		call(t, prepared, step.operation, step.body, &got)
		delete(want, "nextToken") // made with a key of the server's own
		delete(got, "nextToken")
		if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
			t.Errorf("%s mismatch (-want +got):\n%s", step.operation, diff)
		}
	}
	if want, got := plain.Stats(), prepared.Stats(); want.Digests != got.Digests || got.Images != 1400 {
		t.Errorf("%d images are left, want the same 1400 as in a plain registry", got.Images)
	}
}

func TestCallsAndRepeatsAreCounted(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(bench.NewServer(bench.Size{Repositories: 2, Images: 10, Attached: true}, time.Millisecond, noon))
	defer s.Close()
	for range 2 {
		for r := range 2 {
			send(s.Config.Handler, "GetLifecyclePolicy", fmt.Sprintf(`{"repositoryName": %q}`, bench.Repository(r)))
		}
	}
	list(t, s.Config.Handler, bench.Repository(0))
	answer, err := http.Get(s.URL + bench.StatsPath)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var got bench.Stats
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := bench.Stats{
		Calls:   map[string]int{"GetLifecyclePolicy": 4, "DescribeImages": 1},
		Repeats: map[string]int{"GetLifecyclePolicy": 2},
		Images:  20, Digests: got.Digests,
	}
	awstest.Equal(t, "stats", want, got)
}

// BenchmarkServer measures the server without a network.
func BenchmarkServer(b *testing.B) {
	s := bench.NewServer(bench.Size{Repositories: 1, Images: 10_000}, 0, noon)
	name := bench.Repository(0)
	pages := list(b, s, name)
	for operation, body := range map[string]string{
		"page": fmt.Sprintf(`{"repositoryName": %q, "maxResults": 1000}`, name),
		"100":  fmt.Sprintf(`{"repositoryName": %q, "imageIds": %s}`, name, identifiers(pages[0][:100])),
	} {
		b.Run(operation, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				send(s, "DescribeImages", body)
			}
		})
	}
}
