package list_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/list"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// printed returns a list as kubectl prints it: objects of each built-in kind with images,
// of one without, and of custom resources.
func printed(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/kubectl-list.json")
	awstest.NoError(t, err)
	return string(text)
}

var printedUses = []string{
	"web:v3 pod prod/web-1", "web:v3@" + sha("a") + " pod prod/web-1 runs", "migrate@" + sha("b") + " pod prod/web-1",
	"debug:1 pod prod/web-1", "debug:1 pod prod/web-1 runs", "model:1 pod prod/web-1", "model:1@" + sha("c") + " pod prod/web-1 runs",
	"its imageID \"" + sha("d") + "\" is not the digest of a manifest; the image with the tag is kept, which may be a different one pod prod/web-1",
	"docker.io/coredns:1 pod kube-system/dns",
	"web:v4 deployment prod/web", "web:v2 replicaset prod/web-6c8", "db:16 statefulset prod/db", "agent:1 daemonset prod/agent",
	"load:1 job prod/load", "cron:2 cronjob prod/nightly", "old:1 replicationcontroller prod/old", "pt:1 podtemplate prod/pt",
	"db:15 controllerrevision prod/db-6c8",
	"base:3 task prod/build", "lint:v1 task prod/build", "web task prod/build", "train:v9 job prod/train",
}

func TestListReadsWhatKubectlPrints(t *testing.T) {
	t.Parallel()
	wantUses(t, read(printed(t)), slices.Clone(printedUses)...)
	source := read("\ufeff\n" + strings.ReplaceAll(printed(t), "\n", "\r\n"))
	source.Aliases = reference.Aliases{"proxy.example.com": {ID: "123456789012", Region: region, Prefix: "mirror"}}
	scan := inuse.Scope{Aliases: source.Aliases}.Run(t.Context(), []inuse.Source{source}, now)
	anyTag := slices.ContainsFunc(scan.Uses, func(u inuse.Use) bool { return u.AllImages && u.Reference.Repository == "web" })
	aliased := slices.ContainsFunc(scan.Uses, func(u inuse.Use) bool { return u.Reference.Repository == "mirror/team/cache" && u.Reference.Tag == "1" })
	if len(scan.Failed) > 0 || len(scan.Uses) != len(printedUses)+1 || !anyTag || !aliased {
		t.Errorf("got uses %+v, failed %v", scan.Uses, scan.Failed)
	}
}

// A list can be in another order, nested, or a single object.
func TestListReadsKubernetesObjectsInAnyForm(t *testing.T) {
	t.Parallel()
	var doc struct{ Items []json.RawMessage }
	awstest.NoError(t, json.Unmarshal([]byte(printed(t)), &doc))
	all := marshal(t, doc.Items)
	for _, text := range []string{
		`{"items": ` + all + `, "kind": "List", "apiVersion": "v1"}`,
		`{"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": ""}, "items": ` + all + `}`,
		`{"metadata": {}, "kind": "List", "items": [{"kind": "List", "items": []}, {"items": ` + all + `, "kind": "List"}]}`,
	} {
		wantUses(t, read(text), slices.Clone(printedUses)...)
	}
	wantUses(t, read(string(doc.Items[2])), "web:v4 deployment prod/web")
	wantUses(t, read(`{"spec": {"containers": [{"image": "`+registry+`app:v1"}]}, "metadata": {"name": "x"}, "kind": "Pod"}`), "app:v1 pod x")
}

