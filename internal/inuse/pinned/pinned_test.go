package pinned_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/pinned"
)

// busy returns an account with one task definition of each kind of use.
func busy() *fakeAWS {
	f := &fakeAWS{}
	f.bus("default")
	f.bus("orders")
	f.rule("default", "nightly", job+":1", cluster, other)
	f.rule("orders", "paid", job, other)
	f.schedule("default", "weekly", cluster, job+":2", "")
	f.schedule("reports", "weekly", runTask, "", `{"Cluster": "prod", "TaskDefinition": "job:3"}`)
	f.schedule("default", "queue", "arn:aws:sqs"+account+"q", "", "TaskDefinition")
	f.pipe("orders", other, job+":4")
	f.pipe("queue", "arn:aws:sqs"+account+"q", "")
	f.machine("flow", runs("job:7"), runs("job:5"), runs("job:6"))
	return f
}

var everything = []string{
	"task-definition/job:1 by events:rule/nightly", "task-definition/job:1 by events:rule/nightly",
	"task-definition/job by events:rule/orders/paid",
	"task-definition/job:2 by scheduler:schedule/default/weekly", "job:3 by scheduler:schedule/reports/weekly",
	"task-definition/job:4 by pipes:pipe/orders",
	"job:5 by states:stateMachine:flow:1", "job:6 by states:stateMachine:flow:2", "job:7 by states:stateMachine:flow",
}

// runs returns a state machine that runs a task of the task definition.
func runs(definition string) string {
	return `{"StartAt": "a", "States": {"a": {"Type": "Task", "End": true, "Resource": "arn:aws:states:::ecs:runTask.sync",
		"Parameters": {"Cluster": "prod", "TaskDefinition": "` + definition + `"}}}}`
}

func TestEachServiceNamesTaskDefinitions(t *testing.T) {
	t.Parallel()
	f := busy()
	wantDefinitions(t, f, everything...)
	got := map[string]int{}
	for _, action := range pinned.Actions {
		_, operation, _ := strings.Cut(action, ":")
		got[operation] = f.Count(operation)
	}
	awstest.Equal(t, "calls", map[string]int{
		"ListEventBuses": 1, "ListRuleNamesByTarget": 4, "ListTargetsByRule": 2, "ListSchedules": 1, "GetSchedule": 2,
		"ListPipes": 1, "DescribePipe": 1, "ListStateMachines": 1, "ListStateMachineVersions": 1, "DescribeStateMachine": 3,
	}, got)
	awstest.Equal(t, "sorted actions", slices.Sorted(slices.Values(pinned.Actions)), pinned.Actions)
}

func TestEveryPageIsRead(t *testing.T) {
	t.Parallel()
	f := busy()
	f.page = 1
	for i := range 30 {
		f.rule("orders", fmt.Sprint("rule", i), job+":8", cluster)
	}
	got, err := search(t, f.config(), all)
	awstest.NoError(t, err)
	awstest.Equal(t, "definitions", len(everything)+30, len(got))
	awstest.Equal(t, "calls for the buses", 2, f.Count("ListEventBuses"))
}

func TestOnlyWhatIsTurnedOnIsQueried(t *testing.T) {
	t.Parallel()
	for operation, on := range map[string]config.ECS{
		"ListEventBuses": {Rules: true}, "ListSchedules": {Schedules: true}, "ListPipes": {Pipes: true},
		"ListStateMachines": {StateMachines: true}, "": {Daemons: true, TaskSets: true},
	} {
		f := busy()
		_, err := search(t, f.config(), on)
		awstest.NoError(t, err)
		for _, list := range []string{"ListEventBuses", "ListSchedules", "ListPipes", "ListStateMachines"} {
			awstest.Equal(t, fmt.Sprintf("%+v queries %s", on, list), list == operation, f.Count(list) > 0)
		}
	}
}

func TestAnEmptyAccountNamesNothing(t *testing.T) {
	t.Parallel()
	f := &fakeAWS{}
	f.bus("default")
	wantDefinitions(t, f)
}

