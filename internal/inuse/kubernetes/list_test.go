package kubernetes_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
)

const pods = "/api/v1/pods"

func TestEveryBuiltInKindIsRead(t *testing.T) {
	t.Parallel()
	f := newFake()
	image := func(tag string) string { return registry + "app:" + tag }
	f.add("/apis/batch/v1/cronjobs", "", object{"metadata": metadata("cj"), "spec": object{"jobTemplate": object{"spec": object{"template": object{"spec": podSpec(image("cj"))}}}}})
	f.add("/apis/batch/v1/jobs", "", workload("job", image("job")))
	f.add("/apis/apps/v1/deployments", "", workload("d", image("d")))
	f.add("/apis/apps/v1/replicasets", "", workload("rs", image("rs")))
	f.add("/apis/apps/v1/statefulsets", "", workload("sts", image("sts")))
	f.add("/apis/apps/v1/daemonsets", "", workload("ds", image("ds")))
	f.add("/api/v1/replicationcontrollers", "", workload("rc", image("rc")))
	f.add("/apis/apps/v1/controllerrevisions", "", object{"metadata": metadata("cr"), "data": object{"spec": object{"template": object{"spec": podSpec(image("cr"))}}}})
	f.add("/api/v1/podtemplates", "", object{"metadata": metadata("pt"), "template": object{"spec": podSpec(image("pt"))}})
	f.add(pods, "", pod("p", image("p"), ""))
	wantUses(t, cluster(t, f),
		"app:cj cronjob default/cj", "app:job job default/job", "app:d deployment default/d", "app:rs replicaset default/rs",
		"app:sts statefulset default/sts", "app:ds daemonset default/ds", "app:rc replicationcontroller default/rc",
		"app:cr controllerrevision default/cr", "app:pt podtemplate default/pt", "app:p pod default/p")
	awstest.Equal(t, "the last list, since pods are at the end of every chain of owners", pods, f.requests[len(f.requests)-1].URL.Path)
}

func TestAnEmptyClusterHasNoUses(t *testing.T) {
	t.Parallel()
	f := newFake()
	wantUses(t, cluster(t, f))
	f.on(pods, answer(`{"kind":"PodList","apiVersion":"v1","metadata":{},"items":null}`))
	wantUses(t, cluster(t, f))
}

func TestARequestIsForANewStateInPages(t *testing.T) {
	t.Parallel()
	f := newFake()
	wantUses(t, cluster(t, f))
	for _, r := range f.requests {
		h := r.Header
		got := []string{h.Get("Authorization"), h.Get("User-Agent"), h.Get("Accept"), h.Get("Accept-Encoding")}
		if r.URL.Path == "/apis" {
			got[2] = strings.TrimPrefix(got[2], "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"+
				"application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,")
		} else if r.Method == http.MethodGet {
			awstest.Equal(t, "query", "limit=500", r.URL.RawQuery)
		}
		awstest.Equal(t, "headers", []string{"Bearer secret", "ecr-cleaner", "application/json", "gzip"}, got)
	}
}

func TestTheAddressOfTheServerMayHaveAPath(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.add(pods, "", pod("p", registry+"app:v1", ""))
	c := cluster(t, http.StripPrefix("/k8s/clusters/c-1", f))
	c.Server, c.Token = c.Server.JoinPath("k8s/clusters/c-1"), nil
	wantUses(t, c, "app:v1 pod default/p")
	awstest.Equal(t, "Authorization without a token", "", f.requests[0].Header.Get("Authorization"))
}

func TestARunningContainerUsesItsDigest(t *testing.T) {
	t.Parallel()
	f := newFake()
	a, b := inusetest.Digest("a"), inusetest.Digest("b")
	f.add(pods, "", pod("one", registry+"app:v1", registry+"app@"+a), pod("other", registry+"app:v2", "docker-pullable://"+registry+"mirror@"+b),
		pod("pinned", registry+"app@"+b, registry+"app@"+b))
	wantUses(t, cluster(t, f),
		"app:v1 pod default/one", "app:v1@"+a+" pod default/one runs",
		"app:v2 pod default/other", "app:v2@"+b+" pod default/other runs", "mirror@"+b+" pod default/other",
		"app@"+b+" pod default/pinned", "app@"+b+" pod default/pinned")
}

