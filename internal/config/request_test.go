package config_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/corpus"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

func TestParseRequestReadsEveryField(t *testing.T) {
	t.Parallel()
	got := mustRequest(t, `{"mode": "plan", "repositories": ["team-a/*", "b"], "maxDeletions": 0,
		"maxDeletionsPerRepository": 5, "maxDeletedPercent": 100, "policy": `+keep3+`}`)
	policy := mustPolicy(t, keep3)
	want := config.Request{
		Mode: config.Plan, Repositories: patterns("team-a/*", "b"), MaxDeletions: new(0),
		MaxDeletionsPerRepository: new(5), MaxDeletedPercent: new(100), Policy: &policy,
	}
	equal(t, "ParseRequest", want, got)
}

func TestParseRequestReadsTheFieldsOfExecutions(t *testing.T) {
	t.Parallel()
	place := &config.Place{Account: "222222222222", Region: "eu-west-1"}
	hash := "sha256:" + strings.Repeat("0a", 32)
	goesOn := &config.Continuation{Round: 2, First: "00c0ffee00c0ffee", Cursor: "10c0ffee00c0ffee", Done: []string{"20c0ffee00c0ffee"}, Left: []int{7, 0}, Configuration: hash}
	const continuation = `{"round": 2, "first": "00c0ffee00c0ffee", "cursor": "10c0ffee00c0ffee", "done": ["20c0ffee00c0ffee"], "left": [7, 0], "configuration": `
	for event, want := range map[string]config.Request{
		`{"target": ` + aPlace + `}`: {Target: place},
		`{"mode": "apply", "target": ` + aPlace + `, "maxDeletions": 3, "repositories": ["a"]}`:             {Mode: config.Apply, Target: place, MaxDeletions: new(3), Repositories: patterns("a")},
		`{"mode": "plan", "target": ` + aPlace + `, "continuation": ` + continuation + `"` + hash + `"}}`:   {Mode: config.Plan, Target: place, FleetRequest: config.FleetRequest{Continuation: goesOn}},
		`{"mode": "plan", "step": "targets", "execution": "e-1"}`:                                           {Mode: config.Plan, FleetRequest: config.FleetRequest{Execution: "e-1", Step: config.StepTargets}},
		`{"mode": "plan", "step": "targets", "execution": "e-1", "targets": ["222222222222/*"]}`:            {Mode: config.Plan, FleetRequest: config.FleetRequest{Execution: "e-1", Step: config.StepTargets, Targets: patterns("222222222222/*")}},
		`{"mode": "apply", "step": "barrier", "execution": "e-1", "cycle": 2}`:                              {Mode: config.Apply, FleetRequest: config.FleetRequest{Execution: "e-1", Step: config.StepBarrier, Cycle: 2}},
		`{"mode": "apply", "step": "judge", "execution": "e-1"}`:                                            {Mode: config.Apply, FleetRequest: config.FleetRequest{Execution: "e-1", Step: config.StepJudge}},
		`{"mode": "references", "target": ` + aPlace + `, "execution": "e-1", "cycle": 1}`:                  {Mode: config.References, Target: place, FleetRequest: config.FleetRequest{Execution: "e-1", Cycle: 1}},
		`{"mode": "apply", "target": ` + aPlace + `, "execution": "e-1", "cycle": 1, "continuation": null}`: {Mode: config.Apply, Target: place, FleetRequest: config.FleetRequest{Execution: "e-1", Cycle: 1}},
	} {
		equal(t, event, want, mustRequest(t, event))
	}
}

// aPlace is the target of a request.
const aPlace = `{"account": "222222222222", "region": "eu-west-1"}`