func TestListReadsImageNamesAsKubernetesDoes(t *testing.T) {
	t.Parallel()
	pod := func(image, id string) string {
		return `{"kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [{"name": "c", "image": "` + image + `"}]},
			"status": {"containerStatuses": [{"name": "c", "imageID": "` + id + `"}]}}`
	}
	wantUses(t, read(pod("nginx", "")), "docker.io/nginx:latest pod x")
	wantUses(t, read(pod("two words", "")), `its image is "two words", which is not a reference pod x`)
	wantUses(t, read(pod("two words", "r.example.com/a@"+sha("a"))), `its image is "two words", which is not a reference pod x`,
		"@"+sha("a")+" pod x", "r.example.com/a@"+sha("a")+" pod x")
	source := read(pod("mirror/app:v1", ""))
	source.Aliases = reference.Aliases{"mirror": {ID: "123456789012", Region: region}}
	scan := inuse.Scope{Aliases: source.Aliases}.Run(t.Context(), []inuse.Source{source}, now)
	if len(scan.Uses) != 1 || scan.Uses[0].Reference.String() != registry+"app:v1" {
		t.Errorf("got uses %v, failed %v", scan.Uses, scan.Failed)
	}
	wantUses(t, read(`{"kind": "Task", "metadata": {"name": "x"}, "spec": "`+registry+`{{app}}:v1"}`),
		registry+"{{app}}:v1: the name of the repository is not complete, or is a template or a pattern task x")
}

// Operators name the images that they start in arguments and in the environment.
func TestListReadsTheArgumentsOfWorkloads(t *testing.T) {
	t.Parallel()
	wantUses(t, read(`{"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "x"}, "spec": {"template": {"spec": {"containers": [
		{"name": "c", "image": "`+registry+`app:v1", "env": [{"name": "RELATED_IMAGE_X", "value": "`+registry+`related:v1"}]}]}}}}`),
		"app:v1 deployment x", "related:v1 deployment x")
}

// kubectl indents an object of 1 MB to several.
func TestListReadsLargeObjects(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	nodes := strings.Repeat(`{"id":"x","inputs":{"parameters":[{"name":"a"}]}},`, 20<<10)
	awstest.NoError(t, json.Indent(&text, []byte(`{"kind":"Workflow","metadata":{"name":"x"},"spec":"`+registry+`app:v1","status":{"nodes":[`+nodes+`1]}}`), "", "    "))
	if len(nodes) > 1<<20 || text.Len() < 4<<20 {
		t.Fatalf("%d bytes are %d with spaces", len(nodes), text.Len())
	}
	wantUses(t, read(text.String()), "app:v1 workflow x")
}

// A scan keeps a few uses of an image, and each use of all images.
func TestListKeepsUsesOfAllImages(t *testing.T) {
	t.Parallel()
	var items []string
	for i := range 10 {
		items = append(items, fmt.Sprintf(`{"kind": "Task", "metadata": {"name": "t%d"}, "spec": "%sapp"}`, i, registry))
	}
	items = append(items, `{"kind": "Task", "metadata": {"name": "all"}, "spec": "`+registry+`app:{{tag}}"}`)
	scan := inuse.Scope{}.Run(t.Context(), []inuse.Source{read(`{"items": [` + strings.Join(items, ",") + `], "kind": "List"}`)}, now)
	if len(scan.Uses) != 6 || !slices.ContainsFunc(scan.Uses, func(u inuse.Use) bool { return u.AllImages }) {
		t.Errorf("got uses %v, failed %v", scan.Uses, scan.Failed)
	}
}

