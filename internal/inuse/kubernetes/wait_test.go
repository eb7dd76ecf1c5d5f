package kubernetes_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/kubernetes"
)

// inProcess returns a cluster without a network, whose time is that of the bubble.
func inProcess(handler http.Handler, change awstest.Client) source {
	transport := awstest.InProcess(handler)
	return source{kubernetes.Cluster{
		Name: "cluster c", Server: &url.URL{Scheme: "https", Host: "kubernetes.example.com"},
		Client: &http.Client{Transport: awstest.Client(func(r *http.Request) (*http.Response, error) {
			if resp, err := change(r); resp != nil || err != nil {
				return resp, err
			}
			return transport(r)
		})},
	}}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, began, busy := newFake(), time.Now(), true
		f.on(pods, func(w http.ResponseWriter, r *http.Request) {
			if busy {
				w.Header().Set("Retry-After", "30")
				http.Error(w, "busy", http.StatusTooManyRequests)
			} else {
				f.answerPage(w, r.URL.Query(), *f.lists[pods])
			}
			busy = false
		})
		wantUses(t, inProcess(f, func(*http.Request) (*http.Response, error) { return nil, nil }))
		awstest.Equal(t, "time", 30*time.Second, time.Since(began))
		busy = true
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, _, err := collect(inProcess(f, func(*http.Request) (*http.Response, error) { return nil, nil }).Uses(ctx))
		awstest.ErrorContains(t, err, "list pods: context deadline exceeded, after: 429 Too Many Requests: busy")
	})
}

// A stalled body has no bytes until its request ends.
type stalledBody struct{ context.Context }

func (b stalledBody) Read([]byte) (int, error) { <-b.Done(); return 0, b.Err() }

func (stalledBody) Close() error { return nil }

func TestAStalledAnswerIsAskedForAgain(t *testing.T) {
	t.Parallel()
	for stalls, fails := range map[int]bool{1: false, 4: true} {
		synctest.Test(t, func(t *testing.T) {
			began, requests := time.Now(), 0
			_, _, err := collect(inProcess(newFake(), func(r *http.Request) (*http.Response, error) {
				if requests++; r.URL.Path != pods || stalls == 0 {
					return nil, nil
				}
				stalls--
				return &http.Response{StatusCode: http.StatusOK, Body: stalledBody{r.Context()}}, nil
			}).Uses(t.Context()))
			if fails {
				awstest.ErrorContains(t, err, "list pods: the answer broke off: context deadline exceeded")
				return
			}
			awstest.NoError(t, err)
			awstest.Equal(t, "time of an attempt and a wait", 2*time.Minute+time.Second, time.Since(began))
		})
	}
}

// A connection that is refused after the server has answered is tried again.
func TestALostServerIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lost, resets := errors.New("connection reset"), 2
		wantUses(t, inProcess(newFake(), func(r *http.Request) (*http.Response, error) {
			if r.URL.Path != pods || resets == 0 {
				return nil, nil
			}
			resets--
			return nil, lost
		}))
		_, _, err := collect(inProcess(newFake(), func(*http.Request) (*http.Response, error) { return nil, lost }).Uses(t.Context()))
		awstest.ErrorIs(t, "a server that never answers", err, lost)
	})
}