func TestADeniedCallNamesTheActionAndTheField(t *testing.T) {
	t.Parallel()
	fields := map[string]string{"events": "rules", "scheduler": "schedules", "pipes": "pipes", "states": "stateMachines"}
	for _, action := range pinned.Actions {
		service, operation, _ := strings.Cut(action, ":")
		turnOff := " or set protect.ecs." + fields[service] + " to false"
		f := busy()
		f.fail(map[string][]fault{operation: {{http.StatusBadRequest, "AccessDeniedException", "User: x is not authorized"}}})
		wantFailure(t, f, "not authorized", "; allow the action "+action+","+turnOff)
		f.fail(map[string][]fault{operation: {{http.StatusForbidden, "AccessDeniedException", "x is not authorized to perform: kms:Decrypt"}}})
		wantFailure(t, f, "; allow the action kms:Decrypt on the key that encrypts it, which must be enabled,"+turnOff)
		f.fail(map[string][]fault{operation: {{http.StatusBadRequest, "UnknownOperationException", ""}}})
		wantFailure(t, f, "if it is not used here, set protect.ecs."+fields[service]+" to false")
	}
}

func TestThrottledCallsAreRepeated(t *testing.T) {
	t.Parallel()
	f := busy()
	f.fail(map[string][]fault{})
	for _, action := range pinned.Actions {
		_, operation, _ := strings.Cut(action, ":")
		f.faults[operation] = []fault{{http.StatusBadRequest, "ThrottlingException", "Rate exceeded"}, {http.StatusTooManyRequests, "TooManyRequestsException", ""}}
	}
	got, err := search(t, awstest.Attempts(f.config(), 3), all)
	awstest.NoError(t, err)
	awstest.Equal(t, "definitions", len(everything), len(got))
}

func TestItemsMayBeDeletedAfterTheyAreListed(t *testing.T) {
	t.Parallel()
	for operation, change := range map[string]func(f *fakeAWS){
		"ListRuleNamesByTarget": func(f *fakeAWS) { f.targets = nil },
		"ListSchedules":         func(f *fakeAWS) { f.schedules = nil },
		"ListPipes":             func(f *fakeAWS) { f.pipes = nil },
		"ListStateMachines":     func(f *fakeAWS) { f.texts, f.versions = nil, nil },
	} {
		f := busy()
		f.after = func(answered string) {
			if answered == operation {
				change(f)
			}
		}
		got, err := search(t, f.config(), all)
		if err != nil || len(got) == 0 || len(got) >= len(everything) {
			t.Errorf("after %s: %v, %v", operation, lines(got), err)
		}
	}
	f := busy()
	f.faults = map[string][]fault{
		"ListRuleNamesByTarget":    {{http.StatusBadRequest, "ResourceNotFoundException", "Event bus does not exist."}},
		"ListStateMachineVersions": {{http.StatusBadRequest, "ResourceNotFound", "Resource not found"}},
	}
	_, err := search(t, f.config(), all)
	awstest.NoError(t, err)
}

// A listing without its list, or with an item that has no name, is incomplete. So is an
// answer without a task definition where there must be one.
func TestIncompleteAnswersFail(t *testing.T) {
	t.Parallel()
	ecs := object{"Arn": cluster}
	for operation, cases := range map[string]map[string]object{
		"ListEventBuses":        {"an item without a name": {"EventBuses": []object{{}}}, "no event bus": {"EventBuses": []object{}}},
		"ListRuleNamesByTarget": {"an item without a name": {"RuleNames": []string{""}}},
		"ListTargetsByRule":     {"target 1: the answer names no task definition": {"Targets": []object{{"Id": "1", "Arn": cluster}}}},
		"ListSchedules":         {"an item without a name": {"Schedules": []object{{"Target": ecs}}}},
		"GetSchedule": {
			"no task definition": {"Target": ecs}, "input: it is not JSON": {"Target": object{"Arn": runTask, "Input": "x"}},
			"answer names no task definition": {"Target": object{"Arn": runTask}},
			"the answer names no task":        {"Target": object{"Arn": "arn:aws:scheduler:::aws-sdk:ECS:StartTask", "Input": `{"Cluster": "prod"}`}},
		},
		"ListPipes":                {"an item without a name": {"Pipes": []object{{}}}},
		"DescribePipe":             {"no task definition": {"Target": cluster}},
		"ListStateMachines":        {"an item without a name": {"stateMachines": []object{{}}}},
		"ListStateMachineVersions": {"an item without a name": {"stateMachineVersions": []object{{}}}},
		"DescribeStateMachine": {
			"definition: it is not JSON":                       {"definition": "{"},
			"no definition; allow the action kms:Decrypt on":   {"stateMachineArn": "x"},
			"no definition; allow the action kms:Decrypt on t": {"definition": "{}"},
		},
	} {
		for want, answer := range cases {
			f := busy()
			f.reply(map[string]object{operation: answer})
			wantFailure(t, f, want, "or set protect.ecs.", " to false")
		}
		f := busy()
		f.reply(map[string]object{operation: {"message": "sign in"}})
		wantFailure(t, f, "the answer is empty")
		f.reply(map[string]object{operation: {"NextToken": "1"}})
		if strings.HasPrefix(operation, "List") {
			wantFailure(t, f, "the answer has no list")
		}
	}
}

