package ecs_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	configuration "github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/ecs"
)

// A fakeECS plays ECS: what it holds is what it answers, in pages.
type fakeECS struct {
	inusetest.Recorder
	clusters    []string
	tasks       map[string][]object // by cluster
	services    map[string][]object // by cluster
	definitions map[string][]string // images by family:revision; only those listed are active
	inactive    map[string]bool     // task definitions that are not listed
	deployments map[string][]object // by service ARN
	revisions   map[string]object   // by ARN
	taskSets    map[string][]object // by service ARN
	daemons     map[string][]object // by cluster
	// deployments and revisions of daemons are among those of services
	daemonDefinitions map[string][]string // images by family:revision; all are active
	registered        map[string]int      // when a task definition was registered, by family:revision
	page              int                 // items on a page; 0 is all
	faults            map[string]fault    // by operation
	answers           map[string]object   // by operation, in place of those from the above
	// before is called before each answer and may change the rest.
	before func(operation string, in object)
	state  sync.Mutex
}

// errorPage is what some emulators answer to operations that they do not know.
var errorPage = fault{code: "an error page"}

// everything are the settings that ask every question.
var everything = configuration.Default().Protect.ECS

// source returns the source of a client of the fake. It asks every question.
func (f *fakeECS) source(t *testing.T, revisions int) ecs.Source {
	t.Helper()
	return ecs.Source{API: awsecs.NewFromConfig(config(t, f)), Settings: everything, Revisions: revisions}
}

func (f *fakeECS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var in object
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		panic(err)
	}
	defer f.Begin(operation)()
	f.state.Lock()
	defer f.state.Unlock()
	if f.before != nil {
		f.before(operation, in)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if fault, ok := f.faults[operation]; ok {
		if fault == errorPage {
			http.Error(w, "<html>Internal Server Error</html>", http.StatusInternalServerError)
			return
		}
		answer(w, fault.status, object{"__type": fault.code, "message": fault.message})
		return
	}
	if out, ok := f.answers[operation]; ok {
		answer(w, http.StatusOK, out)
		return
	}
	cluster, _ := in["cluster"].(string)
	if of, ok := in["clusterArn"].(string); ok {
		cluster = of
	}
	if cluster != "" && !slices.Contains(f.clusters, cluster) {
		answer(w, http.StatusBadRequest, object{"__type": "ClusterNotFoundException", "message": "Cluster not found."})
		return
	}
	out := f.operations(cluster)[operation](in)
	if out["__type"] != nil {
		answer(w, http.StatusBadRequest, out)
		return
	}
	answer(w, http.StatusOK, out)
}

