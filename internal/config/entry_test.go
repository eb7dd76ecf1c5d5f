package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

func TestTheFirstEntryThatSelectsARepositoryDecides(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `{"policies": [
		{"name": "first", "repositories": ["team-a/*", "shared"]},
		{"name": "second", "repositories": ["team-*"]},
		{"name": "never", "repositories": ["team-a/x"]}]}`)
	for repository, want := range map[string]string{
		"team-a/x": "first", "team-a/x/y": "first", "shared": "first", "team-b/x": "second", "team-a": "second", "other": "", "": "",
	} {
		got := ""
		if entry := c.Entry(repository); entry != nil {
			got = entry.Name
		}
		if got != want {
			t.Errorf("Entry(%q) is %q, want %q", repository, got, want)
		}
	}
	if none := mustParse(t, `{"policies": []}`); none.Entry("x") != nil {
		t.Error("without entries one selects a repository")
	}
}

func TestEntryNamesAndSources(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `{"policies": [
		{"policy": `+keep3+`}, {"policy": "none"}, {"policy": "attached"}, {"name": "mine", "policy": "none"}, {}]}`)
	type entry struct {
		Name   string
		Source config.PolicySource
		Rules  int
	}
	var got []entry
	for _, e := range c.Policies {
		got = append(got, entry{e.Name, e.Source, len(e.Policy.Rules)})
	}
	want := []entry{
		{"policies[0]", config.Inline, 1},
		{"policies[1]", config.None, 0},
		{"attached", config.Attached, 0},
		{"mine", config.None, 0},
		{"attached", config.Attached, 0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entries mismatch (-want +got):\n%s", diff)
	}
}

// Each entry sets one field; the others come from the general settings, which
// themselves differ from the defaults.
func TestEntrySettingsReplaceTheGeneralOnesFieldByField(t *testing.T) {
	t.Parallel()
	const general = `"protect": {"inUse": ["eks"], "keepNewest": 3}, "orphans": "delete", "onExpire": "archive", "limits": {"maxDeletions": 9, "maxDeletedPercent": 40}`
	base := mustParse(t, `{`+general+`}`).Settings
	tests := map[string]func(*config.Entry){
		`{}`:                                           func(*config.Entry) {},
		`{"protect": {"inUse": []}}`:                   func(e *config.Entry) { e.Protect.InUse = []string{} },
		`{"protect": {"references": ["r"]}}`:           func(e *config.Entry) { e.Protect.References = []string{"r"} },
		`{"protect": {"keepNewest": 0}}`:               func(e *config.Entry) { e.Protect.KeepNewest = 0 },
		`{"protect": {"tagPatterns": ["v*"]}}`:         func(e *config.Entry) { e.Protect.TagPatterns = patterns("v*") },
		`{"protect": {"pulledWithinDays": 1}}`:         func(e *config.Entry) { e.Protect.PulledWithinDays = 1 },
		`{"protect": {"pushedWithinHours": 1}}`:        func(e *config.Entry) { e.Protect.PushedWithinHours = 1 },
		`{"orphans": "keep"}`:                          func(e *config.Entry) { e.Orphans = config.KeepOrphans },
		`{"onExpire": "delete"}`:                       func(e *config.Entry) { e.OnExpire = config.DeleteExpired },
		`{"limits": {"maxDeletionsPerRepository": 2}}`: func(e *config.Entry) { e.Limits.MaxDeletionsPerRepository = 2 },
		`{"limits": {"maxDeletedPercent": 1}}`:         func(e *config.Entry) { e.Limits.MaxDeletedPercent = 1 },
		`{"limits": {"maxDeletions": 1}}`:              func(e *config.Entry) { e.Limits.MaxDeletions, e.OwnBudget = 1, true },
		`{"limits": {"maxDeletions": 9}}`:              func(e *config.Entry) { e.OwnBudget = true }, // its own, though no other number
	}
	for text, change := range tests {
		// the general settings may come after the entries
		c := mustParse(t, `{"policies": [`+text+`], `+general+`}`)
		want := config.Default().Policies[0]
		want.Settings = base
		change(&want)
		if diff := cmp.Diff(want, c.Policies[0]); diff != "" {
			t.Errorf("entry %s mismatch (-want +got):\n%s", text, diff)
		}
		if diff := cmp.Diff(base, c.Settings); diff != "" {
			t.Errorf("entry %s changed the general settings (-want +got):\n%s", text, diff)
		}
	}
}

func TestRepositoriesSelect(t *testing.T) {
	t.Parallel()
	r := config.Repositories{Include: patterns("team-*", "x"), Exclude: patterns("*/cache")}
	for name, want := range map[string]bool{"team-a/app": true, "team-a/cache": false, "x": true, "y": false} {
		if got := r.Select(name); got != want {
			t.Errorf("Select(%q) = %t, want %t", name, got, want)
		}
	}
	r.Requested = patterns("team-a/*", "y")
	for name, want := range map[string]bool{"team-a/app": true, "team-a/cache": false, "team-b/app": false, "x": false, "y": false} {
		if got := r.Select(name); got != want {
			t.Errorf("narrowed, Select(%q) = %t, want %t", name, got, want)
		}
	}
	r.Requested = patterns()
	if r.Select("x") {
		t.Error("an empty narrowing selects a repository")
	}
}

// One scan serves all entries.
func TestInUseIsWhatAnyEntryReliesUpon(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]config.Protect{
		`{}`:                         {InUse: []string{"ecs", "lambda"}, References: []string{}, TaskDefinitionRevisions: 5},
		`{"protect": {"inUse": []}}`: {InUse: []string{}, References: []string{}, TaskDefinitionRevisions: 5},
		`{"protect": {"inUse": ["lambda"], "references": ["b"], "taskDefinitionRevisions": 1}, "policies": [{},
			{"protect": {"inUse": ["ecs", "lambda"], "references": ["c", "a"], "taskDefinitionRevisions": 7}}, {"protect": {"inUse": []}}]}`: {
			InUse: []string{"ecs", "lambda"}, References: []string{"a", "b", "c"}, TaskDefinitionRevisions: 7,
		},
		// general settings protect what is removed by name elsewhere
		`{"protect": {"inUse": ["ecs"]}, "policies": []}`: {InUse: []string{"ecs"}, References: []string{}, TaskDefinitionRevisions: 5},
	} {
		c := mustParse(t, text)
		if diff := cmp.Diff(want, c.InUse(), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: InUse mismatch (-want +got):\n%s", text, diff)
		}
	}
}
