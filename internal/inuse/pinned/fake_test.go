package pinned_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/pinned"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

type object = inusetest.Object

const (
	account = ":eu-west-1:123456789012:"
	cluster = "arn:aws:ecs" + account + "cluster/prod"
	other   = "arn:aws:ecs" + account + "cluster/other"
	job     = "arn:aws:ecs" + account + "task-definition/job"
	runTask = "arn:aws:scheduler:::aws-sdk:ecs:runTask"
)

// A fakeAWS plays EventBridge, its Scheduler and Pipes, and Step Functions, in pages.
type fakeAWS struct {
	inusetest.Recorder
	buses     []object            // as ListEventBuses lists them
	rules     map[string][]string // names by event bus and target, with a space between
	targets   map[string][]object // by event bus and rule, with a space between
	schedules []object            // as GetSchedule answers
	pipes     []object            // as DescribePipe answers
	machines  []string            // the ARNs
	versions  map[string][]string // the ARNs by that of the machine
	texts     map[string]string   // definitions by ARN
	page      int                 // items on a page; 0 is all
	faults    map[string][]fault  // by operation, for the first calls
	answers   map[string]object   // by operation, in place of those from the above
	// after is called after each answer and may change the rest.
	after func(operation string)
	state sync.Mutex
}

// A fault is an answer that is an error; without a code it is an error page.
type fault struct {
	status        int
	code, message string
}

func (f *fakeAWS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in := object{}
	for name, values := range r.URL.Query() {
		in[name] = values[0]
	}
	name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	operation := map[string]string{"schedules": "ListSchedules", "pipes": "ListPipes"}[name]
	switch {
	case r.Method == http.MethodPost:
		_, operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			panic(err)
		}
	case operation == "":
		in["name"] = name
		operation = "GetSchedule"
		if strings.HasPrefix(r.URL.Path, "/v1/pipes/") {
			operation = "DescribePipe"
		}
	}
	defer f.Begin(operation)()
	f.state.Lock()
	defer f.state.Unlock()
	if f.after != nil {
		defer f.after(operation)
	}
	if faults := f.faults[operation]; len(faults) > 0 {
		f.faults[operation] = faults[1:]
		faults[0].write(w)
		return
	}
	out, ok := f.answers[operation]
	if !ok {
		out = f.answer(operation, in)
	}
	if code, isError := out["__type"]; isError {
		fault{http.StatusBadRequest, code.(string), "not found"}.write(w)
		return
	}
	inusetest.Answer(w, http.StatusOK, out)
}

// fail sets the faults of the next calls. Calls of an earlier search may still be under way.
func (f *fakeAWS) fail(faults map[string][]fault) {
	f.state.Lock()
	defer f.state.Unlock()
	f.faults = faults
}

// reply replaces the answers of the next calls.
func (f *fakeAWS) reply(answers map[string]object) {
	f.state.Lock()
	defer f.state.Unlock()
	f.answers = answers
}

func (e fault) write(w http.ResponseWriter) {
	if e.code == "" {
		http.Error(w, "<html>", e.status)
		return
	}
	inusetest.Answer(w, e.status, object{"__type": e.code, "message": e.message})
}

func (f *fakeAWS) answer(operation string, in object) object {
	text := func(name string) string { s, _ := in[name].(string); return s }
	switch operation {
	case "ListEventBuses":
		return list(f, in, "EventBuses", f.buses)
	case "ListRuleNamesByTarget":
		return list(f, in, "RuleNames", f.rules[text("EventBusName")+" "+text("TargetArn")])
	case "ListTargetsByRule":
		targets, ok := f.targets[text("EventBusName")+" "+text("Rule")]
		if !ok {
			return object{"__type": "ResourceNotFoundException"}
		}
		return list(f, in, "Targets", targets)
	case "ListSchedules":
		return list(f, in, "Schedules", summaries(f.schedules, "Arn", "GroupName", "Name", "Target"))
	case "GetSchedule":
		return find(f.schedules, "ResourceNotFoundException", object{"Name": in["name"], "GroupName": in["groupName"]})
	case "ListPipes":
		return list(f, in, "Pipes", summaries(f.pipes, "Arn", "Name", "Target", "Enrichment"))
	case "DescribePipe":
		return find(f.pipes, "com.amazonaws.pipes#NotFoundException", object{"Name": in["name"]})
	case "ListStateMachines":
		return list(f, in, "stateMachines", named("stateMachineArn", f.machines))
	case "ListStateMachineVersions":
		return list(f, in, "stateMachineVersions", named("stateMachineVersionArn", f.versions[text("stateMachineArn")]))
	case "DescribeStateMachine":
		definition, ok := f.texts[text("stateMachineArn")]
		if !ok {
			return object{"__type": "StateMachineDoesNotExist"}
		}
		return object{"stateMachineArn": in["stateMachineArn"], "definition": definition, "type": "EXPRESS", "creationDate": 1.5e9}
	}
	return object{"__type": "UnknownOperationException"}
}

// list answers with one page of the items. The token of the next page needs escaping.
func list[T any](f *fakeAWS, in object, name string, items []T) object {
	token, limit := "NextToken", in["Limit"]
	if strings.HasPrefix(name, "s") {
		token, limit = "nextToken", in["maxResults"]
	}
	if limit == nil {
		limit = in["MaxResults"]
	}
	size := f.page
	if size == 0 {
		text, _ := json.Marshal(limit)
		size, _ = strconv.Atoi(strings.Trim(string(text), `"`))
	}
	text, _ := in[token].(string)
	start, _ := strconv.Atoi(strings.TrimPrefix(text, "a/b+c d="))
	end := min(start+size, len(items))
	out := object{name: append([]T{}, items[start:end]...), token: nil}
	if end < len(items) {
		out[token] = "a/b+c d=" + strconv.Itoa(end)
	}
	return out
}