func (f *fakeECS) operations(cluster string) map[string]func(object) object {
	return map[string]func(object) object{
		"ListClusters": func(in object) object { return f.list("clusterArns", f.clusters, in) },
		"ListTasks": func(in object) object {
			return f.list("taskArns", arns("taskArn", f.tasks[cluster], func(task object) bool {
				return task["desiredStatus"] == in["desiredStatus"]
			}), in)
		},
		"DescribeTasks": func(in object) object { return describe("tasks", "taskArn", f.tasks[cluster], in["tasks"], 100) },
		"ListServices": func(in object) object {
			return f.list("serviceArns", arns("serviceArn", f.services[cluster], nil), in)
		},
		"DescribeServices": func(in object) object {
			return describe("services", "serviceArn", f.services[cluster], in["services"], 10)
		},
		"ListTaskDefinitionFamilies": f.listFamilies,
		"ListTaskDefinitions":        f.listDefinitions,
		"DescribeTaskDefinition":     f.describeDefinition,
		"ListServiceDeployments": func(in object) object {
			return f.listObjects("serviceDeployments", f.deployments[in["service"].(string)], in)
		},
		"DescribeServiceDeployments": func(in object) object {
			all := slices.Concat(slices.Collect(maps.Values(f.deployments))...)
			return describe("serviceDeployments", "serviceDeploymentArn", all, in["serviceDeploymentArns"], 20)
		},
		"DescribeServiceRevisions": func(in object) object {
			all := slices.Collect(maps.Values(f.revisions))
			return describe("serviceRevisions", "serviceRevisionArn", all, in["serviceRevisionArns"], 20)
		},
		"DescribeTaskSets": func(in object) object {
			return object{"taskSets": append([]object{}, f.taskSets[in["service"].(string)]...)}
		},
		"ListDaemons":               func(in object) object { return f.listObjects("daemonSummariesList", f.daemons[cluster], in) },
		"DescribeDaemon":            f.describeDaemon,
		"ListDaemonTaskDefinitions": f.listDaemonDefinitions,
		"ListDaemonDeployments": func(in object) object {
			return f.listObjects("daemonDeployments", f.deployments[in["daemonArn"].(string)], in)
		},
		"DescribeDaemonDeployments": func(in object) object {
			all := slices.Concat(slices.Collect(maps.Values(f.deployments))...)
			return describe("daemonDeployments", "daemonDeploymentArn", all, in["daemonDeploymentArns"], 20)
		},
		"DescribeDaemonRevisions": func(in object) object {
			all := slices.Collect(maps.Values(f.revisions))
			return describe("daemonRevisions", "daemonRevisionArn", all, in["daemonRevisionArns"], 20)
		},
		"DescribeDaemonTaskDefinition": func(in object) object {
			name := strings.TrimPrefix(in["daemonTaskDefinition"].(string), arn("daemon-task-definition", ""))
			return f.described("daemonTaskDefinition", name, f.daemonDefinitions)
		},
	}
}

func (f *fakeECS) describeDaemon(in object) object {
	for _, daemon := range slices.Concat(slices.Collect(maps.Values(f.daemons))...) {
		if daemon["daemonArn"] == in["daemonArn"] {
			return object{"daemon": daemon}
		}
	}
	return object{"__type": "DaemonNotFoundException", "message": "The specified daemon wasn't found."}
}

func (f *fakeECS) listDaemonDefinitions(in object) object {
	if in["status"] != "ACTIVE" || in["sort"] != "DESC" {
		panic("daemon task definitions that are not active, or oldest first")
	}
	listed := []object{}
	for _, name := range newestFirst(slices.Collect(maps.Keys(f.daemonDefinitions))) {
		listed = append(listed, object{"arn": arn("daemon-task-definition", name)})
	}
	return f.listObjects("daemonTaskDefinitions", listed, in)
}

// list answers with one page of the items.
func (f *fakeECS) list(name string, items []string, in object) object {
	objects := make([]object, len(items))
	for i, item := range items {
		objects[i] = object{"": item}
	}
	out := f.listObjects(name, objects, in)
	page := make([]string, 0, len(items))
	for _, o := range out[name].([]object) {
		page = append(page, o[""].(string))
	}
	out[name] = page
	return out
}

func (f *fakeECS) listObjects(name string, items []object, in object) object {
	size := f.page
	if limit, ok := in["maxResults"].(float64); ok && (size == 0 || int(limit) < size) {
		size = int(limit)
	}
	start := 0
	if token, ok := in["nextToken"].(string); ok {
		start, _ = strconv.Atoi(token)
	}
	end := min(start+size, len(items))
	out := object{name: append([]object{}, items[start:end]...)}
	if end < len(items) {
		out["nextToken"] = strconv.Itoa(end)
	}
	return out
}

func arns(key string, items []object, keep func(object) bool) []string {
	var found []string
	for _, item := range items {
		if keep == nil || keep(item) {
			found = append(found, item[key].(string))
		}
	}
	return found
}