func TestAnUnresolvedImageIDIsAFinding(t *testing.T) {
	t.Parallel()
	f := newFake()
	for i := range 7 {
		f.add(pods, "", pod(fmt.Sprint("p", i), registry+"app:v1", "sha256:"+strings.Repeat("c", 64)))
	}
	f.add(pods, "", pod("odd", "two words", ""), pod("odd-too", "two words", registry+"app@"+inusetest.Digest("d")))
	lines, findings, err := collect(cluster(t, f).Uses(t.Context()))
	awstest.NoError(t, err)
	awstest.Equal(t, "uses of the image with the tag, and of the digest", 5+2, len(lines))
	awstest.Contains(t, strings.Join(lines, "\n"), "@"+inusetest.Digest("d")+" pod default/odd-too\n")
	awstest.Equal(t, "number of findings", 2, len(findings))
	awstest.Contains(t, findings[0], "unresolvedDigest cluster c: ", "7 containers", "pod default/p0 (cluster c): ", "p4")
	awstest.Contains(t, findings[1], "unreadableReference cluster c: ", `pod default/odd (cluster c): its image is "two words"`)
	if strings.Contains(findings[0], "p5") {
		t.Errorf("more than five examples: %s", findings[0])
	}
}

// An image of ECR is in use, and it is not known which.
func TestAMalformedReferenceToECRFails(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.add(pods, "", pod("p", registry+"App:v1", ""))
	wantFailure(t, cluster(t, f), "pod default/p", "App", "delete the object")
	f = newFake()
	f.add(pods, "", object{"metadata": metadata("p"), "spec": object{"containers": 1}})
	wantFailure(t, cluster(t, f), "list pods: read a Pod")
}

func TestEveryPageIsRead(t *testing.T) {
	t.Parallel()
	f := newFake()
	var want []string
	for i := range 1201 {
		f.add(pods, "", pod(fmt.Sprint("p", i), fmt.Sprint(registry, "app:v", i), ""))
		want = append(want, fmt.Sprintf("app:v%d pod default/p%d", i, i))
	}
	wantUses(t, cluster(t, f), want...)
	awstest.Equal(t, "pages of 500", 3, f.count(pods))
}

func TestAnImageIsYieldedAFewTimes(t *testing.T) {
	t.Parallel()
	f := newFake()
	for i := range 100 {
		f.add(pods, "", pod(fmt.Sprint("p", i), registry+"app:v1", ""))
	}
	lines, _, err := collect(cluster(t, f).Uses(t.Context()))
	awstest.NoError(t, err)
	awstest.Equal(t, "uses", 5, len(lines))
}

func TestAConsumerMayStop(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.page = 1
	f.add(pods, "", pod("a", registry+"app:v1", ""), pod("b", registry+"app:v2", ""), pod("c", registry+"app:v3", ""))
	c := cluster(t, f)
	for use, err := range c.Uses(t.Context()) {
		awstest.NoError(t, err)
		awstest.Equal(t, "tag", "v1", use.Reference.Tag)
		break
	}
	awstest.Equal(t, "pages", 1, f.count(pods))
	f.on("/api/v1/podtemplates", func(w http.ResponseWriter, _ *http.Request) { fail(w, http.StatusForbidden, "") })
	f.lists[pods].items = nil
	for use, err := range c.Uses(t.Context()) {
		awstest.NoError(t, err)
		awstest.Equal(t, "a finding", "kubernetesNotListed", string(use.Finding.Kind))
		break
	}
}

// expire answers the next n requests for a page of pods that is not the first with 410.
func (f *fakeAPI) expire(n int) {
	f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != pods || !r.URL.Query().Has("continue") || n == 0 {
			return false
		}
		n--
		fail(w, http.StatusGone, "The provided continue parameter is too old")
		return true
	}
}

