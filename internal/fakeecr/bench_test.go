package fakeecr_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

// fill puts n images, each with two tags and a last pull.
func fill(s *fakeecr.Server, repo string, n int) {
	s.CreateRepository(repo)
	for i := range n {
		s.Put(repo, fakeecr.Image{
			Digest: digest(i), Tags: []string{fmt.Sprintf("build-%d", i), fmt.Sprintf("commit-%08x", i)},
			PushedAt: now, LastRecordedPullTime: now, SizeInBytes: 100_000_000,
		})
	}
}

// BenchmarkDescribeImages reads a page of 1,000 from a repository of 100,000 without a
// network: decode the request, make the page, encode the answer.
func BenchmarkDescribeImages(b *testing.B) {
	s := fakeecr.New()
	fill(s, "app", 100_000)
	body := `{"repositoryName": "app", "maxResults": 1000}`
	b.ReportAllocs()
	for b.Loop() {
		r := newRequest(context.Background(), "DescribeImages", strings.NewReader(body))
		w := &discard{header: http.Header{}}
		s.ServeHTTP(w, r)
		b.SetBytes(int64(w.written))
	}
}

type discard struct {
	header  http.Header
	written int
}

func (d *discard) Header() http.Header { return d.header }
func (d *discard) WriteHeader(int)     {}
func (d *discard) Write(p []byte) (int, error) {
	d.written += len(p)
	return len(p), nil
}

// BenchmarkPut measures time and memory of an image.
func BenchmarkPut(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		fill(fakeecr.New(), "app", 10_000)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/image")
}