// describe answers with those items that are asked for, of which there must be
// no more than ECS allows.
func describe(name, key string, items []object, asked any, most int) object {
	found, failures := []object{}, []object{}
	for i, arn := range asked.([]any) {
		at := slices.IndexFunc(items, func(item object) bool { return item[key] == arn })
		switch {
		case i >= most:
			panic("too many " + name)
		case at < 0:
			failures = append(failures, object{"arn": arn, "reason": "MISSING"})
		default:
			found = append(found, items[at])
		}
	}
	return object{name: found, "failures": failures}
}

// active returns the listed task definitions, the last family and revision first.
func (f *fakeECS) active() []string {
	return newestFirst(slices.DeleteFunc(slices.Collect(maps.Keys(f.definitions)), func(name string) bool { return f.inactive[name] }))
}

func newestFirst(names []string) []string {
	slices.SortFunc(names, func(a, b string) int {
		familyA, revisionA, _ := strings.Cut(a, ":")
		familyB, revisionB, _ := strings.Cut(b, ":")
		if familyA != familyB {
			return strings.Compare(familyB, familyA)
		}
		numberA, _ := strconv.Atoi(revisionA)
		numberB, _ := strconv.Atoi(revisionB)
		return numberB - numberA
	})
	return names
}

func (f *fakeECS) listFamilies(in object) object {
	if in["status"] != "ACTIVE" {
		panic("families that are not active")
	}
	var families []string
	for _, name := range f.active() {
		family, _, _ := strings.Cut(name, ":")
		families = append(families, family)
	}
	return f.list("families", slices.Compact(families), in)
}

// listDefinitions takes the family for a prefix, as emulators do.
func (f *fakeECS) listDefinitions(in object) object {
	if in["status"] != "ACTIVE" || in["sort"] != "DESC" {
		panic("task definitions that are not active, or oldest first")
	}
	var listed []string
	for _, name := range f.active() {
		if strings.HasPrefix(name, in["familyPrefix"].(string)) {
			listed = append(listed, arn("task-definition", name))
		}
	}
	return f.list("taskDefinitionArns", listed, in)
}

// describeDefinition takes a family for its newest active revision. It does not know daemon
// task definitions.
func (f *fakeECS) describeDefinition(in object) object {
	name, isARN := strings.CutPrefix(in["taskDefinition"].(string), arn("task-definition", ""))
	if !isARN && !strings.Contains(name, ":") {
		for _, active := range f.active() {
			if strings.HasPrefix(active, name+":") {
				name = active
				break
			}
		}
	}
	return f.described("taskDefinition", name, f.definitions)
}

func (f *fakeECS) described(member, name string, definitions map[string][]string) object {
	if _, known := definitions[name]; !known {
		return object{"__type": "ClientException", "message": "Unable to describe task definition."}
	}
	containers := []object{}
	for i, image := range definitions[name] {
		containers = append(containers, object{"name": "c" + strconv.Itoa(i), "image": image})
	}
	out := object{"containerDefinitions": containers}
	if at, known := f.registered[name]; known {
		out["registeredAt"] = at
	}
	return object{member: out}
}

// arn returns the ARN of a thing of ECS.
func arn(kind, name string) string {
	return "arn:aws:ecs:" + region + ":123456789012:" + kind + "/" + name
}

// task returns a task whose containers run the images; one that ends in
// " DIGEST" has that digest recorded.
func task(name, status, definition string, images ...string) object {
	containers := []object{}
	for _, image := range images {
		image, digest, _ := strings.Cut(image, " ")
		container := object{"image": image}
		if digest != "" {
			container["imageDigest"] = digest
		}
		containers = append(containers, container)
	}
	return object{
		"taskArn": arn("task", name), "desiredStatus": status, "lastStatus": status,
		"taskDefinitionArn": arn("task-definition", definition), "containers": containers,
	}
}