func TestARepeatedTokenFails(t *testing.T) {
	t.Parallel()
	for operation, name := range map[string]string{
		"ListEventBuses": "EventBuses", "ListRuleNamesByTarget": "RuleNames", "ListTargetsByRule": "Targets",
		"ListSchedules": "Schedules", "ListPipes": "Pipes", "ListStateMachines": "stateMachines", "ListStateMachineVersions": "stateMachineVersions",
	} {
		f := busy()
		f.reply(map[string]object{operation: {name: []object{}, "NextToken": "1", "nextToken": "1"}})
		wantFailure(t, f, "the listing is cut short")
	}
}

// A listing may leave out the target and the group. A schedule may call another API, and a call of ECS
// may name no task definition.
func TestTargetsWithoutATaskDefinition(t *testing.T) {
	t.Parallel()
	f := &fakeAWS{}
	f.schedule("default", "scale", "arn:aws:scheduler:::aws-sdk:ecs:updateService", "", `{"Service": "x", "DesiredCount": 0}`)
	f.schedule("default", "queue", "arn:aws:sqs"+account+"q", "", "")
	f.schedule("default", "job", cluster, job, "")
	f.pipe("path", cluster, "$.body.definition")
	f.pipe("queue", "arn:aws:sqs"+account+"q", "")
	f.answers = map[string]object{
		"ListSchedules": {"Schedules": []object{{"Name": "scale"}, {"Name": "queue"}, {"Name": "job", "Arn": "x"}}},
		"ListPipes":     {"Pipes": []object{{"Name": "path"}, {"Name": "queue"}}},
	}
	for _, s := range f.schedules {
		s["GroupName"] = nil
	}
	f.bus("default")
	wantDefinitions(t, f, "task-definition/job by x")
	awstest.Equal(t, "calls of GetSchedule", 3, f.Count("GetSchedule"))
	awstest.Equal(t, "calls of DescribePipe", 2, f.Count("DescribePipe"))
}

// A listing that leaves the group out has it in the ARN.
func TestTheARNOfAScheduleNamesItsGroup(t *testing.T) {
	t.Parallel()
	f := &fakeAWS{}
	f.bus("default")
	f.schedule("default", "weekly", cluster, job+":1", "")
	f.schedule("reports", "weekly", cluster, job+":2", "")
	listed := []object{}
	for _, s := range f.schedules {
		listed = append(listed, object{"Name": "weekly", "Arn": s["Arn"]})
	}
	f.reply(map[string]object{"ListSchedules": {"Schedules": listed}})
	wantDefinitions(t, f, "task-definition/job:1 by scheduler:schedule/default/weekly", "task-definition/job:2 by scheduler:schedule/reports/weekly")
}

// Another service may have a resource with the name ecs, such as a function with an alias.
func TestATargetNamedLikeECSIsNotECS(t *testing.T) {
	t.Parallel()
	f := &fakeAWS{}
	f.bus("default")
	function, group := "arn:aws:lambda"+account+"function:ecs:prod", "arn:aws:logs"+account+"log-group:ecs:*"
	f.rule("default", "r", job, cluster)
	f.targets["default r"] = append(f.targets["default r"], object{"Id": "x", "Arn": group})
	f.schedule("default", "s", function, "", "{}")
	f.pipe("p", group, "")
	wantDefinitions(t, f, "task-definition/job by events:rule/r")
	awstest.Equal(t, "calls of GetSchedule and DescribePipe", 0, f.Count("GetSchedule")+f.Count("DescribePipe"))
}

