package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// spellings are JSON numbers with their value as a count, or -1 if they are no valid
// count.
var spellings = map[string]int{
	"7": 7, "7.0": 7, "7.000": 7, "70e-1": 7, "0.7e1": 7, "0.07E+2": 7, "7e0": 7, "7E-0": 7,
	"7.5": -1, "7.0000000000000000000000000000001": -1, "7e-1": -1, "-7": -1, "7e400": -1, "7e99999999999999999999": -1, "1e-400": -1,
	"9223372036854775815": -1, "18446744073709551623": -1, "4294967303": -1, "4294967303.0": -1,
	"+7": -1, "07": -1, "7.": -1, ".7e1": -1, "0x7": -1, "7_0": -1, "NaN": -1, `"7"`: -1,
}

const rule = `{"rules": [{"rulePriority": %s, "selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": %s%s}, "action": {"type": "expire"}}]}`

// numberFields are all fields that are numbers, each with a document that has a place
// for the number and a function that reads the field.
var numberFields = map[string]struct {
	document string
	read     func(c config.Config) int
}{
	"limits.maxDeletions":               {`{"limits": {"maxDeletions": %s}}`, func(c config.Config) int { return c.Limits.MaxDeletions }},
	"limits.maxDeletionsPerRepository":  {`{"limits": {"maxDeletionsPerRepository": %s}}`, func(c config.Config) int { return c.Limits.MaxDeletionsPerRepository }},
	"limits.maxDeletedPercent":          {`{"limits": {"maxDeletedPercent": %s}}`, func(c config.Config) int { return c.Limits.MaxDeletedPercent }},
	"protect.taskDefinitionRevisions":   {`{"protect": {"taskDefinitionRevisions": %s}}`, func(c config.Config) int { return c.Protect.TaskDefinitionRevisions }},
	"protect.keepNewest":                {`{"protect": {"keepNewest": %s}}`, func(c config.Config) int { return c.Protect.KeepNewest }},
	"protect.pulledWithinDays":          {`{"protect": {"pulledWithinDays": %s}}`, func(c config.Config) int { return c.Protect.PulledWithinDays }},
	"protect.pushedWithinHours":         {`{"protect": {"pushedWithinHours": %s}}`, func(c config.Config) int { return c.Protect.PushedWithinHours }},
	"policies[0].limits.maxDeletions":   {`{"policies": [{"limits": {"maxDeletions": %s}}]}`, func(c config.Config) int { return c.Policies[0].Limits.MaxDeletions }},
	"policies[0].rules[0].rulePriority": {`{"policies": [{"policy": ` + fmt.Sprintf(rule, "%s", "1", "") + `}]}`, func(c config.Config) int { return c.Policies[0].Policy.Rules[0].RulePriority }},
	"policies[0].rules[0].countNumber":  {`{"policies": [{"policy": ` + fmt.Sprintf(rule, "1", "%s", "") + `}]}`, func(c config.Config) int { return c.Policies[0].Policy.Rules[0].Selection.CountNumber }},
	"policies[0].rules[0].keepNewest":   {`{"policies": [{"policy": ` + fmt.Sprintf(rule, "1", "5", `, "keepNewest": %s`) + `}]}`, func(c config.Config) int { return c.Policies[0].Policy.Rules[0].Selection.KeepNewest }},
}

// The parser, and editors with the schema, read a number exactly or refuse it.
func TestEveryNumberIsReadOrRefused(t *testing.T) {
	t.Parallel()
	schema := newValidator(t, "")
	for field, test := range numberFields {
		for spelling, want := range spellings {
			text := strings.ReplaceAll(test.document, "%s", spelling)
			c, problems := config.Parse([]byte(text))
			if got := problems.Err() == nil; got != (want >= 0) {
				t.Errorf("%s %s: %v", field, spelling, problems)
			} else if got && test.read(c) != want {
				t.Errorf("%s %s: read as %d", field, spelling, test.read(c))
			}
			// Editors read numbers as a float64, where a tiny fraction is lost.
			tiny := spelling == "7.0000000000000000000000000000001" || spelling == "1e-400"
			if accepted := schema.accepts([]byte(text)); accepted != (want >= 0) && !tiny {
				t.Errorf("%s %s: the schema accepts: %t", field, spelling, accepted)
			}
		}
	}
}

func TestEveryNumberOfARequestIsReadOrRefused(t *testing.T) {
	t.Parallel()
	for field, read := range map[string]func(config.Request) *int{
		"maxDeletions":              func(r config.Request) *int { return r.MaxDeletions },
		"maxDeletionsPerRepository": func(r config.Request) *int { return r.MaxDeletionsPerRepository },
		"maxDeletedPercent":         func(r config.Request) *int { return r.MaxDeletedPercent },
	} {
		for spelling, want := range spellings {
			r, problems := config.ParseRequest([]byte(`{"` + field + `": ` + spelling + `}`))
			if got := problems.Err() == nil; got != (want >= 0) || got && *read(r) != want {
				t.Errorf("%s %s: %v, %v", field, spelling, r, problems)
			}
		}
	}
}

// ECR does not accept 7.0 as an integer; a policy of the cleaner's configuration may
// have it.
func TestAnAttachedPolicyHasPlainNumbersOnly(t *testing.T) {
	t.Parallel()
	for spelling, want := range spellings {
		for field, text := range map[string]string{
			"rulePriority": fmt.Sprintf(rule, spelling, "1", ""),
			"countNumber":  fmt.Sprintf(rule, "1", spelling, ""),
		} {
			policy, problems := lifecycle.Parse([]byte(text), lifecycle.AWS)
			if got := problems.Err() == nil; got != (spelling == "7") {
				t.Errorf("%s %s: %v", field, spelling, problems)
			}
			policy, problems = lifecycle.Parse([]byte(text), lifecycle.Extended)
			if got := problems.Err() == nil; got != (want >= 0) || got && max(policy.Rules[0].RulePriority, policy.Rules[0].Selection.CountNumber) != want {
				t.Errorf("%s %s, extended: %v", field, spelling, problems)
			}
		}
	}
}