func TestRequestsOfExecutionsAreStrict(t *testing.T) {
	t.Parallel()
	const (
		run   = `{"mode": "apply", "execution": "e-1", "cycle": 1, "target": ` + aPlace
		right = `"first": "00c0ffee00c0ffee", "cursor": "00c0ffee00c0ffee", "left": [1]`
	)
	goesOn := func(members string) string {
		return `{"target": ` + aPlace + `, "continuation": {"configuration": "sha256:` + strings.Repeat("0", 64) + `", ` + members + `}}`
	}
	for event, want := range map[string]string{
		`{"target": {"account": "222222222222"}}`:             `1:12: target.region: is missing`,
		`{"target": {"account": "2", "region": "eu-west-1"}}`: `1:24: target.account: must be like 222222222222, is "2"`,
		`{"target": null}`: `1:12: target: must be an object, is null; leave the key out instead`,
		`{"mode": "references", "target": ` + aPlace + `}`: `1:34: target: does not suit "mode": "references" without "execution"; leave one of them out`,
		`{"step": "judge"}`:                                                         `1:10: step: belongs to an execution of the fleet; add "execution", or leave it out`,
		`{"cycle": 1}`:                                                              `1:11: cycle: belongs to an execution of the fleet; add "execution", or leave it out`,
		`{"targets": ["a"]}`:                                                        `1:13: targets: belongs to "step": "targets"; leave it out`,
		`{"execution": "e-1", "step": "judge"}`:                                     `1:1: mode: is missing; an execution of the fleet needs it; add "mode": "plan" or "apply"`,
		`{"mode": "plan", "execution": "e-1"}`:                                      `1:1: has "execution" and neither "step" nor "target"; add one of them`,
		`{"mode": "plan", "execution": "e 1", "step": "judge"}`:                     `1:31: execution: must be like fleet-2027-01-31, is "e 1"`,
		`{"mode": "plan", "execution": "e-1", "step": "barrier"}`:                   `1:1: cycle: is missing; add the number of the cycle, such as "cycle": 1`,
		`{"mode": "references", "execution": "e-1", "step": "judge"}`:               `1:10: mode: must be "plan" or "apply" with "step"`,
		`{"mode": "plan", "execution": "e-1", "step": "begin"}`:                     `1:46: step: "begin" is not known: use "targets", "barrier", "next", "judge"`,
		`{"mode": "plan", "execution": "e-1", "step": "judge", "maxDeletions": 1}`:  `1:71: maxDeletions: does not suit "execution", which handles whole registries by the configuration; leave it out`,
		`{"mode": "plan", "execution": "e-1", "step": "next", "cycle": 0}`:          `1:63: cycle: must be from 1 to 1000, is 0`,
		`{"mode": "plan", "execution": "e-1", "step": "judge", "targets": ["a"]}`:   `1:66: targets: belongs to "step": "targets"; leave it out`,
		`{"mode": "plan", "execution": "e-1", "step": "targets", "targets": []}`:    `1:68: targets: is empty and selects nothing; leave it out for every repository`,
		run + `, "step": "judge"}`:                                                  `1:61: target: does not suit "step", which is for all registries; leave one of them out`,
		run + `, "targets": ["a"]}`:                                                 `1:124: targets: belongs to "step": "targets"; leave it out`,
		run + `, "cycle": null}`:                                                    `1:113: cycle: is given twice; keep one`,
		strings.Replace(run, `"cycle": 1, `, "", 1) + `}`:                           `1:1: cycle: is missing; add the number of the cycle, such as "cycle": 1`,
		strings.Replace(run, "apply", "references", 1) + `, "repositories": ["a"]}`: `1:134: repositories: does not suit "execution", which handles whole registries by the configuration; leave it out`,
		`{"continuation": {"round": 2, "configuration": "sha256:` + strings.Repeat("0", 64) + `", ` + right + `}}`: `1:18: continuation: is of no use without "target"; add the target, or leave it out`,
		goesOn(right):                  `1:80: continuation.round: is missing`,
		goesOn(`"round": 1, ` + right): `1:182: continuation.round: must be from 2 to 2147483647, is 1`,
		goesOn(`"round": 2, "first": "x", "cursor": "00c0ffee00c0ffee", "left": [1]`):                   `1:194: continuation.first: must be like 00c0ffee00c0ffee, is "x"`,
		goesOn(`"round": 2, "first": "00c0ffee00c0ffee", "cursor": "00c0ffee00c0ffee", "left": []`):     `1:252: continuation.left: is empty; give the continuation of the answer unchanged`,
		goesOn(`"round": 2, "first": "00c0ffee00c0ffee", "cursor": "00c0ffee00c0ffee", "left": [-1]`):   `1:253: continuation.left[0]: must be from 0 to 2147483647, is -1`,
		goesOn(`"round": 2, ` + right + `, "done": ["00c0ffee00c0ffee", "00c0ffee00c0ffee"]`):           `1:286: continuation.done[1]: is repeated; keep one`,
		goesOn(`"round": 2, ` + right + `, "names": ["a"]`):                                             `1:257: continuation.names: is not a known key: use "round", "first", "cursor", "done", "left", "configuration"`,
		`{"target": ` + aPlace + `, "continuation": {"round": 2, "configuration": "x", ` + right + `}}`: `1:110: continuation.configuration: must be like sha256: and 64 digits, is "x"`,
	} {
		_, problems := config.ParseRequest([]byte(event))
		equal(t, event, []string{want}, lines(problems))
	}
	for field, most := range map[string]int{"done": 512, "left": 1000} {
		for n := most; n <= most+1; n++ {
			list := make([]string, n)
			for i := range list {
				list[i] = fmt.Sprintf(map[string]string{"done": `"%016x"`, "left": "%d"}[field], i)
			}
			members := right + `, "done": [` + strings.Join(list, ", ") + `]`
			if field == "left" {
				members = strings.Replace(right, `[1]`, `[`+strings.Join(list, ", ")+`]`, 1)
			}
			_, problems := config.ParseRequest([]byte(goesOn(`"round": 2, ` + members)))
			equal(t, fmt.Sprint(n, " in ", field), n > most, problems.Err() != nil)
		}
	}
}

