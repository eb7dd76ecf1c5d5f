package ecs_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// agents returns an ECS with one daemon, without an instance.
func agents(deployments ...object) *fakeECS {
	f := &fakeECS{
		clusters:    []string{"prod", "empty"},
		daemons:     map[string][]object{"prod": {daemon("agent", "r3")}},
		deployments: map[string][]object{arn("daemon", "prod/agent"): deployments}, revisions: map[string]object{},
		daemonDefinitions: map[string][]string{},
	}
	for i := range 9 {
		name := fmt.Sprint("r", i)
		f.revisions[name] = daemonRevision(name, fmt.Sprint("agent:", i), fmt.Sprintf("%sagent:v%d %s", registry, i, sha(fmt.Sprint(i))))
		f.daemonDefinitions[fmt.Sprint("agent:", i)] = []string{fmt.Sprint(registry, "agent:v", i)}
	}
	return f
}

// agent returns the uses of the images of revision i: by its digest and by its definition.
func agent(i int, runs string) []string {
	by := fmt.Sprint(" daemon-revision/r", i)
	return []string{fmt.Sprintf("agent:v%d@%s%s%s", i, sha(fmt.Sprint(i)), by, runs), fmt.Sprint("agent:v", i, by)}
}

func TestADaemonWithoutAnInstanceIsInUse(t *testing.T) {
	t.Parallel()
	wantUses(t, agents().source(t, 0), agent(3, " runs")...)
	gone := agents()
	gone.daemons = nil
	wantUses(t, gone.source(t, 0))
	off := agents()
	source := off.source(t, 5)
	source.Settings.Daemons = false
	wantUses(t, source)
	awstest.Equal(t, "calls for daemons that are turned off", 0, off.Count("ListDaemons")+off.Count("ListDaemonTaskDefinitions"))
}

func TestRevisionsThatADaemonDeploysOrMayRollBackToAreInUse(t *testing.T) {
	t.Parallel()
	rollback := daemonDeployment("d5", "ROLLBACK_IN_PROGRESS", 50, "r5", "r4")
	rollback["rollback"] = object{"rollbackTargetDaemonRevisionArn": arn("daemon-revision", "r6")}
	f := agents(
		daemonDeployment("d0", "SUCCESSFUL", 1, "r0"), daemonDeployment("d1", "SUCCESSFUL", 10, "r1"),
		daemonDeployment("d2", "STOPPED", 20, "r2", "r1"), rollback,
	)
	f.page = 1
	f.daemons["prod"][0]["deploymentArn"] = arn("daemon-deployment", "d7")
	f.deployments["elsewhere"] = []object{daemonDeployment("d7", "PENDING", 70, "r7")}
	want := agent(3, " runs")
	for _, i := range []int{1, 2, 4, 5, 6, 7} {
		want = append(want, agent(i, "")...)
	}
	wantUses(t, f.source(t, 0), want...)
}

func TestTheNewestDaemonTaskDefinitionsAreInUse(t *testing.T) {
	t.Parallel()
	f := &fakeECS{page: 2, daemonDefinitions: map[string][]string{
		"agent:9": {registry + "agent:v9"}, "agent:10": {registry + "agent:v10", registry + "init"}, "agent:8": {registry + "agent:v8"},
		"agent-2:1": {registry + "agent-2"},
	}}
	by := func(name string) string { return " daemon-task-definition/" + name }
	wantUses(t, f.source(t, 2), "agent:v10"+by("agent:10"), "init:latest"+by("agent:10"), "agent:v9"+by("agent:9"), "agent-2:latest"+by("agent-2:1"))
	awstest.Equal(t, "ListDaemonTaskDefinitions calls", 2, f.Count("ListDaemonTaskDefinitions"))
}

func TestManyDaemonsAreRead(t *testing.T) {
	t.Parallel()
	f := agents()
	f.page, f.daemons["prod"] = 30, nil
	for i := range 70 {
		name := fmt.Sprint("many", i)
		f.daemons["prod"] = append(f.daemons["prod"], daemon(name, name))
		f.revisions[name] = daemonRevision(name, "agent:1", fmt.Sprint(registry, "agent:m", i))
	}
	for i := range 50 { // of the first daemon
		name := fmt.Sprint("old", i)
		of := arn("daemon", "prod/many0")
		f.deployments[of] = append(f.deployments[of], daemonDeployment(name, "STOPPED", i, name))
		f.revisions[name] = daemonRevision(name, "agent:1", fmt.Sprint(registry, "agent:o", i))
	}
	got, err := uses(t, f.source(t, 0))
	awstest.NoError(t, err)
	awstest.Equal(t, "uses of 120 revisions and of their task definition", 240, len(got))
	for operation, calls := range map[string]int{
		"ListDaemons": 4, "DescribeDaemon": 70, "ListDaemonDeployments": 71, "DescribeDaemonDeployments": 3,
		"DescribeDaemonRevisions": 72, "DescribeDaemonTaskDefinition": 1,
	} {
		awstest.Equal(t, operation+" calls", calls, f.Count(operation))
	}
}

