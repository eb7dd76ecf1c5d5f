package kubernetes_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/kubernetes"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

const registry = inusetest.Registry

type object = inusetest.Object

// A fakeAPI is an API server. Its lists are pages of one state, as those of Kubernetes.
type fakeAPI struct {
	mu       sync.Mutex
	lists    map[string]*fakeList // by path
	states   []fakeList           // those of lists that have more than one page
	page     int                  // the largest page; 0 is the limit of the request
	requests []*http.Request
	waits    []time.Duration
	// intercept, unless it is nil, may answer a request. It holds the lock.
	intercept func(w http.ResponseWriter, r *http.Request) (answered bool)
	discovery string // the answer to /apis
	rules     []object
	reviews   object // more members of the status of a SelfSubjectRulesReview
}

type fakeList struct {
	apiVersion, kind string
	items            []any
}

// newFake returns an API server with all built-in kinds and without objects.
func newFake() *fakeAPI {
	f := &fakeAPI{lists: map[string]*fakeList{}, discovery: discovery()}
	for path, kind := range map[string]string{
		"/api/v1/pods": "Pod", "/api/v1/podtemplates": "PodTemplate", "/api/v1/replicationcontrollers": "ReplicationController",
		"/apis/apps/v1/controllerrevisions": "ControllerRevision", "/apis/apps/v1/daemonsets": "DaemonSet",
		"/apis/apps/v1/deployments": "Deployment", "/apis/apps/v1/replicasets": "ReplicaSet",
		"/apis/apps/v1/statefulsets": "StatefulSet", "/apis/batch/v1/cronjobs": "CronJob", "/apis/batch/v1/jobs": "Job",
	} {
		f.add(path, kind)
	}
	return f
}

// add adds objects to the list with that path. Kind is the kind of its objects.
func (f *fakeAPI) add(path, kind string, items ...any) {
	if f.lists[path] == nil {
		version := path[:strings.LastIndexByte(path, '/')]
		version = strings.TrimPrefix(strings.TrimPrefix(version, "/apis/"), "/api/")
		f.lists[path] = &fakeList{apiVersion: version, kind: kind}
	}
	f.lists[path].items = append(f.lists[path].items, items...)
}

// custom adds a kind of custom resources that the cleaner may list.
func (f *fakeAPI) custom(group, plural, kind string, items ...any) {
	f.add("/apis/"+group+"/v1/"+plural, kind, items...)
	f.allow(group, plural)
}

// allow adds a rule that allows listing a kind.
func (f *fakeAPI) allow(group, plural string) {
	f.rules = append(f.rules, object{"verbs": []string{"get", "list"}, "apiGroups": []string{group}, "resources": []string{plural}})
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, r)
	switch path := r.URL.Path; {
	case f.intercept != nil && f.intercept(w, r):
	case path == "/apis":
		fmt.Fprint(w, f.discovery)
	case path == "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews" && r.Method == http.MethodPost:
		status := object{"resourceRules": f.rules, "incomplete": false}
		maps.Copy(status, f.reviews)
		inusetest.Answer(w, http.StatusCreated, object{"kind": "SelfSubjectRulesReview", "status": status})
	case f.lists[path] != nil && r.Method == http.MethodGet:
		f.answerPage(w, r.URL.Query(), *f.lists[path])
	default:
		http.Error(w, "404 page not found", http.StatusNotFound)
	}
}

// answerPage writes a page. A continue token is the number of a state and a position in it.
func (f *fakeAPI) answerPage(w http.ResponseWriter, query url.Values, list fakeList) {
	state, from := -1, 0
	if token := query.Get("continue"); token != "" {
		if _, err := fmt.Sscanf(token, "%d-%d", &state, &from); err != nil || state >= len(f.states) {
			fail(w, http.StatusBadRequest, "invalid continue token")
			return
		}
		list = f.states[state]
	}
	limit, _ := strconv.Atoi(query.Get("limit"))
	if f.page > 0 {
		limit = min(limit, f.page)
	}
	metadata := object{"resourceVersion": "239"}
	to := len(list.items)
	if from+limit < to {
		if to = from + limit; state < 0 {
			list.items = slices.Clone(list.items)
			f.states = append(f.states, list)
			state = len(f.states) - 1
		}
		metadata["continue"], metadata["remainingItemCount"] = fmt.Sprintf("%d-%d", state, to), len(list.items)-to
	}
	// Members in the order of names have the token after the items, as for custom resources.
	inusetest.Answer(w, http.StatusOK, object{
		"apiVersion": list.apiVersion, "items": list.items[from:to], "kind": list.kind + "List", "metadata": metadata,
	})
}

// fail answers with a Status object.
func fail(w http.ResponseWriter, code int, message string) {
	inusetest.Answer(w, code, object{
		"kind": "Status", "apiVersion": "v1", "metadata": object{"continue": "never-follow"}, "status": "Failure", "message": message, "code": code,
	})
}

