package ecs_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// sets returns an ECS with one service of that controller, which has a task set.
func sets(controller string) *fakeECS {
	return &fakeECS{
		clusters: []string{"prod"},
		services: map[string][]object{"prod": {{"serviceArn": arn("service", "s"), "deploymentController": object{"type": controller}}}},
		taskSets: map[string][]object{arn("service", "s"): {{
			"taskSetArn": arn("task-set", "s/1"), "taskDefinition": arn("task-definition", "green:2"), "ofTomorrow": 1,
		}}},
		definitions: map[string][]string{"green:1": {registry + "green:v1"}, "green:2": {registry + "green:v2"}},
	}
}

func TestTheTaskDefinitionsOfTaskSetsAreInUse(t *testing.T) {
	t.Parallel()
	for _, controller := range []string{"EXTERNAL", "CODE_DEPLOY"} {
		f := sets(controller)
		f.services["prod"][0]["taskSets"] = []object{{"taskDefinition": arn("task-definition", "green:1")}}
		wantUses(t, f.source(t, 0), "green:v1 service/s", "green:v2 service/s")
		off := f.source(t, 0)
		off.Settings.TaskSets = false
		wantUses(t, off, "green:v1 service/s")
	}
	other := sets("ECS")
	other.services["prod"][0]["taskDefinition"] = arn("task-definition", "green:1")
	wantUses(t, other.source(t, 0), "green:v1 service/s")
	awstest.Equal(t, "DescribeTaskSets calls for a service without task sets", 0, other.Count("DescribeTaskSets"))
	none := sets("EXTERNAL")
	none.taskSets = nil
	wantUses(t, none.source(t, 0))
}

func TestTheTaskSetsOfManyServicesAreRead(t *testing.T) {
	t.Parallel()
	f := sets("EXTERNAL")
	f.page = 10
	for i := range 30 {
		name := fmt.Sprint("many", i)
		f.services["prod"] = append(f.services["prod"], object{"serviceArn": arn("service", name), "deploymentController": object{"type": "CODE_DEPLOY"}})
		f.taskSets[arn("service", name)] = []object{{"taskSetArn": name, "taskDefinition": arn("task-definition", "green:2")}}
	}
	got, err := uses(t, f.source(t, 0))
	awstest.NoError(t, err)
	awstest.Equal(t, "uses", 31, len(got))
}

// ECS has answered that TaskSets cannot be empty. DescribeServices names all task sets too.
func TestECSMayRefuseToDescribeAllTaskSets(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"InvalidParameterException", "TaskSetNotFoundException", "ServiceNotActiveException", "ClusterNotFoundException"} {
		f := sets("EXTERNAL")
		f.services["prod"][0]["taskSets"] = []object{{"taskDefinition": arn("task-definition", "green:1")}}
		f.faults = map[string]fault{"DescribeTaskSets": {http.StatusBadRequest, code, "TaskSets cannot be empty."}}
		wantUses(t, f.source(t, 0), "green:v1 service/s")
	}
	for _, answer := range append(notOffered, errorPage) {
		f := sets("EXTERNAL")
		f.faults = map[string]fault{"DescribeTaskSets": answer}
		wantUses(t, patient(t, f, true))
		wantFailure(t, patient(t, f, false), "describe task sets of "+arn("service", "s"))
	}
}

func TestTaskSetsFailOnAnswersThatAreNotWhole(t *testing.T) {
	t.Parallel()
	for want, answer := range map[string]object{
		"the answer has no list":                            {},
		arn("task-set", "1") + " has no task definition":    {"taskSets": []object{{"taskSetArn": arn("task-set", "1")}}},
		arn("task-set", "1") + " failed with ACCESS denied": {"taskSets": []object{}, "failures": []object{{"arn": arn("task-set", "1"), "reason": "ACCESS", "detail": "denied"}}},
	} {
		f := sets("EXTERNAL")
		f.answers = map[string]object{"DescribeTaskSets": answer}
		wantFailure(t, f.source(t, 0), "describe task sets of "+arn("service", "s")+": "+want)
	}
	gone := sets("EXTERNAL")
	gone.answers = map[string]object{"DescribeTaskSets": {"taskSets": []object{}, "failures": []object{{"arn": "x", "reason": "MISSING"}}}}
	wantUses(t, gone.source(t, 0))
	bad := sets("EXTERNAL")
	bad.definitions["green:2"] = []string{registry + "Green"}
	wantFailure(t, bad.source(t, 0), arn("service", "s")+": ", " is not ")
}
