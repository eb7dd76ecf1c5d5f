package kubernetes_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/kubernetes"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

const rollouts = "/apis/argoproj.io/v1/rollouts"

// withRollout returns an API server with a rollout that the cleaner may list.
func withRollout() *fakeAPI {
	f := newFake()
	f.discovery = discovery("argoproj.io/rollouts/Rollout")
	f.custom("argoproj.io", "rollouts", "Rollout", thing("web", object{"template": object{"spec": podSpec(registry + "web:v1")}}))
	return f
}

func patterns(texts ...string) (compiled []wildcard.Pattern) {
	for _, text := range texts {
		compiled = append(compiled, wildcard.Compile(text))
	}
	return compiled
}

func TestCustomResourcesAreReadByTheirText(t *testing.T) {
	t.Parallel()
	f := withRollout()
	f.discovery = discovery("argoproj.io/rollouts/Rollout", "tekton.dev/tasks/Task", "keda.sh/scaledjobs/ScaledJob")
	f.custom("tekton.dev", "tasks", "Task", thing("build", object{
		"params": []object{{"name": "builder", "default": registry + "builder:v2"}},
		"steps":  []object{{"image": registry + "tools:$(params.version)", "script": "docker run " + registry + "script:v3 make\n"}},
	}), thing("other", object{"image": "nginx:1"}))
	f.custom("keda.sh", "scaledjobs", "ScaledJob", thing("job", object{"image": object{"repository": "mirror.example.com/job", "tag": "v4"}}))
	c := cluster(t, f)
	c.Aliases = reference.Aliases{"mirror.example.com": {ID: "123456789012", Region: inusetest.Region}}
	wantUses(t, c,
		"web:v1 rollout.argoproj.io default/web", "builder:v2 task.tekton.dev default/build",
		"tools task.tekton.dev default/build all images", "script:v3 task.tekton.dev default/build",
		"mirror.example.com/job:v4 scaledjob.keda.sh default/job")
	if at := slices.IndexFunc(f.requests, func(r *http.Request) bool { return r.URL.Path == "/apis/batch/v1/cronjobs" }); at != len(f.requests)-10 {
		t.Errorf("the lists of built-in kinds, which custom resources may own, begin with request %d of %d", at, len(f.requests))
	}
	awstest.Equal(t, "requests for a kind that exists in two versions", 1, f.count(rollouts))
}

// Any image of the repository is in use although five uses of it were yielded already.
func TestAUseOfAllImagesIsNotOneOfTheTag(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.discovery = discovery("a.example.com/things/Thing", "b.example.com/things/Thing")
	for i := range 9 {
		f.add("/apis/a.example.com/v1/things", "Thing", thing(fmt.Sprint("a", i), object{"image": registry + "app:latest"}))
	}
	f.custom("a.example.com", "things", "Thing")
	f.custom("b.example.com", "things", "Thing", thing("b", object{"image": registry + "app:$(tag)"}))
	lines, _, err := collect(cluster(t, f).Uses(t.Context()))
	awstest.NoError(t, err)
	awstest.Contains(t, strings.Join(lines, "\n"), "app thing.b.example.com default/b all images")
}

func TestAnUnknownRepositoryInACustomResourceIsAFinding(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.discovery = discovery("example.com/things/Thing")
	f.custom("example.com", "things", "Thing", thing("a", object{"host": strings.TrimSuffix(registry, "/")}), thing("b", object{"image": registry + "bb:v1"}))
	lines, findings, err := collect(cluster(t, f).Uses(t.Context()))
	awstest.NoError(t, err)
	awstest.Equal(t, "uses", []string{"bb:v1 thing.example.com default/b"}, lines)
	awstest.Equal(t, "number of findings", 1, len(findings))
	awstest.Contains(t, findings[0], "unreadableReference cluster c: 1 object names an image that the cleaner cannot identify, such as thing.example.com default/a")
}

