//go:build integration

package integration_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// A script answers the events of one execution. It has answers by unit, one after another;
// the last one is for all that follow.
type script struct {
	mu      sync.Mutex
	answers map[string][]string
	got     []string // the units
	events  map[string][]string
}

const (
	fails     = "!"         // the answer of a function that fails
	throttled = "throttled" // of Lambda itself
	aPlace    = "references 222222222222/eu-west-1"
	other     = "references 333333333333/eu-west-1"
	aRegistry = "apply 222222222222/eu-west-1"
	another   = "apply 333333333333/eu-west-1"
)

func (s *script) answer(w http.ResponseWriter, e event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	unit := e.unit()
	s.got = append(s.got, unit)
	s.events[unit] = append(s.events[unit], string(e.text))
	answers := s.answers[unit]
	answer := answers[0]
	if len(answers) > 1 {
		s.answers[unit] = answers[1:]
	}
	switch answer {
	case throttled:
		w.Header().Set("X-Amzn-Errortype", "TooManyRequestsException")
		w.WriteHeader(http.StatusTooManyRequests)
		answer = `{"Type": "User", "Message": "Rate Exceeded."}`
	case fails:
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		answer = `{"errorType": "Runtime.ExitError", "errorMessage": "killed"}`
	}
	_, _ = io.WriteString(w, answer) // moto may have gone
}

// scripted returns a script in which all is well, with other answers for some units.
func scripted(name string, others map[string][]string) *script {
	cycle := func(n, left int) string {
		return fmt.Sprintf(`"cycle": %d, "placesKey": "%sone/items/places.json", "registriesKey": "%sone/items/registries-%d.json", "registriesLeft": %d`, n, prefix, prefix, n, left)
	}
	s := &script{events: map[string][]string{}, answers: map[string][]string{
		"targets": {`{"execution": "` + name + `", "act": true, "registries": 2, "places": 2, "skipped": 0, ` + cycle(1, 2) + `}`},
		aPlace:    {`{"account": "222222222222", "region": "eu-west-1"}`},
		other:     {`{"account": "333333333333", "region": "eu-west-1"}`},
		"barrier": {`{"listed": 2, "failed": 0}`},
		aRegistry: {`{"account": "222222222222", "region": "eu-west-1", "round": 1, "again": false, "continuation": null}`},
		another:   {`{"account": "333333333333", "region": "eu-west-1", "round": 1, "again": false, "continuation": null}`},
		"next":    {`{` + cycle(2, 0) + `}`},
		"judge":   {`{"handled": true, "expected": 2, "done": 2, "skipped": 0, "failed": 0, "report": "s3://fleet/r", "cause": ""}`},
	}}
	maps.Copy(s.answers, others)
	if name == "cycles" {
		s.answers["next"] = []string{`{` + cycle(2, 1) + `}`, `{` + cycle(3, 0) + `}`}
	}
	return s
}

const (
	unhandled = `{"handled": false, "expected": 2, "done": 1, "skipped": 0, "failed": 1, "report": "s3://fleet/r", "cause": "{\"message\":\"1 of 2 failed\"}"}`
	goesOn    = `{"account": "222222222222", "region": "eu-west-1", "round": 1, "again": true, "continuation": {"round": 2, "first": "00c0ffee00c0ffee", "cursor": "10c0ffee00c0ffee", "left": [7], "configuration": "x"}}`
)

// TestTheStatesOfTheMachine: what the definition does with the answers of the function, and
// with its failures. Each ends with the judge, whose verdict is that of the execution.
func TestTheStatesOfTheMachine(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	scripts := map[string]*script{}
	m := startMachine(t, func(w http.ResponseWriter, e event) {
		mu.Lock()
		s := scripts[e.Execution]
		mu.Unlock()
		s.answer(w, e)
	})
	two := `{"account": "222222222222", "region": "eu-west-1"%s}, {"account": "333333333333", "region": "eu-west-1"%s}`
	m.put(t, "/"+bucket+"/"+prefix+"one/items/places.json", `[`+fmt.Sprintf(two, "", "")+`]`)
	m.put(t, "/"+bucket+"/"+prefix+"one/items/registries-1.json", `[`+fmt.Sprintf(two, `, "continuation": null`, `, "continuation": null`)+`]`)
	m.put(t, "/"+bucket+"/"+prefix+"one/items/registries-2.json", `[{"account": "222222222222", "region": "eu-west-1", "continuation": {"round": 3}}]`)
	toJudge := []string{unhandled}
	knowing, acting := []string{aPlace, other, "barrier"}, []string{aRegistry, another, "next"}
	for name, test := range map[string]struct {
		others map[string][]string
		want   []string // between targets and judge; each map sorted
		cause  string
	}{
		"well": {nil, slices.Concat(knowing, acting), ""},
		"throttled": {
			map[string][]string{aRegistry: {throttled, throttled, goesOn, `{"again": false, "continuation": null}`}},
			slices.Concat(knowing, []string{aRegistry, aRegistry, aRegistry}, acting), "",
		},
		"cycles": {
			nil,
			slices.Concat(knowing, acting, knowing, []string{aRegistry, "next"}), "",
		},
		"no-targets":  {map[string][]string{"targets": {fails}, "judge": toJudge}, nil, "1 of 2 failed"},
		"no-place":    {map[string][]string{other: {fails}, "judge": toJudge}, slices.Concat(knowing, acting), "1 of 2 failed"},
		"no-barrier":  {map[string][]string{"barrier": {fails}, "judge": toJudge}, knowing, "1 of 2 failed"},
		"no-registry": {map[string][]string{another: {fails}, "judge": toJudge}, slices.Concat(knowing, acting), "1 of 2 failed"},
		"no-next":     {map[string][]string{"next": {fails}, "judge": toJudge}, slices.Concat(knowing, acting), "1 of 2 failed"},
		"no-judge":    {map[string][]string{"judge": {fails}}, slices.Concat(knowing, acting), "killed"},
	} {
		s := scripted(name, test.others)
		mu.Lock()
		scripts[name] = s
		mu.Unlock()
		awstest.Parallel(t, name, func(t *testing.T) {
			m := &machine{site: m.site.site(t, "", "eu-west-1"), states: m.states}
			end := m.end(m.start(name, `{"mode": "apply"}`))
			want := slices.Concat([]string{"targets"}, test.want, []string{"judge"})
			if slices.Sort(s.got); !slices.Equal(slices.Sorted(slices.Values(want)), s.got) {
				t.Errorf("the function got %v, want %v", s.got, want)
			}
			awstest.Equal(t, "status", map[bool]string{true: "SUCCEEDED", false: "FAILED"}[test.cause == ""], string(end.Status))
			if !strings.Contains(aws.ToString(end.Cause), test.cause) {
				t.Errorf("the cause is %q", aws.ToString(end.Cause))
			}
			if name == "throttled" {
				var e struct{ Continuation struct{ Round int } }
				m.done(json.Unmarshal([]byte(s.events[aRegistry][3]), &e))
				awstest.Equal(t, "round of the second run", 2, e.Continuation.Round)
			}
		})
	}
}
