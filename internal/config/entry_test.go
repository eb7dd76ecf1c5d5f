package config_test

import (
	"errors"
	"fmt"
	"testing"

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
		equal(t, "Entry("+repository+")", want, entryName(t, &c, repository, nil))
	}
	none := mustParse(t, `{"policies": []}`)
	equal(t, "entry without entries", "", entryName(t, &none, "x", nil))
}

// entryName returns the name of the entry that decides, or "". Without tags,
// which a nil map means, nobody may ask for them.
func entryName(t *testing.T, c *config.Config, repository string, tags map[string]string) string {
	t.Helper()
	asked := 0
	entry, err := c.Entry(repository, func() (map[string]string, error) {
		if asked++; tags == nil || asked > 1 {
			t.Errorf("the tags of %s are asked for", repository)
		}
		return tags, nil
	})
	if err != nil {
		t.Errorf("Entry(%s): %v", repository, err)
	}
	if entry == nil {
		return ""
	}
	return entry.Name
}

func TestAnEntrySelectsByNameAndAllItsTags(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `{"policies": [
		{"name": "by name", "repositories": ["base"]},
		{"name": "dev", "repositories": ["team-*"], "repositoryTags": {"stage": "dev", "owner": ""}},
		{"name": "prod", "repositories": ["team-*"], "repositoryTags": {"stage": "prod"}},
		{"name": "team", "repositories": ["team-a/*"]},
		{"name": "any", "repositories": ["team-*"], "repositoryTags": {"any": "tag"}}]}`)
	tests := map[string]struct {
		repository string
		tags       map[string]string
		want       string
	}{
		"a name decides before tags matter": {"base", nil, "by name"},
		"no name matches":                   {"other", nil, ""},
		"all tags match":                    {"team-a/x", map[string]string{"stage": "dev", "owner": "", "more": "1"}, "dev"},
		"a tag is missing":                  {"team-a/x", map[string]string{"stage": "dev"}, "team"},
		"a later entry's tags":              {"team-a/x", map[string]string{"stage": "prod"}, "prod"},
		"no tags":                           {"team-a/x", map[string]string{}, "team"},
		"the case of a value counts":        {"team-b/x", map[string]string{"stage": "Prod"}, ""},
		"the case of a key counts":          {"team-b/x", map[string]string{"Stage": "prod"}, ""},
		"a star is a character":             {"team-b/x", map[string]string{"any": "*"}, ""},
		"after an entry by name":            {"team-b/x", map[string]string{"any": "tag"}, "any"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			equal(t, fmt.Sprintf("Entry(%s) with %v", test.repository, test.tags), test.want, entryName(t, &c, test.repository, test.tags))
		})
	}
}

func TestWithoutTagsNoEntryIsGuessed(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `{"policies": [{"repositoryTags": {"a": "b"}}, {}]}`)
	failure := errors.New("denied")
	entry, err := c.Entry("x", func() (map[string]string, error) { return nil, failure })
	if entry != nil || !errors.Is(err, failure) {
		t.Errorf("Entry = %v, %v; want the error and no entry", entry, err)
	}
}

func TestWhyNamesWhatSelects(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `{"policies": [{"repositories": ["a", "team-*", "*"], "repositoryTags": {"stage": "dev", "owner": "x"}}, {}]}`)
	for i, want := range []string{"matches team-* and has the tags owner=x, stage=dev", "matches *"} {
		equal(t, fmt.Sprintf("Why of entry %d", i), want, c.Policies[i].Why("team-a"))
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
	equal(t, "entries", want, got)
}

// Each entry sets one field; the others come from the general settings, which
// themselves differ from the defaults.
func TestEntrySettingsReplaceTheGeneralOnesFieldByField(t *testing.T) {
	t.Parallel()
	const general = `"protect": {"inUse": ["eks"], "keepNewest": 3}, "orphans": "delete", "onExpire": "archive", "limits": {"maxDeletions": 9, "maxDeletedPercent": 40}`
	base := mustParse(t, `{`+general+`}`).Settings
	tests := map[string]func(*config.Entry){
		`{}`:                                 func(*config.Entry) {},
		`{"protect": {"inUse": []}}`:         func(e *config.Entry) { e.Protect.InUse = []string{} },
		`{"protect": {"references": ["r"]}}`: func(e *config.Entry) { e.Protect.References = []string{"r"} },
		`{"protect": {"taskDefinitionRevisions": 1}}`:  func(e *config.Entry) { e.Protect.TaskDefinitionRevisions = 1 },
		`{"protect": {"eksClusters": ["c"]}}`:          func(e *config.Entry) { e.Protect.EKSClusters = patterns("c") },
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
		equal(t, "entry "+text, want, c.Policies[0])
		equal(t, "general settings beside entry "+text, base, c.Settings)
	}
}