func TestANameMayBeMalformed(t *testing.T) {
	t.Parallel()
	f := &fakeAWS{}
	f.bus("default")
	f.rule("default", "r", "two words", cluster)
	f.schedule("default", "s", runTask, "", `{"taskDefinition": "two words"}`)
	f.pipe("p", cluster, "two words")
	f.machine("m", runs("two words"))
	wantDefinitions(t, f, "two words by events:rule/r", "two words by scheduler:schedule/default/s", "two words by pipes:pipe/p", "two words by states:stateMachine:m")
}

// A state machine may run tasks in another account, whose task definitions ECS does not show.
func TestTaskDefinitionsInAnotherAccountAreSkipped(t *testing.T) {
	t.Parallel()
	f := &fakeAWS{}
	f.bus("default")
	f.machine("m", `{"States": [`+runs(strings.Replace(job, "123456789012", "111122223333", 1))+`, `+
		runs(strings.Replace(job, "eu-west-1", "us-east-1", 1))+`, `+runs(job)+`]}`)
	wantDefinitions(t, f, "task-definition/job by states:stateMachine:m")
}

func TestADefinitionThatCannotBeDecryptedFails(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"KmsAccessDeniedException", "KmsInvalidStateException"} {
		f := busy()
		f.fail(map[string][]fault{"DescribeStateMachine": {{http.StatusBadRequest, code, "x"}}})
		wantFailure(t, f, "describe state machine arn:", "; allow the action kms:Decrypt on the key that encrypts it, which must be enabled, "+
			"or set protect.ecs.stateMachines to false")
	}
	f := busy()
	f.fail(map[string][]fault{"DescribeStateMachine": {{http.StatusBadRequest, "KmsThrottlingException", "x"}}})
	got, err := search(t, f.config(), all)
	awstest.ErrorContains(t, err, "KmsThrottlingException")
	awstest.Empty(t, "definitions", got)
}

// An emulator has nothing to list where it does not know the operation. Elsewhere, and in
// the middle of a listing, an error page is an error.
func TestEmulatorsMayLackOperations(t *testing.T) {
	t.Parallel()
	page := fault{http.StatusInternalServerError, "", ""}
	for _, unknown := range []fault{page, {http.StatusNotFound, "", ""}, {http.StatusNotImplemented, "InternalFailure", ""}, {http.StatusBadRequest, "UnknownOperationException", ""}} {
		f := busy()
		refuse := func(operation string) {
			f.fail(map[string][]fault{operation: slices.Repeat([]fault{unknown}, 9)})
		}
		emulated := inusetest.Config(t, f)
		for operation, missing := range map[string]int{
			"ListEventBuses": 3, "ListRuleNamesByTarget": 3, "ListSchedules": 2, "ListPipes": 1, "ListStateMachines": 3, "ListStateMachineVersions": 2,
		} {
			refuse(operation)
			got, err := search(t, emulated, all)
			if err != nil || len(got) != len(everything)-missing {
				t.Errorf("%s, %v: %v, %v", operation, unknown, lines(got), err)
			}
			refuse(operation)
			if _, err := search(t, f.config(), all); err == nil {
				t.Errorf("%s, %v: no error from AWS", operation, unknown)
			}
		}
		for _, operation := range []string{"ListTargetsByRule", "GetSchedule", "DescribePipe", "DescribeStateMachine"} {
			refuse(operation)
			if got, err := search(t, emulated, all); err == nil {
				t.Errorf("%s, %v: %v", operation, unknown, lines(got))
			}
		}
	}
	f := busy()
	f.page = 1
	f.after = func(operation string) { f.faults = map[string][]fault{operation: {page}} }
	_, err := search(t, inusetest.Config(t, f), config.ECS{Schedules: true})
	awstest.ErrorContains(t, err, "list schedules")
}

