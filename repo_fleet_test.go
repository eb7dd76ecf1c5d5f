package repo_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/services"
)

// A state of the definition, as far as the tests read it.
type state struct {
	Type                       string
	TimeoutSeconds             int
	ToleratedFailurePercentage float64
	Retry, Catch               []struct{ ErrorEquals []string }
	Parameters                 struct{ Payload map[string]any }
	ItemSelector               map[string]any
	ItemProcessor              struct{ States map[string]state }
}

// A run that is repeated after it began may remove more than the limits allow.
func TestTheStateMachineRepeatsOnlyCallsThatDidNotBegin(t *testing.T) {
	t.Parallel()
	var machine struct{ States map[string]state }
	awstest.NoError(t, json.Unmarshal([]byte(read(t, "deploy/fleet.asl.json")), &machine))
	checkStates(t, machine.States, true)
}

func checkStates(t *testing.T, states map[string]state, parent bool) {
	t.Helper()
	for name, s := range states {
		for _, r := range s.Retry {
			awstest.Equal(t, "repeated errors of "+name, []string{"Lambda.TooManyRequestsException"}, r.ErrorEquals)
		}
		if s.Type == "Task" && s.TimeoutSeconds <= 900 {
			t.Errorf("%s has the timeout %d, want more than the function's", name, s.TimeoutSeconds)
		}
		// The judge finds children that failed.
		if parent && name != "Judge" && (s.Type == "Task" || s.Type == "Map") && (len(s.Catch) != 1 || !slices.Equal(s.Catch[0].ErrorEquals, []string{"States.ALL"})) {
			t.Errorf("%s does not catch all errors", name)
		}
		if s.Type == "Map" {
			awstest.Equal(t, "tolerated failures of "+name, 100.0, s.ToleratedFailurePercentage)
			checkStates(t, s.ItemProcessor.States, false)
		}
		request := s.Parameters.Payload
		if name == "Know" {
			request = s.ItemSelector
		}
		if request != nil {
			text, err := json.Marshal(sample(request))
			awstest.NoError(t, err)
			if _, problems := config.ParseRequest(text); len(problems) > 0 {
				t.Errorf("%s sends %s: %v", name, text, problems)
			}
		}
	}
}

// sample replaces the paths of a payload by values of an execution.
func sample(payload map[string]any) map[string]any {
	values := map[string]any{
		"mode": "plan", "execution": "fleet-1", "cycle": 1, "continuation": nil, "targets": []string{"*"},
		"target": config.Place{Account: "222222222222", Region: "eu-west-1"},
	}
	out := map[string]any{}
	for name, v := range payload {
		if name, path := strings.CutSuffix(name, ".$"); path {
			out[name] = values[name]
		} else {
			out[name] = v
		}
	}
	return out
}

// The role that reads an account has the statements of the role in deploy/member-role.yaml.
func TestTheFleetsReaderAsksEachServiceByItsParameter(t *testing.T) {
	t.Parallel()
	for _, service := range services.Table {
		want := strings.ReplaceAll(statements(t, "deploy/member-role.yaml", service), "MemberRole", "ReaderRole")
		awstest.Equal(t, service.Name, want, statements(t, "deploy/fleet-member.yaml", service))
	}
}

func TestTheDefinitionUsesEachSubstitution(t *testing.T) {
	t.Parallel()
	_, template, _ := strings.Cut(read(t, "deploy/fleet.yaml"), "DefinitionSubstitutions:\n")
	template, _, _ = strings.Cut(template, "      Role:")
	var given, used []string
	for _, m := range regexp.MustCompile(`(?m)^ +(\w+):`).FindAllStringSubmatch(template, -1) {
		given = append(given, m[1])
	}
	for _, m := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(read(t, "deploy/fleet.asl.json"), -1) {
		used = append(used, m[1])
	}
	slices.Sort(given)
	slices.Sort(used)
	awstest.Equal(t, "substitutions", given, slices.Compact(used))
}
