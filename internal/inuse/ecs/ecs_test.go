package ecs_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/ecs"
)

func TestECSNamesTheImagesOfTasksByTheirRecordedDigests(t *testing.T) {
	t.Parallel()
	f := &fakeECS{
		clusters: []string{"prod", "empty"},
		tasks: map[string][]object{"prod": {
			task("running", "RUNNING", "app:1", registry+"app:v1 "+sha("a"), registry+"sidecar "+sha("b"), "nginx:1.27 "+sha("c")),
			task("stopped", "STOPPED", "gone:1", registry+"app:v0 "+sha("d")),
			task("pending", "RUNNING", "app:1", registry+"app:v1", ""),
			task("pinned", "RUNNING", "app:1", registry+"app@"+sha("e")+" "+sha("f"), registry+"app:v2@"+sha("e")+" "+sha("e")),
		}},
		definitions: map[string][]string{"app:1": {registry + "app:v1", "public.ecr.aws/x/y"}, "gone:1": {registry + "gone"}},
		inactive:    map[string]bool{"gone:1": true},
	}
	wantUses(t, f.source(t, 0),
		"app:v1@"+sha("a")+" task/running",
		"sidecar:latest@"+sha("b")+" task/running",
		"app:v0@"+sha("d")+" task/stopped",
		"app:v1 task/pending",
		"app@"+sha("e")+" task/pinned",
		"app@"+sha("f")+" task/pinned",
		"app:v2@"+sha("e")+" task/pinned",
		"app:v1 task-definition/app:1",
		"nginx:1.27@"+sha("c")+" task/running",
		"public.ecr.aws/x/y:latest task-definition/app:1",
	)
}

func TestECSReadsEveryPageAndDescribesEachOnce(t *testing.T) {
	t.Parallel()
	f := crowded()
	got, err := uses(t, f.source(t, 5))
	// 230 tasks and their task definition, 230 services, 70 families.
	awstest.NoError(t, err)
	awstest.Equal(t, "uses", 230+1+230+70, len(got))
	for operation, calls := range map[string]int{
		"ListClusters": 2, "DescribeTasks": 3, "ListServices": 8 + 39, "DescribeServices": 23,
		"ListTaskDefinitionFamilies": 3, "DescribeTaskDefinition": 71,
	} {
		awstest.Equal(t, operation+" calls", calls, f.Count(operation))
	}
	if f.AtATime() > 8 {
		t.Errorf("%d calls at a time, want 8 at most", f.AtATime())
	}
}

// crowded returns 40 clusters, one of them full, and 70 families.
func crowded() *fakeECS {
	f := &fakeECS{page: 30, tasks: map[string][]object{}, services: map[string][]object{}}
	for i := range 40 {
		f.clusters = append(f.clusters, fmt.Sprint("cluster", i))
	}
	full := f.clusters[7]
	for i := range 230 {
		status := []string{"RUNNING", "STOPPED"}[i%2]
		f.tasks[full] = append(f.tasks[full], task(fmt.Sprint(i), status, "app:1", fmt.Sprint(registry, "app:t", i)))
		f.services[full] = append(f.services[full], object{"serviceArn": fmt.Sprint("s", i), "taskDefinition": arn("task-definition", "app:1")})
	}
	f.definitions = map[string][]string{"app:1": {registry + "app:s"}}
	f.inactive = map[string]bool{"app:1": true}
	for i := range 70 {
		f.definitions[fmt.Sprintf("family%02d:1", i)] = []string{fmt.Sprint(registry, "app:f", i)}
	}
	return f
}

func TestECSNamesTheImagesOfServicesWhateverTheirCount(t *testing.T) {
	t.Parallel()
	f := &fakeECS{
		clusters: []string{"prod"},
		services: map[string][]object{"prod": {
			{"serviceArn": arn("service", "idle"), "status": "ACTIVE", "desiredCount": 0, "taskDefinition": arn("task-definition", "idle:1")},
			{"serviceArn": arn("service", "leaving"), "status": "DRAINING", "taskDefinition": arn("task-definition", "leaving:1")},
			{"serviceArn": arn("service", "left"), "status": "INACTIVE", "taskDefinition": arn("task-definition", "left:1")},
			{
				"serviceArn": arn("service", "moving"), "status": "ACTIVE", "taskDefinition": arn("task-definition", "moving:2"),
				"deployments": []object{{"status": "PRIMARY", "taskDefinition": arn("task-definition", "moving:2")}, {"status": "ACTIVE", "taskDefinition": arn("task-definition", "moving:1")}},
			},
			{
				"serviceArn": arn("service", "green"), "status": "ACTIVE", "deploymentController": object{"type": "CODE_DEPLOY"},
				"taskSets": []object{{"taskDefinition": arn("task-definition", "green:3")}},
			},
		}},
		definitions: map[string][]string{
			"idle:1": {registry + "idle"}, "leaving:1": {registry + "leaving"}, "left:1": {registry + "left"},
			"moving:1": {registry + "moving:one"}, "moving:2": {registry + "moving:two"}, "green:3": {registry + "green"},
		},
	}
	wantUses(t, f.source(t, 0),
		"idle:latest service/idle", "leaving:latest service/leaving",
		"moving:one service/moving", "moving:two service/moving", "green:latest service/green")
	awstest.Equal(t, "services that ECS deploys itself and is asked for", 3, f.Count("ListServiceDeployments"))
}