// deployed returns an ECS with a task and a service.
func deployed() *fakeECS {
	r := arn("service-revision", "r")
	return &fakeECS{
		clusters:    []string{"prod"},
		tasks:       map[string][]object{"prod": {task("t", "RUNNING", "app:1", registry+"app:v1 "+sha("a"))}},
		services:    map[string][]object{"prod": {{"serviceArn": arn("service", "s"), "taskDefinition": arn("task-definition", "app:1")}}},
		definitions: map[string][]string{"app:1": {registry + "app:v1"}},
		deployments: map[string][]object{arn("service", "s"): {deployment("d", "SUCCESSFUL", 1, "r")}},
		revisions:   map[string]object{r: revision("r", registry+"app:v1 "+sha("b"))},
	}
}

// whole returns an ECS in which every operation has an answer that names something.
func whole() *fakeECS {
	f := deployed()
	f.services["prod"] = append(f.services["prod"], object{"serviceArn": arn("service", "sets"), "deploymentController": object{"type": "EXTERNAL"}})
	f.taskSets = map[string][]object{arn("service", "sets"): {{"taskSetArn": arn("task-set", "1"), "taskDefinition": arn("task-definition", "app:1")}}}
	f.daemons = map[string][]object{"prod": {daemon("agent", "r1")}}
	f.deployments[arn("daemon", "prod/agent")] = []object{daemonDeployment("d1", "SUCCESSFUL", 1, "r1")}
	f.revisions["daemon r1"] = daemonRevision("r1", "agent:1", registry+"agent:v1 "+sha("d"))
	f.daemonDefinitions = map[string][]string{"agent:1": {registry + "agent:v1"}}
	return f
}

// daemon returns a daemon that runs the revisions.
func daemon(name string, revisions ...string) object {
	current := []object{}
	for _, r := range revisions {
		current = append(current, object{"arn": arn("daemon-revision", r)})
	}
	return object{"daemonArn": arn("daemon", "prod/"+name), "status": "ACTIVE", "currentRevisions": current}
}

// daemonDeployment returns a deployment of a daemon revision in place of others.
func daemonDeployment(name, status string, createdAt int, target string, sources ...string) object {
	summaries := []object{}
	for _, source := range sources {
		summaries = append(summaries, object{"arn": arn("daemon-revision", source)})
	}
	return object{
		"daemonDeploymentArn": arn("daemon-deployment", name), "status": status, "createdAt": createdAt,
		"targetDaemonRevisionArn": arn("daemon-revision", target),
		"targetDaemonRevision":    object{"arn": arn("daemon-revision", target)}, "sourceDaemonRevisions": summaries,
	}
}

// daemonRevision returns a revision of a daemon with that daemon task definition.
func daemonRevision(name, definition string, images ...string) object {
	return object{
		"daemonRevisionArn": arn("daemon-revision", name), "daemonTaskDefinitionArn": arn("daemon-task-definition", definition),
		"containerImages": task(name, "", "", images...)["containers"],
	}
}

// deployment returns a deployment of a revision in place of others.
func deployment(name, status string, createdAt int, target string, sources ...string) object {
	summaries := []object{}
	for _, source := range sources {
		summaries = append(summaries, object{"arn": arn("service-revision", source)})
	}
	return object{
		"serviceDeploymentArn": arn("service-deployment", name), "status": status, "createdAt": createdAt,
		"targetServiceRevisionArn": arn("service-revision", target),
		"targetServiceRevision":    object{"arn": arn("service-revision", target)}, "sourceServiceRevisions": summaries,
	}
}

// revision returns a service revision whose containers have the images, as in task.
func revision(name string, images ...string) object {
	return object{
		"serviceRevisionArn": arn("service-revision", name),
		"containerImages":    task(name, "", "", images...)["containers"],
	}
}

type object = inusetest.Object

// A fault is an answer that is an error.
type fault struct {
	status        int
	code, message string
}

const (
	region   = inusetest.Region
	registry = inusetest.Registry
)

var (
	now         = inusetest.Now
	sha         = inusetest.Digest
	config      = inusetest.Config
	configFor   = inusetest.ConfigFor
	answer      = inusetest.Answer
	uses        = inusetest.Uses
	wantUses    = inusetest.WantUses
	wantFailure = inusetest.WantFailure
)
