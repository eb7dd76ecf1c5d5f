package ecrapi_test

import (
	"fmt"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/registrystate"
)

func TestReplicationRules(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]registrystate.Rule{
		`{"registryId": "1", "replicationConfiguration": {"rules": []}}`: {},
		`{"registryId": "1", "replicationConfiguration": {"rules": [
			{"destinations": [{"region": "eu-west-1", "registryId": "1"}, {"region": "us-east-1", "registryId": "2"}], "new": {}},
			{"destinations": [], "repositoryFilters": [{"filter": "a/", "filterType": "PREFIX_MATCH"}, {"filter": "b", "filterType": "NEW"}],
			 "deleteReplication": {"enabled": true}}]}}`: {
			{Destinations: []string{"eu-west-1", "2/us-east-1"}},
			{Prefixes: []string{"a/", ""}, Deletes: true},
		},
	} {
		got, err := ecrapi.New(api(awstest.Answer(text))).ReplicationRules(t.Context())
		awstest.NoError(t, err)
		awstest.Equal(t, "rules of "+text, want, got)
	}
	for _, text := range []string{`{}`, ``, `{"replicationConfiguration": {}}`, `<html>`} {
		if got, err := ecrapi.New(api(awstest.Answer(text))).ReplicationRules(t.Context()); err == nil {
			t.Errorf("%q are the rules %v", text, got)
		}
	}
}

func TestBackfillsOfAllPages(t *testing.T) {
	t.Parallel()
	registry, cfg := awstest.Registry(t)
	client, _ := ecrapi.Connect(cfg)
	none, err := client.Backfills(t.Context())
	awstest.NoError(t, err)
	awstest.Empty(t, "backfills", none)
	var backfills []fakeecr.ReplicationBackfill
	for i := range 120 {
		backfills = append(backfills, fakeecr.ReplicationBackfill{ID: fmt.Sprintf("%03d", i), Status: "COMPLETE"})
	}
	for i, status := range map[int]string{0: "FAILED", 1: "STOPPED", 2: "PREPARING", 60: "IN_PROGRESS", 119: "STOPPING"} {
		backfills[i].Status = status
		backfills[i].Destination = fakeecr.ReplicationDestination{Region: fmt.Sprintf("region-%d", i), RegistryID: "123456789012"}
	}
	registry.SetBackfills(backfills...)
	running, err := client.Backfills(t.Context())
	awstest.NoError(t, err)
	awstest.Equal(t, "running", []string{"region-119", "region-2", "region-60"}, running)
	if _, err := ecrapi.New(api(awstest.Answer(`{}`))).Backfills(t.Context()); err == nil {
		t.Error("an answer without a list is no error")
	}
}

func TestNeverEvaluatedIsWhatECRAnsweredLast(t *testing.T) {
	t.Parallel()
	registry, cfg := awstest.Registry(t)
	client, _ := ecrapi.Connect(cfg)
	for _, name := range []string{"aa", "bb"} {
		registry.CreateRepository(name)
		registry.SetLifecyclePolicy(name, "{}")
		registry.NeverEvaluate(name)
	}
	read := func() []string {
		for _, name := range []string{"bb", "aa"} {
			_, err := client.PolicyText(t.Context(), name)
			awstest.NoError(t, err)
		}
		return client.NeverEvaluated()
	}
	awstest.Equal(t, "never evaluated", []string{"aa", "bb"}, read())
	registry.SetLifecyclePolicy("aa", "{}")
	awstest.Equal(t, "never evaluated after an evaluation of aa", []string{"bb"}, read())
	absent := ecrapi.New(api(awstest.Answer(`{"lifecyclePolicyText": "{}"}`)))
	_, err := absent.PolicyText(t.Context(), "a")
	awstest.NoError(t, err)
	awstest.Empty(t, "never evaluated without a time", absent.NeverEvaluated())
}