// What EventBridge and its Scheduler wrap around a request.
const envelope = `{"version": "0", "id": "53dc4d37", "detail-type": "Scheduled Event", "source": "aws.events",
	"account": "123456789012", "time": "2026-03-01T03:00:00Z", "region": "eu-west-1", "resources": ["arn:aws:events:eu-west-1:123456789012:rule/nightly"]`

func TestParseRequestUnwrapsEnvelopes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		event string
		want  config.Request
	}{
		"bare and empty":                {`{}`, config.Request{}},
		"bare":                          {`{"mode": "apply"}`, config.Request{Mode: config.Apply}},
		"rule's scheduled event":        {envelope + `, "detail": {}}`, config.Request{}},
		"scheduler's default event":     {envelope + `, "detail": "{}"}`, config.Request{}},
		"detail as an object":           {envelope + `, "detail": {"mode": "apply", "maxDeletions": 3}}`, config.Request{Mode: config.Apply, MaxDeletions: new(3)}},
		"detail as a string":            {envelope + `, "detail": " {\"mode\": \"apply\", \"repositories\": [\"a\"]}"}`, config.Request{Mode: config.Apply, Repositories: patterns("a")}},
		"any detail-type":               {`{"detail-type": "x", "detail": {"mode": "apply"}}`, config.Request{Mode: config.Apply}},
		"nothing outside detail counts": {`{"detail-type": "x", "mode": "apply", "maxDeletions": "many", "detail": {}}`, config.Request{}},
	} {
		got, problems := config.ParseRequest([]byte(test.event))
		if len(problems) > 0 {
			t.Errorf("%s: %v", name, problems)
		}
		equal(t, name, test.want, got)
	}
}

func TestParseRequestIsStrict(t *testing.T) {
	t.Parallel()
	const fields = `use "mode", "repositories", "maxDeletions", "maxDeletionsPerRepository", "maxDeletedPercent", "policy", "target", "execution", "step", "cycle", "continuation", "targets"`
	const empty = `is empty and selects nothing; leave it out for every repository`
	for name, test := range map[string]struct{ event, want string }{
		"empty text":              {"", `1:1: is empty; a JSON object is expected`},
		"null":                    {"null", `1:1: must be an object, is null`},
		"array":                   {`[{}]`, `1:1: must be an object, is an array`},
		"string":                  {`"{}"`, `1:1: must be an object, is a string`},
		"cut short":               {`{"mode":`, `1:9: ends too early: the JSON is cut short; add the rest`},
		"unknown field":           {`{"dryRun": false}`, `1:2: dryRun: is not a known key: ` + fields},
		"misspelt case":           {`{"Mode": "apply"}`, `1:2: Mode: is not a known key: ` + fields + ` (case counts: "mode")`},
		"misspelt":                {`{"mode": "apply", "maxDeletion": 1}`, `1:19: maxDeletion: is not a known key: use "mode", "repositories", "maxDeletions", "maxDeletionsPerRepository", "maxDeletedPercent", "policy", "target", "execution", "step", "cycle", "continuation", "targets" (did you mean maxDeletions?)`},
		"repeated":                {`{"mode": "plan", "mode": "apply"}`, `1:18: mode: is given twice; keep one`},
		"unknown mode":            {`{"mode": "delete"}`, `1:10: mode: "delete" is not known: use "plan", "apply", "references"`},
		"null mode":               {`{"mode": null}`, `1:10: mode: must be a string, is null; leave the key out instead`},
		"empty repositories":      {`{"repositories": []}`, `1:18: repositories: ` + empty},
		"repositories no list":    {`{"repositories": "a"}`, `1:18: repositories: must be an array, is a string`},
		"null repositories":       {`{"repositories": null}`, `1:18: repositories: must be an array, is null; leave the key out instead`},
		"empty repository":        {`{"repositories": [""]}`, `1:19: repositories[0]: is empty; use * to match every name`},
		"repository no string":    {`{"repositories": [{}]}`, `1:19: repositories[0]: must be a string, is an object`},
		"negative limit":          {`{"maxDeletions": -1}`, `1:18: maxDeletions: must be from 0 to 2147483647, is -1`},
		"limit as a string":       {`{"maxDeletionsPerRepository": "1"}`, `1:31: maxDeletionsPerRepository: must be a number, is a string`},
		"null limit":              {`{"maxDeletions": null}`, `1:18: maxDeletions: must be a number, is null; leave the key out instead`},
		"percent above 100":       {`{"maxDeletedPercent": 101}`, `1:23: maxDeletedPercent: must be from 0 to 100, is 101`},
		"fraction":                {`{"maxDeletions": 1.5}`, `1:18: maxDeletions: must be an integer from 0 to 2147483647, is 1.5`},
		"null policy":             {`{"policy": null}`, `1:12: policy: must be an object, is null; leave the key out instead`},
		"policy by name":          {`{"policy": "none"}`, `1:12: policy: must be an object, is a string`},
		"policy fault":            {`{"policy": {"rules": [{}]}}`, `1:23: policy.rules[0].rulePriority: is missing`},
		"envelope without detail": {`{"detail-type": "Scheduled Event"}`, `1:1: is an EventBridge envelope without "detail"; put the request there, or {} for none`},
		"null detail":             {`{"detail-type": "x", "detail": null}`, `1:32: detail: must be an object, is null; leave the key out instead`},
		"detail a list":           {`{"detail-type": "x", "detail": []}`, `1:32: detail: must be an object, is an array`},
		"unknown in detail":       {`{"detail-type": "x", "detail": {"Mode": "apply"}}`, `1:33: detail.Mode: is not a known key: ` + fields + ` (case counts: "mode")`},
		"repeated detail":         {`{"detail-type": "x", "detail": {}, "detail": {"mode": "apply"}}`, `1:36: detail: is given twice; keep one`},
		"empty string in detail":  {`{"detail-type": "x", "detail": ""}`, `1:32: detail: contains a request with a fault at 1:1: is empty; a JSON object is expected`},
		"fault in the string":     {`{"detail-type": "x", "detail": "{\n\"mode\": \"go\"}"}`, `1:32: detail: contains a request with a fault at 2:9: mode: "go" is not known: use "plan", "apply", "references"`},
		"envelope in the string":  {`{"detail-type": "x", "detail": "{\"detail-type\": \"x\"}"}`, `1:32: detail: contains a request with a fault at 1:2: detail-type: is not a known key: ` + fields},
	} {
		r, problems := config.ParseRequest([]byte(test.event))
		got := lines(problems)
		if len(got) > 1 && name == "policy fault" {
			got = got[:1] // the rule lacks more than that
		}
		equal(t, fmt.Sprintf("%s: ParseRequest(%s) = %+v, problems", name, test.event, r), []string{test.want}, got)
	}
}

func TestParseRequestReportsAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	_, problems := config.ParseRequest([]byte(`{"detail-type": "x", "detail": "{\"mode\": 1, \"repositories\": [], \"max\": 2}"}`))
	if len(problems) != 3 {
		t.Errorf("got %d problems, want 3: %v", len(problems), problems)
	}
}

// A warning about a policy is no reason to refuse it, wherever the policy is.
func TestParseRequestReadsAnExtendedPolicy(t *testing.T) {
	t.Parallel()
	r, problems := config.ParseRequest([]byte(`{"policy": {"rules": [
		{"rulePriority": 1, "selection": {"tagStatus": "tagged"}, "action": {"type": "retain"}}]}}`))
	if len(problems) > 0 || r.Policy == nil || r.Policy.Rules[0].Action.Type != lifecycle.Retain {
		t.Errorf("ParseRequest = %+v, %v", r, problems)
	}
}

func TestParseRequestPassesWarningsOn(t *testing.T) {
	t.Parallel()
	const odd = `{"policy": {"rules": [{"rulePriority": 1, "selection": {"tagStatus": "tagged", "tagPrefixList": ["a*"],
		"countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}]}}`
	quoted := strings.NewReplacer("\n", `\n`, "\t", `\t`, `"`, `\"`).Replace(odd)
	for _, event := range []string{odd, envelope + `, "detail": ` + odd + `}`, envelope + `, "detail": "` + quoted + `"}`} {
		r, problems := config.ParseRequest([]byte(event))
		if len(problems) != 1 || problems.Err() != nil || r.Policy == nil || len(r.Policy.Rules) != 1 {
			t.Errorf("ParseRequest(%s) = %+v, %v; want a policy and one warning", event, r, problems)
		}
	}
}

func TestParseRequestRefusesWhatIsTooLong(t *testing.T) {
	t.Parallel()
	_, problems := config.ParseRequest([]byte(`{}` + strings.Repeat(" ", config.MaxRequestBytes)))
	equal(t, "problems", []string{"1:1: has 6291458 bytes; an event has at most 6291456"}, lines(problems))
}

// The events that come with the project are requests, but for the one that
// shows what becomes of a misspelt field.
func TestEventsOfTheProjectAreRequests(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("../../events/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("events: %d files, %v", len(names), err)
	}
	for _, name := range names {
		_, problems := config.ParseRequest(corpus.File(t, name))
		equal(t, name+": refused", filepath.Base(name) == "misspelt-field.json", problems.Err() != nil)
	}
}