func TestECSNamesTheNewestRevisionsOfActiveFamilies(t *testing.T) {
	t.Parallel()
	f := &fakeECS{
		definitions: map[string][]string{
			"web:9": {registry + "web:9"}, "web:10": {registry + "web:10", registry + "init"}, "web:8": {registry + "web:8"},
			"web-admin:1": {registry + "web-admin:1"}, "web:11": {registry + "web:11"},
		},
		inactive: map[string]bool{"web:11": true},
	}
	wantUses(t, f.source(t, 2),
		"web:10 task-definition/web:10", "init:latest task-definition/web:10", "web:9 task-definition/web:9",
		"web-admin:1 task-definition/web-admin:1")
	none := &fakeECS{definitions: f.definitions}
	wantUses(t, none.source(t, 0))
	awstest.Equal(t, "calls for families where no revision counts", 0, none.Count("ListTaskDefinitionFamilies"))
}

// Who asks for fewer revisions must be able to tell which are the newest; what
// runs is in use whatever its revision.
func TestECSNumbersRevisionsThatNothingRuns(t *testing.T) {
	t.Parallel()
	f := deployed()
	f.definitions = map[string][]string{"app:7": {registry + "app:v7"}, "app:8": {registry + "app:v8"}, "app:9": {registry + "app:v9"}, "app:1": {"nginx"}}
	f.inactive = map[string]bool{"app:1": true}
	f.tasks = map[string][]object{"prod": {{
		"taskArn": arn("task", "prod/1"), "desiredStatus": "RUNNING", "taskDefinitionArn": arn("task-definition", "app:8"),
	}}}
	got := map[string]int{}
	for use, err := range f.source(t, 3).Uses(t.Context()) {
		awstest.NoError(t, err)
		if use.By == arn("task-definition", "app:"+strings.TrimPrefix(use.Reference.Tag, "v")) {
			got[use.Reference.Tag] = use.Revision
		}
	}
	awstest.Equal(t, "revisions", map[string]int{"v9": 1, "v8": 0, "v7": 3}, got)
}

// A denied call of a question that the configuration can turn off names the field.
func TestECSFailsWhenAnActionIsDenied(t *testing.T) {
	t.Parallel()
	for operation := range new(fakeECS).operations("") {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			f := whole()
			f.faults = map[string]fault{operation: {http.StatusBadRequest, "AccessDeniedException", "User: x is not authorized"}}
			want := "; allow the action ecs:" + operation
			switch {
			case strings.Contains(operation, "Daemon"):
				want += ", or set protect.ecs.daemons to false"
			case operation == "DescribeTaskSets":
				want += ", or set protect.ecs.taskSets to false"
			}
			_, err := uses(t, f.source(t, 5))
			if err == nil || !strings.HasSuffix(err.Error(), want) || !strings.Contains(err.Error(), "not authorized") {
				t.Errorf("error %v, want the suffix %q", err, want)
			}
			if !slices.Contains(ecs.Actions, "ecs:"+operation) {
				t.Errorf("the actions of the source lack ecs:%s", operation)
			}
		})
	}
}

func TestECSFailsOnAnyErrorItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for operation := range new(fakeECS).operations("") {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			f := whole()
			f.faults = map[string]fault{operation: {http.StatusBadRequest, "ThrottlingException", "Rate exceeded"}}
			wantFailure(t, f.source(t, 5), "Rate exceeded")
		})
	}
}

func TestECSFailsWhereItIsNotOfferedOrUnreachable(t *testing.T) {
	t.Parallel()
	f := &fakeECS{faults: map[string]fault{"ListClusters": {http.StatusBadRequest, "UnknownOperationException", ""}}}
	wantFailure(t, f.source(t, 5), "list clusters", `take "ecs" out of protect.inUse`)
	wantFailure(t, ecs.Source{API: awsecs.NewFromConfig(configFor("http://127.0.0.1:1")), Revisions: 5}, `take "ecs" out of protect.inUse`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	scan := inuse.Scope{}.Run(ctx, []inuse.Source{f.source(t, 5)}, now)
	if len(scan.Failed) != 1 || strings.Contains(scan.Failed[0].String(), "protect.inUse") {
		t.Errorf("got failures %v, want one without advice", scan.Failed)
	}
}

func TestECSDoesNotMissWhatIsDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"ListTasks", "DescribeTasks", "ListServices", "DescribeServices", "ListServiceDeployments"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			f := deployed()
			f.before = func(called string, _ object) {
				if called == operation {
					f.clusters = nil
				}
			}
			if got, err := uses(t, f.source(t, 0)); err != nil {
				t.Errorf("got uses %v and error %v, want no error", got, err)
			}
		})
	}
	f := deployed()
	f.before = func(called string, _ object) {
		if called == "DescribeTasks" {
			f.tasks = nil
		}
	}
	if got, err := uses(t, f.source(t, 0)); err != nil || slices.Contains(got, "app:v1@"+sha("a")+" task/t") {
		t.Errorf("got uses %v and error %v, want those without the task", got, err)
	}
}

