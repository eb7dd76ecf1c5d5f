package ecs_test

import (
	"slices"
	"strings"
	"testing"
)

// statuses gives the containers of a task that status.
func statuses(task object, status string) object {
	for _, container := range task["containers"].([]object) {
		container["lastStatus"] = status
	}
	return task
}

// A container with missing fields does not make its image unused.
func TestECSSaysWhatItDoesNotKnowOfContainers(t *testing.T) {
	t.Parallel()
	const app = registry + "app:v1"
	for name, c := range map[string]struct {
		task object
		want []string
	}{
		"runs":                         {statuses(task("t", "RUNNING", "", app+" "+sha("a")), "RUNNING"), []string{"app:v1@" + sha("a") + " task/t runs"}},
		"no digest":                    {statuses(task("t", "RUNNING", "", app), "RUNNING"), []string{"app:v1 task/t runs"}},
		"no digest yet":                {statuses(task("t", "RUNNING", "", app), "PENDING"), []string{"app:v1 task/t"}},
		"no digest, stopped":           {statuses(task("t", "STOPPED", "", app), "STOPPED"), []string{"app:v1 task/t"}},
		"stops":                        {statuses(task("t", "STOPPED", "", app), "RUNNING"), []string{"app:v1 task/t"}},
		"pinned":                       {statuses(task("t", "RUNNING", "", app+"@"+sha("a")), "RUNNING"), []string{"app:v1@" + sha("a") + " task/t"}},
		"behind a proxy":               {task("t", "RUNNING", "", "proxy.example.com/app:v1 "+sha("a")), []string{"proxy.example.com/app:v1@" + sha("a") + " task/t"}},
		"a digest without an image":    {task("t", "RUNNING", "", " "+sha("a")), []string{"@" + sha("a") + " task/t"}},
		"neither":                      {statuses(task("t", "RUNNING", "", ""), "RUNNING"), []string{"a container names neither image nor digest task/t"}},
		"neither, stopped":             {task("t", "STOPPED", "", ""), []string{"a container names neither image nor digest task/t"}},
		"neither, before it starts":    {task("t", "RUNNING", "", ""), []string{"a container names neither image nor digest task/t"}},
		"no reference":                 {task("t", "STOPPED", "", "<IMAGE1_NAME>"), []string{`its image is "<IMAGE1_NAME>", which is not a reference task/t`}},
		"no reference, but its digest": {task("t", "STOPPED", "", "${IMAGE} "+sha("a")), []string{`its image is "${IMAGE}", which is not a reference task/t`, "@" + sha("a") + " task/t"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.task["taskDefinitionArn"] = nil
			f := &fakeECS{clusters: []string{"prod"}, tasks: map[string][]object{"prod": {c.task}}}
			wantUses(t, f.source(t, 0), c.want...)
		})
	}
}

// ECS does not accept a container definition without an image, and resolves the image
// of every container of a revision.
func TestECSFailsOnContainersWithoutAnImage(t *testing.T) {
	t.Parallel()
	f := deployed()
	f.definitions["app:1"] = []string{registry + "app:v1", ""}
	wantFailure(t, f.source(t, 0), "the answer has a container without an image")
	f = deployed()
	f.revisions[arn("service-revision", "r")] = revision("r", "")
	wantFailure(t, f.source(t, 0), arn("service-revision", "r")+" has a container without an image")
	f = deployed()
	f.definitions["app:1"] = []string{"<IMAGE1_NAME>"}
	got, err := uses(t, f.source(t, 0))
	if want := `its image is "<IMAGE1_NAME>", which is not a reference service/s`; err != nil || !slices.Contains(got, want) {
		t.Errorf("uses %v, error %v; want %s", got, err, want)
	}
}