func TestTheConfigurationSelectsCustomResources(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		resources []wildcard.Pattern
		read      bool
	}{
		{patterns("*"), true},
		{patterns("*.argoproj.io"), true},
		{patterns("tasks.tekton.dev", "rollouts.argoproj.io"), true},
		{patterns("rollouts"), false},
		{patterns("*.tekton.dev"), false},
		{nil, false},
	} {
		f := withRollout()
		s := cluster(t, f)
		s.Resources = c.resources
		lines, findings, err := collect(s.Uses(t.Context()))
		awstest.NoError(t, err)
		awstest.Empty(t, "findings about what is not selected", findings)
		awstest.Equal(t, fmt.Sprint(c.resources), c.read, len(lines) == 1)
		if c.resources == nil {
			awstest.Equal(t, "discovery calls without custom resources", 0, f.count("/apis"))
		}
	}
}

func TestAKindThatMayNotBeListedIsAFinding(t *testing.T) {
	t.Parallel()
	f := newFake()
	var kinds []string
	for i := range 1000 {
		kinds = append(kinds, fmt.Sprintf("g%d.example.com/things/Thing", i))
	}
	f.discovery = discovery(append(kinds, "argoproj.io/rollouts/Rollout", "metrics.k8s.io/pods/PodMetrics", "custom.metrics.k8s.io/x/X",
		"networking.k8s.io/ingresses/Ingress", "policy/poddisruptionbudgets/PodDisruptionBudget")...)
	f.rules = []object{
		{"verbs": []string{"get"}, "apiGroups": []string{"argoproj.io"}, "resources": []string{"*"}},
		{"verbs": []string{"list"}, "apiGroups": []string{"argoproj.io"}, "resources": []string{"rollouts"}, "resourceNames": []string{"web"}},
		{"verbs": []string{"list"}, "apiGroups": []string{"argoproj.io"}, "resources": []string{"rollouts/status"}},
		{"verbs": []string{"list"}, "apiGroups": []string{""}, "resources": []string{"rollouts"}},
	}
	c := cluster(t, f)
	_, findings, err := collect(c.Uses(t.Context()))
	awstest.NoError(t, err)
	awstest.Equal(t, "number of findings", 1, len(findings))
	awstest.Contains(t, findings[0], "kubernetesNotListed cluster c: the cleaner may not list 1001 kinds of objects. ",
		"Of these, rollouts.argoproj.io may name images", "ecrclean kubernetes-role", "protect.eksResources")
	awstest.Equal(t, "requests: discovery, the rights and the built-in kinds", 12, len(f.requests))
	f.discovery = discovery(kinds[:7]...)
	_, findings, _ = collect(c.Uses(t.Context()))
	awstest.Contains(t, findings[0], "may not list 7 kinds of objects. These are things.g0.example.com, ", "and 2 more")
}

// An authorizer such as that of EKS access policies does not list its rules. So the known
// kinds are tried, and those that the configuration names.
func TestIncompleteRightsAreTried(t *testing.T) {
	t.Parallel()
	f := withRollout()
	f.discovery = discovery("argoproj.io/rollouts/Rollout", "example.com/things/Thing", "example.com/others/Other", "keda.sh/scaledjobs/ScaledJob")
	f.custom("example.com", "things", "Thing", thing("t", object{"image": registry + "tt:v1"}))
	f.rules, f.reviews = nil, object{"incomplete": true, "evaluationError": "webhook authorizer does not support user rule resolution"}
	f.on("/apis/keda.sh/v1/scaledjobs", func(w http.ResponseWriter, _ *http.Request) { fail(w, http.StatusForbidden, "cannot list") })
	c := cluster(t, f)
	c.Resources = patterns("*", "things.*")
	lines, findings, err := collect(c.Uses(t.Context()))
	awstest.NoError(t, err)
	awstest.Equal(t, "uses", []string{"web:v1 rollout.argoproj.io default/web", "tt:v1 thing.example.com default/t"}, lines)
	awstest.Equal(t, "requests for a kind that is not known", 0, f.count("/apis/example.com/v1/others"))
	awstest.Equal(t, "number of findings", 1, len(findings))
	awstest.Contains(t, findings[0], "2 kinds of objects", "scaledjobs.keda.sh may name")
}