// DescribeTaskDefinition does not know the definition of a daemon's task.
func TestTheTasksOfDaemonsAreDescribedAsSuch(t *testing.T) {
	t.Parallel()
	run := func(image string) *fakeECS {
		one := task("t", "RUNNING", "", image)
		one["taskDefinitionArn"] = arn("daemon-task-definition", "agent:3")
		return &fakeECS{
			clusters: []string{"prod"}, tasks: map[string][]object{"prod": {one}},
			daemonDefinitions: map[string][]string{"agent:3": {registry + "agent:v3"}},
		}
	}
	f := run(registry + "agent:v3 " + sha("3"))
	wantUses(t, f.source(t, 0), "agent:v3@"+sha("3")+" task/t", "agent:v3 daemon-task-definition/agent:3")
	awstest.Equal(t, "DescribeTaskDefinition calls", 0, f.Count("DescribeTaskDefinition"))
	unnamed := run("")
	wantUses(t, unnamed.source(t, 0), "agent:v3 daemon-task-definition/agent:3")

	deleted, needed := run(registry+"agent:v3"), run("")
	deleted.daemonDefinitions, needed.daemonDefinitions = nil, nil
	wantUses(t, deleted.source(t, 0), "agent:v3 task/t")
	wantFailure(t, needed.source(t, 0), "describe task definition "+arn("daemon-task-definition", "agent:3"), "Unable to describe")

	off := run("").source(t, 0)
	off.Settings.Daemons = false
	wantUses(t, off, "a container names neither image nor digest task/t")
	starting := run("")
	starting.tasks["prod"][0]["containers"] = []object{}
	wantUses(t, starting.source(t, 0), "agent:v3 daemon-task-definition/agent:3")
	off = starting.source(t, 0)
	off.Settings.Daemons = false
	wantUses(t, off)
}

func TestADaemonMayRunWithADeletedTaskDefinition(t *testing.T) {
	t.Parallel()
	f := agents()
	f.daemonDefinitions = nil
	wantUses(t, f.source(t, 0), agent(3, " runs")[0])
	f = agents()
	f.answers = map[string]object{"DescribeDaemonTaskDefinition": {"daemonTaskDefinition": object{"status": "DELETED", "containerDefinitions": []object{}}}}
	wantUses(t, f.source(t, 0), agent(3, " runs")[0])
	f = agents()
	f.faults = map[string]fault{"DescribeDaemonTaskDefinition": {http.StatusBadRequest, "ClientException", "not allowed here"}}
	wantFailure(t, f.source(t, 0), "describe task definition "+arn("daemon-task-definition", "agent:3"), arn("daemon-revision", "r3"), "not allowed here")
	f = agents()
	f.daemonDefinitions = nil
	f.revisions["r3"] = daemonRevision("r3", "agent:3")
	wantFailure(t, f.source(t, 0), "describe task definition "+arn("daemon-task-definition", "agent:3"), "Unable to describe")
}

func TestDaemonsThatEndMeanwhileAreSkipped(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"ListDaemons", "DescribeDaemon", "ListDaemonDeployments", "DescribeDaemonDeployments", "DescribeDaemonRevisions"} {
		for _, code := range []string{"DaemonNotFoundException", "DaemonNotActiveException", "ClusterNotFoundException"} {
			f := agents(daemonDeployment("d1", "IN_PROGRESS", 1, "r1"))
			f.faults = map[string]fault{operation: {http.StatusBadRequest, code, "gone"}}
			if got, err := uses(t, f.source(t, 0)); err != nil {
				t.Errorf("%s answers %s: got uses %v and error %v", operation, code, got, err)
			}
		}
	}
	f := agents()
	f.before = func(operation string, _ object) {
		if operation == "DescribeDaemonRevisions" {
			f.revisions = nil
		}
	}
	wantUses(t, f.source(t, 0))
}