func TestRepositoriesSelect(t *testing.T) {
	t.Parallel()
	r := config.Repositories{Include: patterns("team-*", "x"), Exclude: patterns("*/cache")}
	for name, want := range map[string]bool{"team-a/app": true, "team-a/cache": false, "x": true, "y": false} {
		equal(t, "Select("+name+")", want, r.Select(name))
	}
	r.Requested = patterns("team-a/*", "y")
	for name, want := range map[string]bool{"team-a/app": true, "team-a/cache": false, "team-b/app": false, "x": false, "y": false} {
		equal(t, "narrowed, Select("+name+")", want, r.Select(name))
	}
	r.Requested = patterns()
	if r.Select("x") {
		t.Error("an empty narrowing selects a repository")
	}
}

// One scan serves all entries.
func TestInUseIsWhatAnyEntryReliesUpon(t *testing.T) {
	t.Parallel()
	all := config.Default().Protect.ECS
	for text, want := range map[string]config.Protect{
		`{}`:                         {InUse: []string{"ecs", "lambda"}, References: []string{}, TaskDefinitionRevisions: 5, ECS: all},
		`{"protect": {"inUse": []}}`: {InUse: []string{}, References: []string{}, TaskDefinitionRevisions: 5, ECS: all},
		`{"protect": {"ecs": {"rules": false, "pipes": false, "familyDays": 30}}, "policies": [{"protect": {"ecs": {"pipes": true, "familyDays": 9}}}]}`: {
			InUse: []string{"ecs", "lambda"}, References: []string{}, TaskDefinitionRevisions: 5,
			ECS: config.ECS{Daemons: true, TaskSets: true, Schedules: true, Pipes: true, StateMachines: true, FamilyDays: 30},
		},
		`{"protect": {"inUse": ["lambda"], "references": ["b"], "taskDefinitionRevisions": 1}, "policies": [{},
			{"protect": {"inUse": ["ecs", "lambda"], "references": ["c", "a"], "taskDefinitionRevisions": 7}}, {"protect": {"inUse": []}}]}`: {
			InUse: []string{"ecs", "lambda"}, References: []string{"a", "b", "c"}, TaskDefinitionRevisions: 7, ECS: all,
		},
		// general settings protect what is removed by name elsewhere
		`{"protect": {"inUse": ["ecs"]}, "policies": []}`: {InUse: []string{"ecs"}, References: []string{}, TaskDefinitionRevisions: 5, ECS: all},
	} {
		c := mustParse(t, text)
		got := c.InUse()
		equal(t, text+": InUse", want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(config.Protect{}, "EKSClusters", "EKSResources"))
	}
}

func TestSourcesAreServicesListsAndTheKubeconfig(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		`{}`:                         {"ecs", "lambda"},
		`{"protect": {"inUse": []}}`: {},
		`{"protect": {"inUse": [], "kubeconfig": {}}}`:                                            {"kubeconfig"},
		`{"protect": {"inUse": ["eks"], "references": ["a"], "kubeconfig": "k"}, "policies": []}`: {"eks", "a", "kubeconfig"},
	} {
		c := mustParse(t, text)
		equal(t, text+": sources", want, c.InUse().Sources(), cmpopts.EquateEmpty())
		equal(t, text+": general sources", want, c.Protect.Sources(), cmpopts.EquateEmpty())
		for _, entry := range c.Policies {
			equal(t, text+": sources of an entry", want, entry.Protect.Sources(), cmpopts.EquateEmpty())
		}
	}
}

// If two parts of a configuration set an age for one list, the smaller age counts.
func TestAListIsAsOldAsTheStrictestAllows(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		`{}`:                                 0,
		`{"protect": {"references": ["a"]}}`: 0,
		`{"protect": {"references": ["a"], "referencesMaxAgeHours": 5}}`:                                                                               5,
		`{"protect": {"references": ["b"], "referencesMaxAgeHours": 5}}`:                                                                               0,
		`{"protect": {"references": ["a"], "referencesMaxAgeHours": 5}, "policies": [{"protect": {"referencesMaxAgeHours": 3}}]}`:                      3,
		`{"protect": {"references": ["a"], "referencesMaxAgeHours": 5}, "policies": [{"protect": {"referencesMaxAgeHours": 9}}]}`:                      5,
		`{"protect": {"references": ["a"], "referencesMaxAgeHours": 5}, "policies": [{"protect": {"referencesMaxAgeHours": 3, "references": ["b"]}}]}`: 5,
		`{"policies": [{"protect": {"references": ["a"]}}, {"protect": {"references": ["a"], "referencesMaxAgeHours": 7}}]}`:                           7,
	} {
		c := mustParse(t, text)
		equal(t, text, want, c.ReferencesMaxAge("a"))
	}
}