func summaries(items []object, fields ...string) []object {
	var all []object
	for _, item := range items {
		summary := object{"LastModificationDate": 1.5e9}
		for _, field := range fields {
			summary[field] = item[field]
		}
		if target, ok := item["Target"].(object); ok {
			summary["Target"] = object{"Arn": target["Arn"]}
		}
		all = append(all, summary)
	}
	return all
}

func named(field string, names []string) []object {
	var all []object
	for _, name := range names {
		all = append(all, object{field: name, "creationDate": 1.5e9})
	}
	return all
}

// find answers with the item that has these fields.
func find(items []object, notFound string, fields object) object {
	i := slices.IndexFunc(items, func(item object) bool {
		for name, value := range fields {
			if item[name] != value {
				return false
			}
		}
		return true
	})
	if i < 0 {
		return object{"__type": notFound}
	}
	return items[i]
}

// bus adds an event bus.
func (f *fakeAWS) bus(name string) {
	f.buses = append(f.buses, object{"Name": name, "Arn": "arn:aws:events" + account + "event-bus/" + name, "CreationTime": 1.5e9})
}

// rule adds a rule of the event bus with targets in the clusters, all of one task definition.
func (f *fakeAWS) rule(bus, name, definition string, clusters ...string) {
	if f.rules == nil {
		f.rules, f.targets = map[string][]string{}, map[string][]object{}
	}
	f.targets[bus+" "+name] = []object{{"Id": "log", "Arn": "arn:aws:logs" + account + "log-group:x"}}
	for i, cluster := range clusters {
		f.rules[bus+" "+cluster] = append(f.rules[bus+" "+cluster], name)
		f.targets[bus+" "+name] = append(f.targets[bus+" "+name], object{
			"Id": strconv.Itoa(i), "Arn": cluster, "RoleArn": "arn:aws:iam::123456789012:role/x",
			"EcsParameters": object{"TaskDefinitionArn": definition, "TaskCount": 1, "LaunchType": "FARGATE"},
		})
	}
}

// schedule adds a schedule with a cluster as its target, or with an input for a call.
func (f *fakeAWS) schedule(group, name, target, definition, input string) {
	to := object{"Arn": target, "RoleArn": "arn:aws:iam::123456789012:role/x"}
	if definition != "" {
		to["EcsParameters"] = object{"TaskDefinitionArn": definition, "LaunchType": "FARGATE"}
	}
	if input != "" {
		to["Input"] = input
	}
	f.schedules = append(f.schedules, object{
		"Arn": "arn:aws:scheduler" + account + "schedule/" + group + "/" + name, "GroupName": group, "Name": name, "Target": to,
		"State": "DISABLED", "ScheduleExpression": "at(2020-01-01T00:00:00)",
	})
}

// pipe adds a pipe.
func (f *fakeAWS) pipe(name, target, definition string) {
	pipe := object{"Arn": "arn:aws:pipes" + account + "pipe/" + name, "Name": name, "Target": target, "CurrentState": "STOPPED"}
	if definition != "" {
		pipe["TargetParameters"] = object{"EcsTaskParameters": object{"TaskDefinitionArn": definition, "TaskCount": 1}}
	}
	f.pipes = append(f.pipes, pipe)
}

// machine adds a state machine with that definition, and versions with these.
func (f *fakeAWS) machine(name, definition string, versions ...string) {
	if f.texts == nil {
		f.texts, f.versions = map[string]string{}, map[string][]string{}
	}
	arn := "arn:aws:states" + account + "stateMachine:" + name
	f.machines, f.texts[arn] = append(f.machines, arn), definition
	for i, text := range versions {
		version := arn + ":" + strconv.Itoa(i+1)
		f.versions[arn], f.texts[version] = append(f.versions[arn], version), text
	}
}

// config returns the configuration of clients of the fake as an AWS endpoint.
func (f *fakeAWS) config() aws.Config {
	cfg := inusetest.ConfigFor("https://aws.invalid")
	cfg.HTTPClient = awstest.InProcess(f)
	return cfg
}

var all = config.ECS{Rules: true, Schedules: true, Pipes: true, StateMachines: true}

func search(t *testing.T, cfg aws.Config, on config.ECS) ([]pinned.Definition, error) {
	t.Helper()
	return pinned.Find(t.Context(), query.Environment{
		AWS: cfg, Settings: config.Protect{ECS: on}, Clock: func() time.Time { return inusetest.Now },
	}, []string{cluster, other})
}

// lines returns the definitions as sorted lines without what all ARNs share.
func lines(found []pinned.Definition) []string {
	short := strings.NewReplacer("arn:aws:ecs"+account, "", "arn:aws:", "", account, ":")
	texts := make([]string, len(found))
	for i, d := range found {
		texts[i] = short.Replace(d.TaskDefinition + " by " + d.By)
	}
	slices.Sort(texts)
	return texts
}

func wantDefinitions(t *testing.T, f *fakeAWS, want ...string) {
	t.Helper()
	got, err := search(t, f.config(), all)
	awstest.NoError(t, err)
	slices.Sort(want)
	awstest.Equal(t, "definitions", want, lines(got), cmpopts.EquateEmpty())
}

func wantFailure(t *testing.T, f *fakeAWS, words ...string) {
	t.Helper()
	_, err := search(t, f.config(), all)
	awstest.ErrorContains(t, err, words...)
}
