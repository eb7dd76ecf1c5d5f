package config_test

import (
	"errors"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

const limited = `{"limits": {"maxDeletions": 100, "maxDeletionsPerRepository": 50, "maxDeletedPercent": 40},
	"policies": [{"name": "a"}, {"name": "b", "limits": {"maxDeletions": 7, "maxDeletionsPerRepository": 60, "maxDeletedPercent": 30}}]}`

func TestOfEachLimitTheSmallerOneCounts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		event      string
		run        *int
		perA, perB int
		pctA, pctB int
	}{
		"nothing asked":   {`{}`, nil, 50, 60, 40, 30},
		"all smaller":     {`{"maxDeletions": 5, "maxDeletionsPerRepository": 4, "maxDeletedPercent": 3}`, new(5), 4, 4, 3, 3},
		"in between":      {`{"maxDeletionsPerRepository": 55, "maxDeletedPercent": 35}`, nil, 50, 55, 35, 30},
		"all larger":      {`{"maxDeletions": 9000, "maxDeletionsPerRepository": 900, "maxDeletedPercent": 100}`, new(9000), 50, 60, 40, 30},
		"zero is a limit": {`{"maxDeletions": 0, "maxDeletionsPerRepository": 0, "maxDeletedPercent": 0}`, new(0), 0, 0, 0, 0},
	} {
		got := narrow(t, mustParse(t, limited), mustRequest(t, test.event))
		want := mustParse(t, limited)
		want.MaxDeletions = test.run
		want.Policies[0].Limits.MaxDeletionsPerRepository, want.Policies[1].Limits.MaxDeletionsPerRepository = test.perA, test.perB
		want.Policies[0].Limits.MaxDeletedPercent, want.Policies[1].Limits.MaxDeletedPercent = test.pctA, test.pctB
		equal(t, name+": Narrow", want, got)
	}
}

func TestNarrowTakesTheModeOfTheRequest(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ document, event, want string }{
		{`{}`, `{}`, "plan"},
		{`{}`, `{"mode": "apply"}`, "apply"},
		{`{"mode": "apply"}`, `{}`, "apply"},
		{`{"mode": "apply"}`, `{"mode": "plan"}`, "plan"},
	} {
		got := narrow(t, mustParse(t, test.document), mustRequest(t, test.event))
		equal(t, test.document+" narrowed by "+test.event+": mode", test.want, string(got.Mode))
	}
}

func TestNarrowNeverWidensTheSelection(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `{"repositories": {"include": ["team-*"], "exclude": ["*/cache"]}}`)
	c = narrow(t, c, mustRequest(t, `{"repositories": ["*a/*", "other"]}`))
	for name, want := range map[string]bool{"team-a/app": true, "team-a/cache": false, "team-b/app": false, "other": false} {
		equal(t, "Select("+name+")", want, c.Repositories.Select(name))
	}
}

func TestAPolicyOfTheRequestStandsInForAllPolicies(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `{"repositories": {"exclude": ["x"]}, "protect": {"keepNewest": 8}, "limits": {"maxDeletedPercent": 20},
		"policies": [{"repositories": ["a"], "policy": "none", "protect": {"keepNewest": 9}}]}`)
	got := narrow(t, c, mustRequest(t, `{"policy": `+keep3+`, "maxDeletedPercent": 10}`))
	want := config.Entry{
		Name: "request", Repositories: patterns("*"), Source: config.Inline,
		Policy: mustPolicy(t, keep3), Settings: c.Settings,
	}
	want.Limits.MaxDeletedPercent = 10
	equal(t, "policies", []config.Entry{want}, got.Policies)
	if got.Repositories.Select("x") {
		t.Error("the policy brings back a repository that is excluded")
	}
}

func TestAPolicyOfTheRequestOnlyPlans(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		document, event string
		refused         bool
	}{
		{`{}`, `{"policy": ` + keep3 + `}`, false},
		{`{}`, `{"mode": "apply", "policy": ` + keep3 + `}`, true},
		{`{"mode": "apply"}`, `{"policy": ` + keep3 + `}`, true},
		{`{"mode": "apply"}`, `{"mode": "plan", "policy": ` + keep3 + `}`, false},
	} {
		got, err := mustParse(t, test.document).Narrow(mustRequest(t, test.event))
		if refused := errors.Is(err, config.ErrPolicyInApply); refused != test.refused || err != nil && !refused {
			t.Errorf("%s narrowed by %s: %v", test.document, test.event, err)
		}
		if err == nil && got.Mode != config.Plan {
			t.Errorf("%s narrowed by %s has mode %s", test.document, test.event, got.Mode)
		}
	}
}

func TestOverrideReplacesLimitsEverywhere(t *testing.T) {
	t.Parallel()
	got := mustParse(t, limited).Override(new(1000), new(70), new(0))
	want := mustParse(t, limited)
	want.Limits = config.Limits{MaxDeletions: 1000, MaxDeletionsPerRepository: 70, MaxDeletedPercent: 0}
	for i := range want.Policies {
		want.Policies[i].OwnBudget = false // all draw on what was typed
		want.Policies[i].Limits.MaxDeletionsPerRepository = 70
		want.Policies[i].Limits.MaxDeletedPercent = 0
	}
	equal(t, "Override", want, got)
	equal(t, "Override with nothing typed", mustParse(t, limited), mustParse(t, limited).Override(nil, nil, nil))
}

func TestUnprotectRemovesProtectionsEverywhere(t *testing.T) {
	t.Parallel()
	const text = `{"protect": {"pushedWithinHours": 5}, "policies": [{"name": "a"}, {"name": "b", "protect": {"keepNewest": 3, "tagPatterns": ["x"]}}]}`
	c := mustParse(t, text)
	want := mustParse(t, `{"protect": {"keepNewest": 0, "pushedWithinHours": 0, "pulledWithinDays": 7}, "orphans": "delete",
		"policies": [{"name": "a"}, {"name": "b", "protect": {"tagPatterns": ["x"]}}]}`)
	equal(t, "Unprotect", want, c.Unprotect([]string{config.KeepNewest, config.PushedWithinHours, config.Orphan}))
	equal(t, "the configuration before", mustParse(t, text), c)
	none := c.Unprotect([]string{config.TagPatterns, config.PulledWithinDays}).Policies[1].Protect
	if len(none.TagPatterns) != 0 || none.PulledWithinDays != 0 || none.KeepNewest != 3 || none.PushedWithinHours != 5 {
		t.Errorf("protection %+v", none)
	}
}
