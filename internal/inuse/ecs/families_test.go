package ecs_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	configuration "github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/ecs"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// previews returns an ECS with the family pr, whose revisions were registered on days 1 and
// 3. Nothing names it.
func previews() *fakeECS {
	return &fakeECS{
		clusters:    []string{"prod"},
		definitions: map[string][]string{"pr:1": {registry + "app:pr-1"}, "pr:2": {registry + "app:pr-2", "nginx"}},
		registered:  map[string]int{"pr:1": on(1), "pr:2": on(3)},
	}
}

func on(day int) int { return day * 24 * 3600 }

// aging returns the source with familyDays. The images in the registry have that activity,
// in days by tag.
func aging(t *testing.T, f *fakeECS, activity map[string]int) ecs.Source {
	t.Helper()
	source := f.source(t, 5)
	source.Settings.FamilyDays = 30
	source.LastActivity = func(_ context.Context, images []reference.Reference) (map[reference.Reference]time.Time, error) {
		if !slices.IsSortedFunc(images, reference.Reference.Compare) {
			t.Errorf("asked for %v, want each once", images)
		}
		known := map[reference.Reference]time.Time{}
		for _, image := range images {
			if day, listed := activity[image.Tag]; listed && image.RegistryID != "" {
				known[image] = time.Unix(int64(on(day)), 0)
			}
		}
		return known, nil
	}
	return source
}

// idle returns the uses of the app's images as "tag: family day", where the day of the last
// activity is 0 if it is unknown.
func idle(t *testing.T, source ecs.Source) string {
	t.Helper()
	found := map[string]bool{}
	for use, err := range source.Uses(t.Context()) {
		awstest.NoError(t, err)
		if use.Reference.Repository != "app" {
			continue
		}
		day := int64(0)
		if !use.LastActivity.IsZero() {
			day = use.LastActivity.Unix() / int64(on(1))
		}
		found[fmt.Sprint(use.Reference.Tag, ": ", use.Family, " ", day)] = true
	}
	var lines []string
	for line := range found {
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, ", ")
}

func TestAFamilyThatNothingNamesIsIdle(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		activity map[string]int
		want     string
	}{
		"a registration is the newest":   {map[string]int{"pr-1": 1, "pr-2": 2}, "pr-1: pr 3, pr-2: pr 3"},
		"a pull of any revision's image": {map[string]int{"pr-1": 9, "pr-2": 2}, "pr-1: pr 9, pr-2: pr 9"},
		"one image is not listed":        {map[string]int{"pr-2": 4}, "pr-1: pr 4, pr-2: pr 4"},
		"no image is listed":             {nil, "pr-1: pr 0, pr-2: pr 0"},
	} {
		awstest.Equal(t, name, c.want, idle(t, aging(t, previews(), c.activity)))
	}
	old := previews()
	delete(old.registered, "pr:1")
	awstest.Equal(t, "the time of an old registration is unknown", "pr-1: pr 3, pr-2: pr 3", idle(t, aging(t, old, map[string]int{"pr-1": 2})))
	delete(old.registered, "pr:2")
	old.registered["pr:1"] = on(1)
	awstest.Equal(t, "the time of the newest registration is unknown", "pr-1: pr 0, pr-2: pr 0", idle(t, aging(t, old, map[string]int{"pr-1": 2})))
	never := aging(t, previews(), map[string]int{"pr-1": 9})
	never.Settings.FamilyDays = 0
	awstest.Equal(t, "without familyDays", "pr-1: pr 0, pr-2: pr 0", idle(t, never))
	unknown := aging(t, previews(), nil)
	unknown.LastActivity = nil
	awstest.Equal(t, "without a registry", "pr-1: pr 0, pr-2: pr 0", idle(t, unknown))
}

