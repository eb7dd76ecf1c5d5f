package kubernetes_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// list returns the names in a page of a list, and the token of the next page.
func (c *cluster) list(path string, limit int, after string) (names []string, next string, a answer) {
	c.Helper()
	a = c.get(fmt.Sprintf("%s?limit=%d&continue=%s", path, limit, url.QueryEscape(after)))
	var page struct {
		Metadata struct{ Continue string }
		Items    []struct{ Metadata struct{ Name string } }
	}
	_ = json.Unmarshal(a.body, &page) // an error may be plain text
	for _, item := range page.Items {
		names = append(names, item.Metadata.Name)
	}
	return names, page.Metadata.Continue, a
}

func TestTheAPIServerListsInPages(t *testing.T) {
	t.Parallel()
	c := start(t, "--etcd-compaction-interval=1s")
	for i := range 5 {
		c.create(pods, pod(fmt.Sprint("p", i), "app:v1"))
	}
	first, next, _ := c.list(pods, 2, "")
	second, _, _ := c.list(pods, 2, next)
	awstest.Equal(t, "names of two pages", []string{"p0", "p1", "p2", "p3"}, append(first, second...))
	c.until("the token of the first page has expired", func() bool {
		_, _, a := c.list(pods, 2, next)
		return a.status == http.StatusGone
	})
	_, again, a := c.list(pods, 2, next)
	if again == "" || again == next {
		t.Errorf("the answer %s has no token of an inconsistent list", a.body)
	}
}

func TestTheAPIServerFailsWithoutItsWebhook(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.defineThings(deadWebhook)
	a := c.get("/apis/example.com/v2/things?limit=500")
	awstest.Equal(t, "status", http.StatusInternalServerError, a.status)
	awstest.Contains(t, string(a.body), "conversion webhook for example.com/v1, Kind=Thing failed")
}

func TestTheAPIServerLacksAnAggregatedAPI(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.aggregate("metrics.k8s.io", "v1beta1")
	a := c.get("/apis/metrics.k8s.io/v1beta1/pods")
	awstest.Equal(t, "status", http.StatusServiceUnavailable, a.status)
	awstest.Equal(t, "answer", "service unavailable\n", string(a.body))
}

// One list waits for a webhook, and the API server serves one request at a time.
func TestTheAPIServerThrottles(t *testing.T) {
	t.Parallel()
	c := start(t, "--enable-priority-and-fairness=false", "--max-requests-inflight=1")
	release := c.occupy()
	defer release()
	a := c.call(http.MethodGet, "/api/v1/pods", token(t, clusterName, cleanerKey, secret), nil)
	awstest.Equal(t, "status", http.StatusTooManyRequests, a.status)
	awstest.Equal(t, "Retry-After", "1", a.header.Get("Retry-After"))
}