func TestAListThatExpiresBeginsAgain(t *testing.T) {
	t.Parallel()
	for expired, begins := range map[int]int{0: 1, 1: 2, 2: 3, 3: 3} {
		f := newFake()
		f.page = 1
		f.add(pods, "", pod("a", registry+"app:v1", ""), pod("b", registry+"app:v2", ""))
		f.expire(expired)
		lines, _, err := collect(cluster(t, f).Uses(t.Context()))
		began := 0
		for _, r := range f.requests {
			if r.URL.Path == pods && !r.URL.Query().Has("continue") {
				began++
			}
			if strings.Contains(r.URL.RawQuery, "never-follow") {
				t.Error("the token of an expired list was followed")
			}
		}
		awstest.Equal(t, fmt.Sprintf("beginnings after %d times 410", expired), begins, began)
		if expired < 3 {
			awstest.NoError(t, err)
			awstest.Contains(t, strings.Join(lines, "\n"), "app:v1", "app:v2")
			continue
		}
		awstest.ErrorContains(t, err, "list pods: the list had to begin again 3 times", "410 Gone")
	}
}

// Pods come and go between the pages, and tokens expire. One image always has a pod.
func TestAnImageInUseThroughoutIsNeverMissed(t *testing.T) {
	t.Parallel()
	expired := 0
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a test
		f := newFake()
		f.page = 1 + random.IntN(3)
		for i := range 8 {
			f.add(pods, "", pod(fmt.Sprint("p", i), registry+"other:v1", ""))
		}
		f.lists[pods].items[random.IntN(8)] = pod("keep", registry+"keep:v1", "")
		f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != pods {
				return false
			}
			items := f.lists[pods].items // another pod with the image begins, and then the first ends
			at := slices.IndexFunc(items, func(p any) bool { return strings.Contains(fmt.Sprint(p), "keep:v1") })
			items = slices.Insert(slices.Delete(slices.Clone(items), at, at+1), random.IntN(8), any(pod("keep", registry+"keep:v1", "")))
			f.lists[pods].items = items
			if r.URL.Query().Has("continue") && expired%4 != 3 && random.IntN(4) == 0 {
				expired++
				fail(w, http.StatusGone, "too old")
				return true
			}
			return false
		}
		c := inProcess(f, func(*http.Request) (*http.Response, error) { return nil, nil })
		c.Resources = nil
		lines, _, err := collect(c.Uses(t.Context()))
		if err == nil && !slices.Contains(lines, "keep:v1 pod default/keep") {
			t.Fatalf("seed %d: the image in use is missing in %v", seed, lines)
		}
	}
	if expired == 0 {
		t.Error("no token expired")
	}
}

// answer returns a handler with that answer.
func answer(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

func TestAnAnswerThatMayPassIsAskedForAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code       int
		retryAfter string
		times      int
		waits      []time.Duration
		fails      bool
	}{
		{http.StatusTooManyRequests, "7", 1, []time.Duration{7 * time.Second}, false},
		{http.StatusTooManyRequests, "1", 3, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}, false},
		{http.StatusTooManyRequests, "86400", 1, []time.Duration{time.Minute}, false},
		{http.StatusTooManyRequests, "-5", 1, []time.Duration{time.Second}, false},
		{http.StatusServiceUnavailable, "", 2, []time.Duration{time.Second, 2 * time.Second}, false},
		{http.StatusInternalServerError, "30", 1, []time.Duration{30 * time.Second}, false},
		{http.StatusGatewayTimeout, "soon", 1, []time.Duration{time.Second}, false},
		{http.StatusTooManyRequests, "", 4, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}, true},
		{http.StatusBadGateway, "", 4, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}, true},
		{http.StatusBadRequest, "1", 1, nil, true},
		{http.StatusNotFound, "", 1, nil, true},
	} {
		f := newFake()
		f.add(pods, "", pod("p", registry+"app:v1", ""))
		times := c.times
		f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != pods || times == 0 {
				return false
			}
			times--
			w.Header().Set("Retry-After", c.retryAfter)
			http.Error(w, "please try again later", c.code)
			return true
		}
		got, _, err := collect(cluster(t, f).Uses(t.Context()))
		awstest.Equal(t, fmt.Sprintf("%+v: waits", c), c.waits, f.waits)
		if c.fails {
			awstest.ErrorContains(t, err, "list pods: ", fmt.Sprint(c.code), "please try again later")
			continue
		}
		awstest.NoError(t, err)
		awstest.Equal(t, "uses", []string{"app:v1 pod default/p"}, got)
	}
}

