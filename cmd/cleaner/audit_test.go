package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/audit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// expireAll expires all images, unprotected.
const expireAll = `{"protect": {"inUse": [], "tagPatterns": [], "keepNewest": 0, "pulledWithinDays": 0, "pushedWithinHours": 0},
  "policies": [{"name": "all", "policy": {"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any",
  "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}, "action": {"type": "expire"}}]}}]}`

// A failingRegistry carries the deletions out and does something else than answer some of them.
type failingRegistry struct {
	*fakeecr.Server
	mu    sync.Mutex
	calls int
	// instead is by the number of the call, from 1.
	instead map[int]func()
}

func (r *failingRegistry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if !strings.HasSuffix(request.Header.Get("X-Amz-Target"), ".BatchDeleteImage") {
		r.Server.ServeHTTP(w, request)
		return
	}
	r.mu.Lock()
	r.calls++
	instead := r.instead[r.calls]
	r.mu.Unlock()
	if instead == nil {
		r.Server.ServeHTTP(w, request)
		return
	}
	r.Server.ServeHTTP(httptest.NewRecorder(), request)
	instead()
}

// loseAnswer closes the connection.
func loseAnswer() { panic(http.ErrAbortHandler) }

// digestsOf returns the digests of images, sorted.
func digestsOf[T any](images []T, digest func(T) string) []string {
	digests := []string{}
	for _, im := range images {
		digests = append(digests, digest(im))
	}
	slices.Sort(digests)
	return digests
}

func audited(images []audit.Image) []string {
	return digestsOf(images, func(im audit.Image) string { return im.ImageDigest })
}

// TestTheLogOfAKilledFunctionSaysWhatItRemoved: of 350 images, 100 a call, the
// first hundred are answered, one of them refused, and of the second hundred the
// answer is lost; during the third call the function is killed.
func TestTheLogOfAKilledFunctionSaysWhatItRemoved(t *testing.T) {
	t.Parallel()
	ctx, kill := context.WithTimeout(t.Context(), time.Minute)
	defer kill()
	server := fakeecr.New()
	server.CreateRepository("app")
	oldest := server.Put("app", fakeecr.Image{PushedAt: time.Now().Add(-1000 * time.Hour)})
	for i := range 349 {
		server.Put("app", fakeecr.Image{PushedAt: time.Now().Add(-time.Duration(999-i) * time.Hour)})
	}
	server.RefuseImage(oldest, "KmsError")
	before := digestsOf(server.Images("app"), func(im fakeecr.Image) string { return im.Digest })
	hang := func() {
		kill()
		<-t.Context().Done()
	}
	registry := httptest.NewServer(&failingRegistry{Server: server, instead: map[int]func(){2: loseAnswer, 3: hang}})
	t.Cleanup(registry.CloseClientConnections)
	api := httptest.NewServer(&awstest.RuntimeAPI{Timeout: 15 * time.Minute, Events: []string{`{"mode": "apply"}`}})
	defer api.Close()
	var log bytes.Buffer
	if err := (env{configuration: expireAll}).command(ctx, api.URL, registry.URL, &log).Run(); ctx.Err() != context.Canceled {
		t.Fatalf("the function was not killed during the third call: %v, %v; log:\n%s", err, ctx.Err(), &log)
	}
	left := digestsOf(server.Images("app"), func(im fakeecr.Image) string { return im.Digest })
	a, err := audit.Read(&log, "")
	if err != nil || len(a.Runs) != 1 || a.Lines.Unreadable > 0 {
		t.Fatalf("audit %+v, %v", a, err)
	}
	run := a.Runs[0]
	if !strings.HasPrefix(run.ID, "request-1.") || run.Finished || run.Totals != a.Totals {
		t.Errorf("run %s, finished %t, totals %+v", run.ID, run.Finished, run.Totals)
	}
	awstest.Equal(t, "totals", audit.Totals{Deleted: 99, Failed: 1, Unconfirmed: 100, Unknown: 100}, run.Totals)
	listed := slices.Concat(audited(run.Removed), audited(run.Unconfirmed), audited(run.Unknown))
	slices.Sort(listed)
	gone := slices.DeleteFunc(slices.Clone(before), func(digest string) bool { return slices.Contains(left, digest) })
	awstest.Equal(t, "what is gone and what the log lists", gone, listed)
}