// On AWS a call that is not known is a failure. An emulator that does not know daemons has
// none; one that has a daemon must say what its images are.
func TestOnlyAnEmulatorMayNotKnowDaemons(t *testing.T) {
	t.Parallel()
	for _, answer := range append(notOffered, errorPage) {
		for _, operation := range []string{"ListDaemons", "ListDaemonDeployments", "ListDaemonTaskDefinitions", "DescribeDaemonTaskDefinition"} {
			f := agents()
			f.faults = map[string]fault{operation: answer}
			emulated := patient(t, f, true)
			emulated.Revisions = 1
			if got, err := uses(t, emulated); err != nil {
				t.Errorf("%s answers %v: got uses %v and error %v", operation, answer, got, err)
			}
			real := patient(t, f, false)
			real.Revisions = 1
			wantFailure(t, real, operation)
		}
		for _, operation := range []string{"DescribeDaemon", "DescribeDaemonRevisions"} {
			f := agents()
			f.faults = map[string]fault{operation: answer}
			wantFailure(t, patient(t, f, true), operation)
		}
	}
	f := agents()
	f.clusters, f.faults = []string{"prod"}, map[string]fault{"ListDaemons": notOffered[0]}
	wantFailure(t, f.source(t, 0), "list daemons in prod: ", "; if it is not used here, set protect.ecs.daemons to false")
}

func TestDaemonsFailOnAnswersThatAreNotWhole(t *testing.T) {
	t.Parallel()
	one := arn("daemon", "prod/agent")
	for want, answers := range map[string]map[string]object{
		"list daemons in prod: the answer has no list":                       {"ListDaemons": {}},
		"list daemons in prod: the listing is cut short":                     {"ListDaemons": {"daemonSummariesList": []object{}, "nextToken": "again"}},
		"list daemons in prod: a daemon has no ARN":                          {"ListDaemons": {"daemonSummariesList": []object{{"status": "ACTIVE"}}}},
		"describe daemon " + one + ": the answer has no daemon":              {"DescribeDaemon": {}},
		"list daemon deployments of " + one + ": the answer has no list":     {"ListDaemonDeployments": {}},
		"list daemon deployments of " + one + ": a deployment or revision":   {"ListDaemonDeployments": {"daemonDeployments": []object{{"status": "PENDING"}}}},
		"describe daemon revisions of " + one + ": the answer covers 0 of 2": {"DescribeDaemonRevisions": {}},
		"describe daemon revisions of " + one + ": r failed with ACCESS":     {"DescribeDaemonRevisions": {"failures": []object{{"arn": "r", "reason": "ACCESS"}}}},
		"describe daemon deployments of " + one + ": the answer covers 0":    {"DescribeDaemonDeployments": {}},
		"list daemon task definitions: the answer has no list":               {"ListDaemonTaskDefinitions": {}},
		"list daemon task definitions: a daemon task definition has no ARN":  {"ListDaemonTaskDefinitions": {"daemonTaskDefinitions": []object{{}}}},
		"describe task definition " + arn("daemon-task-definition", "agent"): {"DescribeDaemonTaskDefinition": {}},
	} {
		f := agents(daemonDeployment("d1", "SUCCESSFUL", 1, "r1"))
		f.clusters, f.answers = []string{"prod"}, answers
		wantFailure(t, f.source(t, 1), want)
	}
	for want, r := range map[string]object{
		" names neither images nor a task definition": {"daemonRevisionArn": arn("daemon-revision", "r3")},
		" has a container without an image":           daemonRevision("r3", "agent:3", ""),
		" is not ":                                    daemonRevision("r3", "agent:3", registry+"Agent"),
	} {
		f := agents()
		f.revisions["r3"] = r
		wantFailure(t, f.source(t, 0), "describe daemon revisions of "+one+": ", arn("daemon-revision", "r3"), want)
	}
	f := agents()
	f.revisions["r3"] = daemonRevision("r3", "agent:3", "<IMAGE>")
	wantUses(t, f.source(t, 0), `its image is "<IMAGE>", which is not a reference daemon-revision/r3`, agent(3, "")[1])
	f = agents()
	f.daemonDefinitions["agent:3"] = []string{registry + "agent:v3", ""}
	wantFailure(t, f.source(t, 0), "describe task definition "+arn("daemon-task-definition", "agent:3"), "a container without an image")
}

// A field that this version does not know changes nothing.
func TestUnknownFieldsOfDaemonsAreIgnored(t *testing.T) {
	t.Parallel()
	f := agents()
	f.daemons["prod"][0]["ofTomorrow"] = object{"a": 1}
	f.daemons["prod"][0]["status"] = "OF_TOMORROW"
	f.revisions["r3"]["ofTomorrow"] = []int{1}
	wantUses(t, f.source(t, 0), agent(3, " runs")...)
}