// A page whose connection breaks is read again, with the same token.
func TestABrokenAnswerIsAskedForAgain(t *testing.T) {
	t.Parallel()
	for breaks, fails := range map[int]bool{1: false, 3: false, 4: true} {
		f := newFake()
		f.page = 1
		f.add(pods, "", pod("a", registry+"app:v1", ""), pod("b", registry+"app:v2", ""), pod("c", registry+"app:v3", ""))
		f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Query().Get("continue") != "0-1" || breaks == 0 {
				return false
			}
			breaks--
			_, _ = io.WriteString(w, `{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"b"`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		_, _, err := collect(cluster(t, f).Uses(t.Context()))
		if fails {
			awstest.ErrorContains(t, err, "list pods: the answer broke off")
			continue
		}
		awstest.NoError(t, err)
		began := 0
		for _, r := range f.requests {
			if r.URL.Path == pods && !r.URL.Query().Has("continue") {
				began++
			}
		}
		awstest.Equal(t, "beginnings", 1, began)
	}
}

func TestAnIncompleteListFails(t *testing.T) {
	t.Parallel()
	awstest.Each(t, map[string]struct{ text, want string }{
		"empty":                {"", "the answer ends in the middle"},
		"cut before items":     {`{"kind":"PodList","apiVersion":"v1"`, "the answer ends in the middle"},
		"cut in items":         {`{"kind":"PodList","apiVersion":"v1","items":[{"spec"`, "the answer ends in the middle"},
		"cut after items":      {`{"kind":"PodList","apiVersion":"v1","items":[]`, "the answer ends in the middle"},
		"no JSON":              {`<html>login</html>`, "invalid character"},
		"an array":             {`[]`, "instead of {"},
		"text after it":        {`{"kind":"PodList","apiVersion":"v1","items":[]} {}`, "text after its end"},
		"no items":             {`{"kind":"PodList","apiVersion":"v1","metadata":{}}`, `"PodList" without a list`},
		"items no list":        {`{"kind":"PodList","apiVersion":"v1","items":{}}`, `a list that is "{"`},
		"a continue number":    {`{"kind":"PodList","apiVersion":"v1","metadata":{"continue":1},"items":[]}`, "Continue"},
		"another kind":         {`{"kind":"SecretList","apiVersion":"v1","items":[]}`, `"SecretList" of "v1"; check that the address`},
		"another version":      {`{"kind":"PodList","apiVersion":"v2","items":[]}`, `"PodList" of "v2"`},
		"no kind":              {`{"items":[]}`, `"" of ""`},
		"a repeated token":     {`{"kind":"PodList","apiVersion":"v1","metadata":{"continue":"x"},"items":[]}`, "a continue token is repeated"},
		"a missing token":      {`{"kind":"PodList","apiVersion":"v1","metadata":{"remainingItemCount":3},"items":[]}`, "more objects remain"},
		"an object of 5 MB":    {`{"kind":"PodList","apiVersion":"v1","items":["` + strings.Repeat("x", 5<<20) + `"]}`, "an object in the answer has more than 4 MiB"},
		"an object without it": {`{"kind":"PodList","apiVersion":"v1","items":[null]}`, "no containers"},
	}, func(t *testing.T, c struct{ text, want string }) {
		t.Helper()
		f := newFake()
		f.on(pods, answer(c.text))
		wantFailure(t, cluster(t, f), "list pods: ", c.want)
	})
}

func TestARefusalSaysWhatToDo(t *testing.T) {
	t.Parallel()
	forbidden := func(w http.ResponseWriter, _ *http.Request) {
		fail(w, http.StatusForbidden, `User "nobody" cannot list resource "deployments"`)
	}
	f := newFake()
	f.on("/apis/apps/v1/deployments", forbidden)
	wantFailure(t, cluster(t, f), `list deployments.apps: 403 Forbidden: User "nobody" cannot`, "allow the verb list for deployments.apps in the ClusterRole",
		"ecrclean kubernetes-role", "; do something about 403")
	f = newFake()
	f.on("/api/v1/podtemplates", forbidden)
	f.add(pods, "", pod("p", registry+"app:v1", ""))
	lines, findings, err := collect(cluster(t, f).Uses(t.Context()))
	awstest.NoError(t, err)
	awstest.Equal(t, "uses", []string{"app:v1 pod default/p"}, lines)
	awstest.Equal(t, "number of findings", 1, len(findings))
	awstest.Contains(t, findings[0], "kubernetesNotListed cluster c: the cleaner may not list 1 kind of objects", "podtemplates", "ecrclean kubernetes-role")
	f = newFake()
	f.intercept = func(w http.ResponseWriter, _ *http.Request) bool {
		fail(w, http.StatusUnauthorized, "Unauthorized")
		return true
	}
	wantFailure(t, cluster(t, f), "401 Unauthorized: Unauthorized; do something about 401")
	awstest.Equal(t, "requests", 1, len(f.requests))
	c := cluster(t, f)
	c.Explain = nil
	wantFailure(t, c, "401 Unauthorized: Unauthorized")
}

func TestNoRequestLeavesTheServer(t *testing.T) {
	t.Parallel()
	reached := false
	other := cluster(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	f := newFake()
	f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, other.Server.String(), http.StatusTemporaryRedirect)
		return true
	}
	wantFailure(t, cluster(t, f), "307 Temporary Redirect")
	c := cluster(t, f)
	c.Server = &url.URL{Scheme: "http", Host: other.Server.Host, User: url.UserPassword("u", "hidden")}
	wantFailure(t, c, "must have an https address")
	if reached {
		t.Error("the other server was reached")
	}
}

