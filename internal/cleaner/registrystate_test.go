package cleaner_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/registrystate"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

func to(account, region string) []fakeecr.ReplicationDestination {
	return []fakeecr.ReplicationDestination{{RegistryID: account, Region: region}}
}

// messagesOf returns the messages of the kind.
func messagesOf(r *report.Report, kind finding.Kind) string {
	var messages []string
	for _, f := range r.Findings {
		if f.Kind == kind {
			messages = append(messages, f.Message)
		}
	}
	return strings.Join(messages, "\n")
}

func TestARunReportsReplicasWithOneCallOfEachOperation(t *testing.T) {
	t.Parallel()
	for _, planOnly := range []bool{true, false} {
		registry, r := newRegistry(t, expireAll)
		r.RegistryState = r.Registry.(registrystate.Reader)
		if planOnly {
			r.Remover = nil
		}
		registry.CreateRepository("other")
		registry.SetLifecyclePolicy("other", expireAll)
		registry.SetReplication(fakeecr.ReplicationRule{Destinations: to("123456789012", "eu-central-1")})
		registry.SetBackfills(
			fakeecr.ReplicationBackfill{ID: "1", Destination: to("123456789012", "eu-central-1")[0], Status: "COMPLETE"},
			fakeecr.ReplicationBackfill{ID: "2", Destination: to("333333333333", "us-east-1")[0], Status: "IN_PROGRESS"})
		push(registry, 9*day, fakeecr.Image{})
		got := run(t, &r)
		awstest.Contains(t, messagesOf(&got, finding.Replicated), "1 repository (app) to eu-central-1; ")
		awstest.Contains(t, messagesOf(&got, finding.ReplicationBackfill), "backfill to 333333333333/us-east-1 runs")
		if got.Incomplete {
			t.Error("the report is incomplete")
		}
		for _, operation := range []string{"DescribeRegistry", "ListReplicationBackfills"} {
			awstest.Equal(t, operation+" calls", 1, registry.Calls()[operation])
		}
	}
}

// A counted state counts its calls.
type counted struct{ calls atomic.Int64 }

func (c *counted) ReplicationRules(context.Context) ([]registrystate.Rule, error) {
	c.calls.Add(1)
	return []registrystate.Rule{{Destinations: []string{"eu-north-1"}}}, nil
}

func (c *counted) Backfills(context.Context) ([]string, error) {
	c.calls.Add(1)
	return nil, nil
}

func (*counted) NeverEvaluated() []string { return nil }

func TestTheCallsAboutReplicasAreMadeDuringTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, state, seen := newFakeRegistry(image("a", 9*day)).Add("web", image("b", 9*day)), &counted{}, int64(0)
		r := newRunner(t, w, expireAll)
		r.RegistryState, r.Workers = state, 1
		r.Remover = w.Remover().BeforeDelete(func(repository string, _ []string) {
			synctest.Wait()
			if seen = state.calls.Load(); repository == "app" && seen > 0 {
				t.Errorf("%d calls before anything is removed", seen)
			}
		})
		got := run(t, &r)
		awstest.Contains(t, messagesOf(&got, finding.Replicated), "2 repositories (app, web)")
		awstest.Equal(t, "calls before the second repository", int64(2), seen)
		awstest.Equal(t, "calls", int64(2), state.calls.Load())
	})
}

func TestSettingsThatCannotBeReadAreNoFailure(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"AccessDeniedException":     "allow the action ecr:DescribeRegistry",
		"InvalidParameterException": "run again",
		"UnknownOperationException": "",
	} {
		registry, r := newRegistry(t, expireAll)
		r.RegistryState = r.Registry.(registrystate.Reader)
		registry.Fail("DescribeRegistry", "", code)
		push(registry, 9*day, fakeecr.Image{})
		got := run(t, &r)
		message := messagesOf(&got, finding.ReplicationUnknown)
		if got.Incomplete || got.Totals.Deleted != 1 || (message == "") != (want == "") || !strings.HasSuffix(message, want) {
			t.Errorf("%s: incomplete %t, totals %+v, message %q", code, got.Incomplete, got.Totals, message)
		}
	}
}

func TestARunNamesPoliciesThatECRHasNeverEvaluated(t *testing.T) {
	t.Parallel()
	registry, r := newRegistry(t, `{}`)
	r.RegistryState, r.Config = r.Registry.(registrystate.Reader), fixture.Configure(t, `{"protect": {"inUse": []}}`)
	registry.SetLifecyclePolicy("app", expireOld)
	first := run(t, &r)
	awstest.Equal(t, "findings before", "", messagesOf(&first, finding.PolicyNeverEvaluated))
	registry.NeverEvaluate("app")
	second := run(t, &r)
	awstest.Contains(t, messagesOf(&second, finding.PolicyNeverEvaluated), "1 repository: app; ")
	awstest.Equal(t, "GetLifecyclePolicy calls", 2, registry.Calls()["GetLifecyclePolicy"])
	awstest.Equal(t, "DescribeRegistry calls of runs that remove nothing", 0, registry.Calls()["DescribeRegistry"])
}