// Each of these names a revision of the family, and another image of it is in use for that.
func TestAFamilyThatSomethingNamesIsNotIdle(t *testing.T) {
	t.Parallel()
	const named = "pr-1:  0, pr-2:  0"
	definition := arn("task-definition", "pr:1")
	service := func(f *fakeECS, more object) {
		more["serviceArn"] = arn("service", "s")
		f.services = map[string][]object{"prod": {more}}
	}
	for name, change := range map[string]func(*fakeECS){
		"a task":         func(f *fakeECS) { f.tasks = map[string][]object{"prod": {task("t", "RUNNING", "pr:1", "nginx")}} },
		"a stopped task": func(f *fakeECS) { f.tasks = map[string][]object{"prod": {task("t", "STOPPED", "pr:1", "nginx")}} },
		"a stopped task of a deleted revision": func(f *fakeECS) {
			f.tasks = map[string][]object{"prod": {task("t", "STOPPED", "pr:9", "nginx")}}
		},
		"a service":    func(f *fakeECS) { service(f, object{"taskDefinition": definition}) },
		"a deployment": func(f *fakeECS) { service(f, object{"deployments": []object{{"taskDefinition": definition}}}) },
		"a task set": func(f *fakeECS) {
			service(f, object{"deploymentController": object{"type": "EXTERNAL"}})
			f.taskSets = map[string][]object{arn("service", "s"): {{"taskSetArn": "1", "taskDefinition": definition}}}
		},
		"a service revision": func(f *fakeECS) {
			service(f, object{"currentServiceRevisions": []object{{"arn": arn("service-revision", "r")}}})
			f.revisions = map[string]object{"r": revision("r", "nginx")}
			f.revisions["r"]["taskDefinition"] = definition
		},
	} {
		f := previews()
		change(f)
		awstest.Equal(t, name, named, idle(t, aging(t, f, map[string]int{"pr-1": 1, "pr-2": 1})))
	}
	for _, pin := range []string{definition, "pr:1", "pr", arn("task-definition", "pr"), "pr:99"} {
		source := aging(t, previews(), map[string]int{"pr-1": 1, "pr-2": 1})
		source.Pins = func(context.Context, []string) ([]ecs.Pin, error) {
			return []ecs.Pin{{TaskDefinition: pin, By: "rule"}}, nil
		}
		awstest.Equal(t, pin, named, idle(t, source))
	}
	other := previews() // a daemon task definition of the same name is another family
	other.daemons = map[string][]object{"prod": {daemon("agent", "r1")}}
	other.revisions = map[string]object{"r1": daemonRevision("r1", "pr:1", "nginx")}
	awstest.Equal(t, "a daemon", "pr-1: pr 3, pr-2: pr 3", idle(t, aging(t, other, map[string]int{"pr-1": 1})))
}

func TestDaemonTaskDefinitionsHaveFamilies(t *testing.T) {
	t.Parallel()
	f := agents()
	f.daemonDefinitions = map[string][]string{"agent:3": {registry + "app:v3"}, "agent:4": {registry + "app:v4"}}
	awstest.Equal(t, "named by a daemon", "v3:  0, v4:  0", idle(t, aging(t, f, map[string]int{"v3": 1})))
	f.daemons, f.registered = nil, map[string]int{"agent:4": on(2)}
	awstest.Equal(t, "without a daemon", "v3: daemon-task-definition/agent 2, v4: daemon-task-definition/agent 2", idle(t, aging(t, f, map[string]int{"v3": 1})))
}

// A proxy for the registry is the registry.
func TestTheActivityOfAnAliasCounts(t *testing.T) {
	t.Parallel()
	f := previews()
	f.definitions = map[string][]string{"pr:2": {registry + "app:pr-2", "proxy.example.com/app:pr-1"}}
	source := aging(t, f, map[string]int{"pr-1": 9})
	source.Aliases = reference.Aliases{"proxy.example.com": {ID: "123456789012", Region: region}}
	awstest.Equal(t, "family", "pr-1: pr 9, pr-2: pr 9", idle(t, source))
}

// Where a question is turned off, something that is not known may name each family.
func TestFamilyDaysHasNoEffectWithoutEveryQuestion(t *testing.T) {
	t.Parallel()
	for field, off := range map[string]func(*configuration.ECS){
		"daemons":       func(e *configuration.ECS) { e.Daemons = false },
		"taskSets":      func(e *configuration.ECS) { e.TaskSets = false },
		"rules":         func(e *configuration.ECS) { e.Rules = false },
		"schedules":     func(e *configuration.ECS) { e.Schedules = false },
		"pipes":         func(e *configuration.ECS) { e.Pipes = false },
		"stateMachines": func(e *configuration.ECS) { e.StateMachines = false },
	} {
		source := aging(t, previews(), map[string]int{"pr-1": 1, "pr-2": 1})
		off(&source.Settings)
		awstest.Equal(t, field+" is off", "pr-1:  0, pr-2:  0", idle(t, source))
		want := "protect.ecs.familyDays has no effect without protect.ecs." + field + ": it is not known which task definition families something names"
		awstest.Equal(t, field+" is off: findings", []finding.Finding{{Kind: finding.NoEffect, Message: want}}, findings(t, source))
		source.Settings.FamilyDays = 0
		awstest.Empty(t, "findings without familyDays", findings(t, source))
	}
}

func findings(t *testing.T, source ecs.Source) []finding.Finding {
	t.Helper()
	var found []finding.Finding
	for use, err := range source.Uses(t.Context()) {
		awstest.NoError(t, err)
		if use.Finding.Kind != "" {
			found = append(found, use.Finding)
		}
	}
	return found
}

func TestAFailedQuestionAboutActivityFailsTheSource(t *testing.T) {
	t.Parallel()
	source := aging(t, previews(), nil)
	source.LastActivity = func(context.Context, []reference.Reference) (map[reference.Reference]time.Time, error) {
		return nil, errors.New("describe images in app: denied")
	}
	wantFailure(t, source, "last activity", "describe images in app: denied; or set protect.ecs.familyDays to 0")
	failed := previews()
	failed.faults = map[string]fault{"ListDaemons": {http.StatusBadRequest, "AccessDeniedException", "no"}}
	wantFailure(t, aging(t, failed, map[string]int{"pr-1": 1}), "ecs:ListDaemons")
}