func TestAnUnreachableServiceNamesTheField(t *testing.T) {
	t.Parallel()
	for field, on := range map[string]config.ECS{
		"rules": {Rules: true}, "schedules": {Schedules: true}, "pipes": {Pipes: true}, "stateMachines": {StateMachines: true},
	} {
		_, err := search(t, inusetest.ConfigFor("http://127.0.0.1:1"), on)
		awstest.ErrorContains(t, err, "if it is not used here, set protect.ecs."+field+" to false")
	}
}

func TestNamesInStateMachines(t *testing.T) {
	t.Parallel()
	task := func(fields string) string {
		return `{"States": {"a": {"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.waitForTaskToken", ` + fields + `}}}`
	}
	cases := map[string][]string{
		task(`"Parameters": {"TaskDefinition": "job"}`):                                                                                   {"job"},
		task(`"Parameters": {"TaskDefinition": "` + job + `:1", "LaunchType": "FARGATE"}`):                                                {job + ":1"},
		task(`"Parameters": {"taskDefinition": "job:1"}`):                                                                                 {"job:1"},
		task(`"Parameters": {"TaskDefinition": ""}`):                                                                                      nil,
		task(`"Parameters": {"TaskDefinition": 1}`):                                                                                       nil,
		task(`"Parameters": {"TaskDefinition": "$.definition"}`):                                                                          nil,
		task(`"Parameters": {"TaskDefinition.$": "$.definition"}`):                                                                        nil,
		task(`"Parameters": {"TaskDefinition.$": "States.ArrayGetItem(States.Array('` + job + `:1'), 0)"}`):                               {job + ":1"},
		task(`"Arguments": {"TaskDefinition": "job:1"}`):                                                                                  {"job:1"},
		task(`"Arguments": {"TaskDefinition": "{% $x ? 'job:1' : \"` + job + `:2\" %}"}`):                                                 {job + ":2", "job:1"},
		task(`"Arguments": {"TaskDefinition": "{% $definition %}"}, "Assign": {"x": "` + job + `"}`):                                      {job},
		task(`"Arguments": {"TaskDefinition": "{% $x = 'y' ? 'job' : \"job-2\" & $z %}"}`):                                                {"job", "job-2", "y"},
		task(`"Arguments": "{% {'TaskDefinition': '` + job + `:3', 'x': 'y'} %}"`):                                                        {job + ":3"},
		task(`"Arguments": "{% {'TaskDefinition': 'job:3', 'x': 'y'} %}"`):                                                                {"job:3"},
		task(`"Arguments": "{% {\"TaskDefinition\" : \"job\", 'x': 'y'} %}"`):                                                             {"job"},
		task(`"Arguments": {"TaskDefinition": "{% $d %}"}, "Assign": {"d": "job:4", "time": "12:99999999999"}`):                           {"job:4"},
		task(`"Parameters": {"TaskDefinition.$": "$.d"}, "ItemSelector": {"d": ["a_b:1", "x y:1", "z:1:2"]}`):                             {"a_b:1"},
		task(`"Parameters": {"TaskDefinition.$": "States.ArrayGetItem(States.Array('job:1', 'job:2'), $.i)"}`):                            {"job:1", "job:2"},
		`{"States": {"a": {"Type": "Pass", "Result": "job:1"}}}`:                                                                          nil,
		`{"States": {"a": {"Type": "Parallel", "Branches": [` + runs("one") + `, ` + runs("two") + `]}}}`:                                 {"one", "two"},
		`{"States": {"a": {"Type": "Map", "ItemProcessor": ` + runs("one") + `}, "b": {"Type": "Map", "Iterator": ` + runs("two") + `}}}`: {"one", "two"},
		`{"States": {}}`: nil,
	}
	for text, want := range cases {
		f := &fakeAWS{}
		f.bus("default")
		f.machine("m", text)
		got, err := search(t, f.config(), config.ECS{StateMachines: true})
		awstest.NoError(t, err)
		names := map[string]bool{}
		for _, d := range got {
			names[d.TaskDefinition] = true
		}
		awstest.Equal(t, text, want, slices.Sorted(maps.Keys(names)))
		awstest.Equal(t, "distinct names in "+text, len(names), len(got))
	}
}
