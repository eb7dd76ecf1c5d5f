package ecs_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/ecs"
)

// pinned returns the source of a family of eight revisions, of which these are named outside ECS.
func pinned(t *testing.T, f *fakeECS, names ...string) ecs.Source {
	t.Helper()
	f.clusters = []string{"prod"}
	f.definitions = map[string][]string{"job:1": {registry + "job:v1"}, "job:7": {registry + "job:v7"}, "job:8": {registry + "job:v8"}}
	f.inactive = map[string]bool{"job:1": true}
	source := f.source(t, 0)
	source.Pins = func(_ context.Context, clusters []string) ([]ecs.Pin, error) {
		if !slices.Equal(clusters, f.clusters) {
			t.Errorf("asked for rules of the clusters %v", clusters)
		}
		var pins []ecs.Pin
		for _, name := range names {
			pins = append(pins, ecs.Pin{TaskDefinition: name, By: "rule"})
		}
		return pins, nil
	}
	return source
}

// A rule runs a revision also after it is inactive.
func TestPinnedRevisionsAreInUse(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		arn("task-definition", "job:1"): "job:v1 rule", "job:1": "job:v1 rule", arn("task-definition", "job:7"): "job:v7 rule",
		arn("task-definition", "job"): "job:v8 rule", "job": "job:v8 rule",
	} {
		wantUses(t, pinned(t, &fakeECS{}, name), want)
	}
	wantUses(t, pinned(t, &fakeECS{}))
	source := pinned(t, &fakeECS{}, "job:1")
	source.Revisions = 1
	wantUses(t, source, "job:v1 rule", "job:v8 task-definition/job:8")
}

// A rule for a deleted task definition fails when it runs. It does not concern other images.
func TestAPinToADeletedDefinitionNamesNothing(t *testing.T) {
	t.Parallel()
	wantUses(t, pinned(t, &fakeECS{}, arn("task-definition", "job:2"), "never", "job:8"), "job:v8 rule")
	f := &fakeECS{services: map[string][]object{"prod": {{"serviceArn": arn("service", "s"), "taskDefinition": "job:2"}}}}
	wantFailure(t, pinned(t, f, "job:2"), "describe task definition job:2, which rule names", "Unable to describe")
}

func TestAnyOtherAnswerToAPinIsAFailure(t *testing.T) {
	t.Parallel()
	for _, answer := range []fault{
		{http.StatusBadRequest, "ClientException", "no access"},
		{http.StatusBadRequest, "InvalidParameterException", "Unable to describe"},
		{http.StatusBadRequest, "AccessDeniedException", "no"},
		{http.StatusBadRequest, "ThrottlingException", "Rate exceeded"},
	} {
		f := &fakeECS{faults: map[string]fault{"DescribeTaskDefinition": answer}}
		wantFailure(t, pinned(t, f, "job:1"), "describe task definition job:1, which rule names: ", answer.message)
	}
	wantFailure(t, pinned(t, &fakeECS{}, ""), "rule names no task definition")
	source := pinned(t, &fakeECS{})
	failure := errors.New("denied; allow the action events:ListRules")
	source.Pins = func(context.Context, []string) ([]ecs.Pin, error) { return nil, failure }
	_, err := uses(t, source)
	awstest.ErrorIs(t, "a failure of the rules", err, failure)
}