func TestListFailsOnKubernetesListsThatAreNotWhole(t *testing.T) {
	t.Parallel()
	const bad = `{"kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [{"name": "c"}]}}`
	nested := `{"kind": "Pod"}`
	for range 7 {
		nested = `{"kind": "List", "items": [` + nested + `]}`
	}
	for text, want := range map[string]string{
		`{"apiVersion": "v1", "kind": "List", "metadata": {}}`:                        "the list has no items",
		`{"apiVersion": "v1", "items": null, "kind": "List"}`:                         "items is not an array",
		`{"apiVersion": "v1", "items": {}, "kind": "List"}`:                           "items is not an array",
		`{"apiVersion": "v1", "items": [], "kind": "List", "metadata": {}}`:           "the list has no objects; kubectl also writes",
		`{"items": [{"items": [], "kind": "PodList"}], "kind": "List"}`:               "the list has no objects",
		`{"items": [], "kind": "Pod"}`:                                                `an object of the kind "Pod" has items`,
		`{"items": []}`:                                                               `an object of the kind "" has items`,
		`{"items": ["nginx"], "kind": "List"}`:                                        "an item is not an object",
		`{"items": [null], "kind": "List"}`:                                           "an item is not an object",
		`{"items": [], "kind": "List", "metadata": {"continue": "x"}}`:                "one page of a longer list",
		"{\"items\": [\n{\"metadata\": {}}], \"kind\": \"PodList\"}":                  "line 2: an item of the kind \"\" is not an object of a cluster; write the list with kubectl get -o json",
		`{"kind": "Status", "apiVersion": "v1", "status": "Failure"}`:                 `an item of the kind "Status" is not`,
		`{"kind": "Table", "apiVersion": "meta.k8s.io/v1", "rows": []}`:               `of the kind "Table"`,
		`{"items": [` + bad + `, ` + bad + `], "kind": "List"}`:                       `line 1: pod x: its container "c" has no image; line 1: pod x`,
		`{"kind": "Pod", "spec": {"containers": [{"image": "` + registry + `App"}]}}`: "line 1: pod : image reference",
		`{"kind": "Pod", "kind": "Node"}`:                                             `"kind" is repeated in an object`,
		`{"kind": 5}`:                                                                 "cannot unmarshal number",
		`{"kind": "Pod", 5}`:                                                          "invalid character",
		`{"kind": "Node"} {"items": [], "kind": "List"}`:                              "there is text after the end of the list",
		`{"items": [], "kind": "List", "version": 1}`:                                 `"version" is not a member of a Kubernetes list`,
		`{"version": 1, "items": []}`:                                                 `"items" is repeated or not a member`,
		nested:                                                                        "a list is in more than 5 others",
		`{"kind": "ConfigMap", "data": "` + strings.Repeat("x", 8<<20) + `"}`:         "an object has more than 8 MiB",
		`{"kind": "ConfigMap", "data": "` + strings.Repeat("x", 24<<20) + `"}`:        "a value has more than 8192 KiB",
	} {
		wantFailure(t, read(text), want)
	}
}

// A list that is cut short anywhere fails.
func TestListFailsWhenAKubernetesListIsCutShort(t *testing.T) {
	t.Parallel()
	text := strings.TrimSpace(printed(t))
	for end := 1; end < len(text); end += 97 {
		if _, err := uses(t, read(text[:end])); err == nil {
			t.Fatalf("the first %d bytes are read as a whole list", end)
		}
	}
	wantFailure(t, read(text[:len(text)-1]), "unexpected EOF")
}

func TestKubernetesListsGrowOld(t *testing.T) {
	t.Parallel()
	old := func(age time.Duration) list.Source {
		return list.New("l", opened(io.NopCloser(strings.NewReader(printed(t))), now.Add(-age)), now, 24*time.Hour)
	}
	wantUses(t, old(24*time.Hour), slices.Clone(printedUses)...)
	wantFailure(t, old(25*time.Hour), "the list is more than 24 hours old; write it again")
}

// Every image of a generated list is a use, or the list has failed.
func FuzzKubernetesList(f *testing.F) {
	f.Add("Pod", "v1", "app:v1", `"a": 1`)
	f.Add("Task", "tekton.dev/v1", "app", `"spec": {"containers": []}`)
	f.Add("List", "v1", "app@"+sha("a"), `"items": []`)
	f.Fuzz(func(t *testing.T, kind, version, name, more string) {
		text := fmt.Sprintf(`{"metadata": {"name": "x"}, "kind": %s, "apiVersion": %s, "spec": {"containers": [{"image": %s}]}, %s}`,
			marshal(t, kind), marshal(t, version), marshal(t, registry+name), more)
		got, err := uses(t, read(`{"items": [`+text+`], "kind": "List"}`))
		if len(got) == 0 && err == nil {
			t.Errorf("%s is read as a list without uses", text)
		}
	})
}

func marshal(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	awstest.NoError(t, err)
	return string(text)
}