func TestAServerThatNeverAnswersHasOneAttempt(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	awstest.NoError(t, err)
	awstest.NoError(t, listener.Close())
	f := newFake()
	c := cluster(t, f)
	c.Server = &url.URL{Scheme: "https", Host: listener.Addr().String()}
	wantFailure(t, c, "connection refused; do something about 0")
	awstest.Empty(t, "waits", f.waits)
	untrusted := cluster(t, f)
	untrusted.Client = &http.Client{Transport: &http.Transport{}}
	wantFailure(t, untrusted, "certificate")
	awstest.Empty(t, "requests", f.requests)
}

func TestATokenIsNeeded(t *testing.T) {
	t.Parallel()
	f := newFake()
	c := cluster(t, f)
	c.Token = func(context.Context) (string, error) { return "", errors.New("no credentials") }
	_, _, err := collect(c.Uses(t.Context()))
	awstest.Equal(t, "error, without advice about the server", "cluster c: list the API groups: get a token: no credentials", err.Error())
	awstest.Empty(t, "requests", f.requests)
}

func TestTheContextEndsTheScan(t *testing.T) {
	t.Parallel()
	f := newFake()
	ctx, cancel := context.WithCancel(t.Context())
	f.on(pods, func(w http.ResponseWriter, _ *http.Request) {
		cancel()
		http.Error(w, "busy", http.StatusServiceUnavailable)
	})
	c := cluster(t, f)
	c.Wait = nil
	var err error
	for _, failure := range c.Uses(ctx) {
		err = failure
	}
	awstest.ErrorContains(t, err, "cluster c: list pods: ")
	awstest.Equal(t, "requests for pods", 1, f.count(pods))
}

// Operators and builds name the images that they start in arguments and in the environment.
func TestReferencesInArgumentsProtect(t *testing.T) {
	t.Parallel()
	spec := object{"containers": []object{{
		"name": "a", "image": registry + "op", "args": []string{"--start=" + registry + "op:$(TAG)"},
		"env": []object{{"name": "RELATED_IMAGE_X", "value": registry + "related:v1"}},
	}}}
	for path, kind := range map[string]string{"/apis/apps/v1/deployments": "Deployment", "/apis/batch/v1/jobs": "Job"} {
		f := newFake()
		f.add(path, kind, object{"metadata": metadata("x"), "spec": object{"template": object{"spec": spec}}})
		var got []string
		for use, err := range cluster(t, f).Uses(t.Context()) {
			awstest.NoError(t, err)
			got = append(got, fmt.Sprint(strings.TrimPrefix(use.Reference.String(), registry), " ", use.AllImages))
		}
		slices.Sort(got)
		awstest.Equal(t, kind, []string{"op true", "op:latest false", "related:v1 false"}, got)
	}
}