func TestECSFailsOnAnAnswerThatIsNotWhole(t *testing.T) {
	t.Parallel()
	for name, answers := range map[string]map[string]object{
		"list clusters: the listing is cut short":                                                        {"ListClusters": {"clusterArns": []string{"prod"}, "nextToken": "again"}},
		"list tasks in prod: the listing is cut short":                                                   {"ListTasks": {"taskArns": []string{"t"}, "nextToken": "again"}},
		"list services in prod: the listing is cut short":                                                {"ListServices": {"serviceArns": []string{}, "nextToken": "again"}},
		"list task definition families: the listing is cut":                                              {"ListTaskDefinitionFamilies": {"families": []string{}, "nextToken": "again"}},
		"list task definitions of app: the listing is cut":                                               {"ListTaskDefinitions": {"taskDefinitionArns": []string{}, "nextToken": "again"}},
		"service deployments of " + arn("service", "s"):                                                  {"ListServiceDeployments": {"serviceDeployments": []object{}, "nextToken": "again"}},
		"list clusters: the answer has no list":                                                          {"ListClusters": {"message": "sign in"}},
		"list tasks in prod: the answer has no list":                                                     {"ListTasks": {"nextToken": "again"}},
		"list services in prod: the answer has no list":                                                  {"ListServices": {}},
		"describe tasks in prod: the answer covers 0 of 1":                                               {"DescribeTasks": {}},
		"describe services in prod: the answer covers 0 of":                                              {"DescribeServices": {}},
		"describe service deployments of " + arn("service", "s") + ": the answer":                        {"DescribeServiceDeployments": {}},
		"describe service revisions of " + arn("service", "s") + ": the answer":                          {"DescribeServiceRevisions": {}},
		"describe tasks in prod: t failed with ACCESS why":                                               {"DescribeTasks": {"failures": []object{{"arn": "t", "reason": "ACCESS", "detail": "why"}}}},
		"describe services in prod: s failed with ACCESS":                                                {"DescribeServices": {"failures": []object{{"arn": "s", "reason": "ACCESS"}}}},
		"describe task definition " + arn("task-definition", "app:1") + ": the answer has no containers": {"DescribeTaskDefinition": {}},
		"task definition " + arn("task-definition", "app:1") + ": the answer has no":                     {"DescribeTaskDefinition": {"taskDefinition": object{}}},
	} {
		f := deployed()
		f.answers = answers
		wantFailure(t, f.source(t, 5), name)
	}
}

func TestECSFailsOnReferencesItCannotRead(t *testing.T) {
	t.Parallel()
	revision := deployed()
	revision.revisions[arn("service-revision", "r")]["containerImages"] = []object{{"image": registry + "App"}}
	for by, f := range map[string]*fakeECS{
		"task/bad":            {tasks: map[string][]object{"prod": {task("bad", "RUNNING", "", registry+"App")}}},
		"task/short":          {tasks: map[string][]object{"prod": {task("short", "STOPPED", "", registry+"app:v1 sha256:a")}}},
		"task-definition/x:1": {definitions: map[string][]string{"x:1": {registry + "app:"}}},
		"service-revision/r":  revision,
	} {
		f.clusters = []string{"prod"}
		wantFailure(t, f.source(t, 5), by+": ", " is not ")
	}
}

func TestECSStopsAtTheFirstError(t *testing.T) {
	t.Parallel()
	f := &fakeECS{clusters: make([]string, 1000), faults: map[string]fault{"ListTasks": {http.StatusBadRequest, "ClientException", "no"}}}
	for i := range f.clusters {
		f.clusters[i] = fmt.Sprint("c", i)
	}
	wantFailure(t, f.source(t, 0), "list tasks in c")
	if n := f.Count("ListTasks"); n > 100 {
		t.Errorf("ECS was asked %d times, want it left alone after the first error", n)
	}
}

func TestASourceCanBeLeftEarly(t *testing.T) {
	t.Parallel()
	for use, err := range deployed().source(t, 5).Uses(t.Context()) {
		if err != nil || use.Reference.Repository != "app" {
			t.Errorf("got %v, %v first", use, err)
		}
		break
	}
}
