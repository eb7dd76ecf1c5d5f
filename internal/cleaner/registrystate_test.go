package cleaner_test

import (
	"strings"
	"testing"

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