func TestEveryRightToListCounts(t *testing.T) {
	t.Parallel()
	for _, rule := range []object{
		{"verbs": []string{"*"}, "apiGroups": []string{"*"}, "resources": []string{"*"}},
		{"verbs": []string{"watch", "list"}, "apiGroups": []string{"x", "argoproj.io"}, "resources": []string{"y", "rollouts"}},
		{"verbs": []string{"list"}, "apiGroups": []string{"argoproj.io"}, "resources": []string{"*"}},
	} {
		f := withRollout()
		f.rules = []object{rule}
		wantUses(t, cluster(t, f), "web:v1 rollout.argoproj.io default/web")
	}
}

func TestAListOfCustomResourcesThatFails(t *testing.T) {
	t.Parallel()
	for code, isFinding := range map[int]bool{
		http.StatusForbidden: true, http.StatusNotFound: true, http.StatusMethodNotAllowed: true,
		http.StatusInternalServerError: false, http.StatusServiceUnavailable: false, http.StatusGone: false, http.StatusBadRequest: false,
	} {
		f := withRollout()
		f.on(rollouts, func(w http.ResponseWriter, _ *http.Request) { fail(w, code, "conversion webhook failed") })
		_, findings, err := collect(cluster(t, f).Uses(t.Context()))
		if isFinding {
			awstest.NoError(t, err)
			awstest.Contains(t, strings.Join(findings, "\n"), "Of these, rollouts.argoproj.io may name")
			continue
		}
		awstest.ErrorContains(t, err, "cluster c: list rollouts.argoproj.io: ", "conversion webhook failed", "protect.eksResources", "ClusterRole")
	}
	f := withRollout()
	f.on(rollouts, answer(`{"apiVersion":"other.io/v1","items":[],"kind":"RolloutList","metadata":{}}`))
	wantFailure(t, cluster(t, f), "list rollouts.argoproj.io: ", `"RolloutList" of "other.io/v1"`, "protect.eksResources")
	f.on(rollouts, answer(`{"apiVersion":"argoproj.io/v1","items":[],"kind":"OtherNameOfAList","metadata":{}}`))
	wantUses(t, cluster(t, f))
}

func TestDiscoveryThatFails(t *testing.T) {
	t.Parallel()
	for path, doing := range map[string]string{
		"/apis": "list the API groups: ", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews": "SelfSubjectRulesReview: ",
	} {
		for want, handler := range map[string]http.HandlerFunc{
			"system:basic-user": func(w http.ResponseWriter, _ *http.Request) { fail(w, http.StatusForbidden, "no") },
			"Kubernetes API":    func(w http.ResponseWriter, _ *http.Request) { http.NotFound(w, nil) },
			"500 Internal":      func(w http.ResponseWriter, _ *http.Request) { fail(w, http.StatusInternalServerError, "no") },
			"answer":            answer(`{"kind":"SecretList","items":[`),
		} {
			f := withRollout()
			f.on(path, handler)
			wantFailure(t, cluster(t, f), doing, want)
		}
	}
	f := withRollout()
	f.discovery = `{"kind":"SecretList","items":[]}`
	wantFailure(t, cluster(t, f), `list the API groups: the answer is a "SecretList"`)
}