// An item that is described twice does not count twice.
func TestECSFailsOnAnAnswerThatRepeatsItself(t *testing.T) {
	t.Parallel()
	two := func(kind string) []string { return []string{arn(kind, "1"), arn(kind, "2")} }
	for operation, c := range map[string]struct {
		asked  func(*fakeECS)
		answer object
	}{
		"DescribeTasks": {
			func(f *fakeECS) { f.answers["ListTasks"] = object{"taskArns": two("task")} },
			object{"tasks": []object{task("1", "STOPPED", ""), task("1", "STOPPED", "")}},
		},
		"DescribeServices": {
			func(f *fakeECS) { f.answers["ListServices"] = object{"serviceArns": two("service")} },
			object{"services": []object{{"serviceArn": arn("service", "1")}, {"serviceArn": arn("service", "1")}}},
		},
		"DescribeServiceDeployments": {
			func(f *fakeECS) {
				f.answers["ListServiceDeployments"] = object{"serviceDeployments": []object{deployment("1", "IN_PROGRESS", 1, "r"), deployment("2", "IN_PROGRESS", 2, "r")}}
			},
			object{"serviceDeployments": []object{deployment("1", "IN_PROGRESS", 1, "r"), deployment("1", "IN_PROGRESS", 1, "r")}},
		},
		"DescribeServiceRevisions": {
			func(f *fakeECS) {
				f.deployments[arn("service", "s")] = []object{deployment("d", "SUCCESSFUL", 1, "1", "2")}
			},
			object{"serviceRevisions": []object{revision("1", registry+"app:v1"), revision("1", registry+"app:v1")}},
		},
		"a failure": {
			func(f *fakeECS) {
				f.answers["ListTasks"] = object{"taskArns": two("task")}
				gone := object{"arn": arn("task", "1"), "reason": "MISSING"}
				f.answers["DescribeTasks"] = object{"tasks": []object{}, "failures": []object{gone, gone}}
			}, nil,
		},
		"a failure of something without a name": {
			func(f *fakeECS) {
				f.answers["ListTasks"] = object{"taskArns": two("task")}
				f.answers["DescribeTasks"] = object{"tasks": []object{task("1", "STOPPED", "")}, "failures": []object{{"reason": "MISSING"}}}
			}, nil,
		},
		"something without a name": {
			func(f *fakeECS) {
				f.answers["ListTasks"] = object{"taskArns": two("task")}
				f.answers["DescribeTasks"] = object{"tasks": []object{task("1", "STOPPED", ""), {"desiredStatus": "STOPPED", "containers": []object{}}}}
			}, nil,
		},
		"a failure of what is there": {
			func(f *fakeECS) {
				f.answers["ListTasks"] = object{"taskArns": two("task")}
				f.answers["DescribeTasks"] = object{"tasks": []object{task("1", "STOPPED", "")}, "failures": []object{{"arn": arn("task", "1"), "reason": "MISSING"}}}
			}, nil,
		},
	} {
		f := deployed()
		f.answers = map[string]object{}
		c.asked(f)
		if c.answer != nil {
			f.answers[operation] = c.answer
		}
		if got, err := uses(t, f.source(t, 0)); err == nil || !strings.Contains(err.Error(), "the answer covers ") {
			t.Errorf("%s: uses %v, error %v", operation, got, err)
		}
	}
}

// An answer without any field that could name an image is incomplete.
func TestECSFailsOnAnswersThatNameNothing(t *testing.T) {
	t.Parallel()
	bare := deployed()
	bare.revisions[arn("service-revision", "r")] = object{"serviceRevisionArn": arn("service-revision", "r")}
	wantFailure(t, bare.source(t, 0), arn("service-revision", "r")+" names neither images nor a task definition")
	empty := deployed()
	empty.tasks["prod"] = []object{{"taskArn": arn("task", "t"), "desiredStatus": "RUNNING", "containers": []object{}}}
	wantFailure(t, empty.source(t, 0), arn("task", "t")+" names neither containers nor a task definition")
}

// An empty name in a list is a name that is not known.
func TestECSFailsOnListsWithAnEmptyName(t *testing.T) {
	t.Parallel()
	for operation, answer := range map[string]object{
		"ListClusters":               {"clusterArns": []string{"prod", ""}},
		"ListTaskDefinitionFamilies": {"families": []string{""}},
		"ListTaskDefinitions":        {"taskDefinitionArns": []string{""}},
	} {
		f := previews()
		f.answers = map[string]object{operation: answer}
		wantFailure(t, f.source(t, 5), "the answer has an empty name")
	}
	other := previews()
	other.answers = map[string]object{"ListTaskDefinitions": {"taskDefinitionArns": []string{arn("task-definition", "other:1")}}}
	wantFailure(t, other.source(t, 5), "list task definitions of pr: ", "other:1")
}

func TestECSFailsOnUsersWithoutADefinition(t *testing.T) {
	t.Parallel()
	service := object{"serviceArn": arn("service", "s"), "status": "ACTIVE"}
	f := &fakeECS{clusters: []string{"prod"}, services: map[string][]object{"prod": {service}}}
	wantFailure(t, f.source(t, 0), "describe services in prod: "+arn("service", "s")+" names no task definition")
	service["deploymentController"] = object{"type": "EXTERNAL"} // before its first task set
	wantUses(t, f.source(t, 0))

	agents := agents()
	delete(agents.daemons["prod"][0], "currentRevisions")
	wantFailure(t, agents.source(t, 0), "describe daemon "+arn("daemon", "prod/agent"), "names neither a revision nor a deployment")
	agents.daemons["prod"][0]["status"] = "DELETE_IN_PROGRESS"
	wantUses(t, agents.source(t, 0))
}