// on answers requests for the path with the handler.
func (f *fakeAPI) on(path string, handler http.HandlerFunc) {
	before := f.intercept
	f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == path {
			handler(w, r)
			return true
		}
		return before != nil && before(w, r)
	}
}

// count returns the number of requests for the path.
func (f *fakeAPI) count(path string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.requests {
		if r.URL.Path == path {
			n++
		}
	}
	return n
}

// A source is a cluster as a source.
type source struct{ kubernetes.Cluster }

func (source) Name() string { return "eks" }

// cluster returns the cluster of a server of the test.
func cluster(t *testing.T, handler http.Handler) source {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL)
	awstest.NoError(t, err)
	return source{kubernetes.Cluster{
		Name: "cluster c", Server: address, Client: server.Client(), Resources: []wildcard.Pattern{wildcard.Compile("*")},
		Token:   func(context.Context) (string, error) { return "secret", nil },
		Explain: func(status int) string { return fmt.Sprintf("do something about %d", status) },
		Wait: func(_ context.Context, d time.Duration) error {
			if f, ok := handler.(*fakeAPI); ok {
				f.mu.Lock()
				defer f.mu.Unlock()
				f.waits = append(f.waits, d)
			}
			return nil
		},
	}}
}

// collect returns the uses as lines, the findings and the error of the sequence.
func collect(uses iter.Seq2[inuse.Use, error]) (lines, findings []string, err error) {
	for use, failure := range uses {
		switch {
		case failure != nil:
			err = failure
		case use.Finding.Kind != "":
			findings = append(findings, string(use.Finding.Kind)+" "+use.Finding.Message)
		default:
			line := strings.TrimPrefix(use.Reference.String(), registry) + " " + strings.TrimSuffix(use.By, " (cluster c)")
			if use.Runs {
				line += " runs"
			}
			if use.AllImages {
				line += " all images"
			}
			lines = append(lines, line)
		}
	}
	return lines, findings, err
}

// wantUses checks that the cluster has exactly these uses and no finding.
func wantUses(t *testing.T, c source, want ...string) {
	t.Helper()
	got, findings, err := collect(c.Uses(t.Context()))
	awstest.NoError(t, err)
	slices.Sort(got)
	slices.Sort(want)
	awstest.Equal(t, "uses", want, got)
	awstest.Empty(t, "findings", findings)
}

// wantFailure checks that the cluster fails with all the words in its error.
func wantFailure(t *testing.T, c source, words ...string) {
	t.Helper()
	_, _, err := collect(c.Uses(t.Context()))
	awstest.ErrorContains(t, err, append(words, "cluster c: ")...)
}

func metadata(name string) object {
	return object{"name": name, "namespace": "default", "labels": object{"app": name}, "managedFields": []object{{"manager": "kubectl"}}}
}

func podSpec(image string) object {
	return object{"containers": []object{{"name": "app", "image": image, "newField": 1}}, "restartPolicy": "Always"}
}

// pod returns a pod whose container runs, if there is an imageID.
func pod(name, image, imageID string) object {
	p := object{"metadata": metadata(name), "spec": podSpec(image), "status": object{"phase": "Pending"}}
	if imageID != "" {
		p["status"] = object{"phase": "Running", "containerStatuses": []object{{
			"name": "app", "image": image, "imageID": imageID, "state": object{"running": object{"startedAt": "2026-03-01T11:00:00Z"}},
		}}}
	}
	return p
}

// workload returns an object with a pod template.
func workload(name, image string) object {
	return object{"metadata": metadata(name), "spec": object{"replicas": 0, "template": object{"spec": podSpec(image)}}}
}

// thing returns a custom resource with that specification.
func thing(name string, spec any) object {
	return object{"apiVersion": "example.com/v1", "kind": "Thing", "metadata": metadata(name), "spec": spec}
}

// discovery returns the aggregated discovery of groups, each GROUP/PLURAL/KIND.
func discovery(kinds ...string) string {
	items := []object{discoveryGroup("apps", "deployments", "Deployment", "Current")}
	for _, kind := range kinds {
		group, rest, _ := strings.Cut(kind, "/")
		plural, name, _ := strings.Cut(rest, "/")
		items = append(items, discoveryGroup(group, plural, name, "Current"))
	}
	return discoveryOf(items...)
}

func discoveryOf(items ...object) string {
	text, _ := json.Marshal(object{"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": object{}, "items": items})
	return string(text)
}

func discoveryGroup(group, plural, kind, freshness string) object {
	resources := []object{
		{"resource": plural, "responseKind": object{"kind": kind}, "verbs": []string{"get", "list"}, "subresources": []object{{"subresource": "status"}}},
		{"resource": "only" + plural, "responseKind": object{"kind": "Only"}, "verbs": []string{"create"}},
	}
	if plural == "" {
		resources = []object{}
	}
	return object{"metadata": object{"name": group}, "versions": []object{
		{"version": "v1", "freshness": freshness, "resources": resources},
		{"version": "v1beta1", "freshness": freshness, "resources": resources},
	}}
}