// A server behind a proxy may not know the aggregated form.
func TestDiscoveryGroupByGroup(t *testing.T) {
	t.Parallel()
	f := withRollout()
	f.discovery = `{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"apps","versions":[{"groupVersion":"apps/v1","version":"v1"}]},
		{"name":"argoproj.io","versions":[{"groupVersion":"argoproj.io/v1","version":"v1"},{"groupVersion":"argoproj.io/v1alpha1","version":"v1alpha1"}]},
		{"name":"gone.example.com","versions":[{"version":"v1"}]},{"name":"down.example.com","versions":[{"version":"v1"}]}]}`
	resources := `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"argoproj.io/v1","resources":[
		{"name":"rollouts","singularName":"rollout","namespaced":true,"kind":"Rollout","verbs":["get","list"]},
		{"name":"rollouts/status","kind":"Rollout","verbs":["get","list"]},{"name":"evictions","kind":"Eviction","verbs":["create"]}]}`
	f.on("/apis/argoproj.io/v1", answer(resources))
	f.on("/apis/argoproj.io/v1alpha1", answer(resources))
	f.on("/apis/down.example.com/v1", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "service unavailable", http.StatusServiceUnavailable)
	})
	lines, findings, err := collect(cluster(t, f).Uses(t.Context()))
	awstest.NoError(t, err)
	awstest.Equal(t, "uses", []string{"web:v1 rollout.argoproj.io default/web"}, lines)
	awstest.Equal(t, "number of findings", 1, len(findings))
	awstest.Contains(t, findings[0], "the server of the API group down.example.com does not answer")
	f.on("/apis/argoproj.io/v1", func(w http.ResponseWriter, _ *http.Request) { fail(w, http.StatusForbidden, "no") })
	wantFailure(t, cluster(t, f), "list the kinds of apis/argoproj.io/v1: 403")
}

// The kinds of an API group are not known while its server is down. If the cleaner may list
// some of them, they may name images.
func TestAnAPIGroupThatIsDown(t *testing.T) {
	t.Parallel()
	list := []string{"list"}
	for _, c := range []struct {
		group, selected string
		rule            object
		want            string // "", "finding" or "failure"
	}{
		{"apps.openshift.io", "*", object{"verbs": list, "apiGroups": []string{"apps.openshift.io"}, "resources": []string{"deploymentconfigs"}}, "failure"},
		{"apps.openshift.io", "*", object{"verbs": list, "apiGroups": []string{"*"}, "resources": []string{"*"}}, "failure"},
		{"apps.openshift.io", "deploymentconfigs.apps.*", object{"verbs": list, "apiGroups": []string{"*"}, "resources": []string{"*"}}, "failure"},
		{"apps.openshift.io", "deploymentconfigs.apps.openshift.io", object{"verbs": list, "apiGroups": []string{"*"}, "resources": []string{"*"}}, "failure"},
		{"apps.openshift.io", "rollouts.argoproj.io", object{"verbs": list, "apiGroups": []string{"*"}, "resources": []string{"*"}}, ""},
		{"apps.openshift.io", "*.argoproj.io", object{"verbs": list, "apiGroups": []string{"*"}, "resources": []string{"*"}}, ""},
		{"apps.openshift.io", "*", object{"verbs": list, "apiGroups": []string{"argoproj.io"}, "resources": []string{"*"}}, "finding"},
		{"custom.metrics.k8s.io", "*", object{"verbs": list, "apiGroups": []string{"*"}, "resources": []string{"*"}}, ""},
	} {
		f := newFake()
		f.discovery = discoveryOf(discoveryGroup(c.group, "", "", "Stale"))
		f.rules = []object{c.rule}
		s := cluster(t, f)
		s.Resources = patterns(c.selected)
		_, findings, err := collect(s.Uses(t.Context()))
		switch c.want {
		case "failure":
			awstest.ErrorContains(t, err, "list the kinds of the API group apps.openshift.io: its server does not answer", "APIService", "protect.eksResources", "ClusterRole")
		case "finding":
			awstest.NoError(t, err)
			awstest.Contains(t, strings.Join(findings, "\n"), "kubernetesNotListed cluster c: the server of the API group apps.openshift.io does not answer")
		default:
			awstest.NoError(t, err)
			awstest.Empty(t, fmt.Sprintf("%+v: findings", c), findings)
		}
	}
}

func TestKnownResourcesAreCustom(t *testing.T) {
	t.Parallel()
	known := kubernetes.KnownResources()
	if !slices.IsSorted(known) || len(slices.Compact(slices.Clone(known))) != len(known) || len(known) < 40 {
		t.Errorf("not sorted or repeated: %v", known)
	}
	_, err := kubernetes.RoleYAML(known)
	awstest.NoError(t, err)
}
