package ecs_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/ecs"
)

// revisions returns a service with revisions r0, r1 … whose images are
// app:v@aaa…, app:v@bbb… and so on.
func revisions(deployments ...object) *fakeECS {
	f := deployed()
	f.tasks = nil
	f.deployments = map[string][]object{arn("service", "s"): deployments}
	f.revisions = map[string]object{}
	for i := range 16 {
		name := fmt.Sprint("r", i)
		f.revisions[arn("service-revision", name)] = revision(name, registry+"app:v "+sha(fmt.Sprintf("%x", i)))
	}
	return f
}

// used is the use of the image of revision i.
func used(i int) string {
	return fmt.Sprintf("app:v@%s service-revision/r%d", sha(fmt.Sprintf("%x", i)), i)
}

func TestECSNamesTheDigestsOfStandingRevisions(t *testing.T) {
	t.Parallel()
	rollback := deployment("d3", "ROLLBACK_SUCCESSFUL", 30, "r3", "r2")
	rollback["rollback"] = object{"serviceRevisionArn": arn("service-revision", "r5")}
	history := deployment("d0", "SUCCESSFUL", 1, "r0")
	for name, c := range map[string]struct {
		deployments []object
		want        []string
	}{
		"none": {nil, nil},
		"the last one succeeded": {
			[]object{history, deployment("d1", "SUCCESSFUL", 10, "r1", "r0")},
			[]string{used(0), used(1)},
		},
		"one is in progress": {
			[]object{deployment("d2", "IN_PROGRESS", 20, "r2", "r1"), history, deployment("d1", "SUCCESSFUL", 10, "r1")},
			[]string{used(1), used(2)},
		},
		"one was stopped half way and another is pending": {
			[]object{deployment("d1", "SUCCESSFUL", 10, "r1"), deployment("d2", "STOPPED", 20, "r2", "r1"), deployment("d3", "PENDING", 30, "r3"), history},
			[]string{used(1), used(2), used(3)},
		},
		"the last one was rolled back": {
			[]object{history, rollback, deployment("d2", "SUCCESSFUL", 20, "r6")},
			[]string{used(2), used(3), used(5)},
		},
		"nothing ever succeeded": {
			[]object{deployment("d1", "ROLLBACK_FAILED", 10, "r1"), deployment("d2", "A_NEW_STATUS", 20, "r2")},
			[]string{used(1), used(2)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := revisions(c.deployments...)
			f.page = 1
			wantUses(t, f.source(t, 0), append(c.want, "app:v1 service/s")...)
		})
	}
}

func TestECSAsksForWhatTheServiceNamesItself(t *testing.T) {
	t.Parallel()
	f := revisions(deployment("d1", "SUCCESSFUL", 10, "r1"))
	f.services["prod"][0]["currentServiceDeployment"] = arn("service-deployment", "other")
	f.services["prod"][0]["currentServiceRevisions"] = []object{{"arn": arn("service-revision", "r7")}, {"arn": arn("service-revision", "r1")}}
	f.deployments[arn("service", "of another name")] = []object{deployment("other", "IN_PROGRESS", 20, "r8", "r9")}
	wantUses(t, f.source(t, 0), used(1)+" runs", used(7)+" runs", used(8), used(9), "app:v1 service/s")
}

func TestECSDescribesManyRevisionsInSeveralCalls(t *testing.T) {
	t.Parallel()
	f := revisions()
	for i := range 50 {
		name := fmt.Sprint("many", i)
		f.deployments[arn("service", "s")] = append(f.deployments[arn("service", "s")], deployment(name, "STOPPED", i, name))
		f.revisions[arn("service-revision", name)] = revision(name, fmt.Sprint(registry, "app:v", i))
	}
	got, err := uses(t, f.source(t, 0))
	awstest.NoError(t, err)
	awstest.Equal(t, "uses", 51, len(got))
	for _, operation := range []string{"DescribeServiceDeployments", "DescribeServiceRevisions"} {
		awstest.Equal(t, operation+" calls for 50 of them", 3, f.Count(operation))
	}
}

// aboutRevisions are the operations that say what the revisions of a service are.
var aboutRevisions = []string{"ListServiceDeployments", "DescribeServiceDeployments", "DescribeServiceRevisions"}

// notOffered are answers to a call that ECS does not know, or not for a service.
var notOffered = []fault{
	{http.StatusBadRequest, "UnknownOperationException", ""},
	{http.StatusBadRequest, "UnsupportedFeatureException", "not for this service"},
	{http.StatusBadRequest, "InvalidAction", ""},
	{http.StatusNotImplemented, "", "not yet"},
}

// faulty returns a service whose revision is asked for by an operation that
// answers with the fault. If named is true, the service itself names it.
func faulty(operation string, answer fault, named bool) *fakeECS {
	f := revisions(deployment("d1", "SUCCESSFUL", 10, "r1"))
	if named {
		f.services["prod"][0]["currentServiceRevisions"] = []object{{"arn": arn("service-revision", "r1")}}
	}
	f.faults = map[string]fault{operation: answer}
	return f
}

// ClusterNotFoundException and the like say that a cluster or service is gone, which
// then runs nothing. ResourceNotFoundException may be about one of many items of the
// request, and fails the source.
func TestECSFailsWhereItIsNotSaidWhatIsGone(t *testing.T) {
	t.Parallel()
	for _, operation := range append([]string{"ListTasks", "DescribeTasks", "ListServices", "DescribeServices"}, aboutRevisions...) {
		f := faulty(operation, fault{http.StatusBadRequest, "ResourceNotFoundException", "not found"}, true)
		f.tasks = map[string][]object{"prod": {task("t", "RUNNING", "", registry+"app:v1")}}
		wantFailure(t, f.source(t, 0), "ResourceNotFoundException")
	}
}

func TestECSFallsBackToTagsWhereItKnowsNoRevisions(t *testing.T) {
	t.Parallel()
	for _, answer := range notOffered {
		f := faulty("ListServiceDeployments", answer, false)
		wantUses(t, f.source(t, 0), "app:v1 service/s")
	}
	old := revisions(deployment("d1", "SUCCESSFUL", 10, "before there were revisions"))
	wantUses(t, old.source(t, 0), "app:v1 service/s")
}

func TestECSDoesNotMissTheRevisionsOfServicesThatEndMeanwhile(t *testing.T) {
	t.Parallel()
	for _, operation := range aboutRevisions {
		for _, code := range []string{"ServiceNotActiveException", "ServiceNotFoundException", "ClusterNotFoundException"} {
			f := faulty(operation, fault{http.StatusBadRequest, code, ""}, true)
			if got, err := uses(t, f.source(t, 0)); err != nil || len(got) == 0 || got[0] != "app:v1 service/s" {
				t.Errorf("%s answers %s: got uses %v and error %v", operation, code, got, err)
			}
		}
	}
}

// A revision that the service names, or that ECS has listed, is there, whatever a later call says.
func TestECSFailsWhereItKeepsRevisionsToItself(t *testing.T) {
	t.Parallel()
	for _, operation := range aboutRevisions {
		for _, answer := range append(notOffered,
			fault{http.StatusBadRequest, "OptInRequired", "not in this account"},
			fault{http.StatusBadRequest, "AccessDeniedException", "not authorized"}, errorPage) {
			for _, emulated := range []bool{false, true} {
				named := faulty(operation, answer, true)
				wantFailure(t, patient(t, named, emulated), "of "+arn("service", "s")+": ", operation)
				listed := faulty(operation, answer, false)
				if operation != "ListServiceDeployments" {
					wantFailure(t, patient(t, listed, emulated), "of "+arn("service", "s")+": ", operation)
				}
			}
		}
	}
}

func TestECSFailsWhereTheAccountMayNotAskForRevisions(t *testing.T) {
	t.Parallel()
	for _, operation := range aboutRevisions {
		for _, code := range []string{"OptInRequired", "SubscriptionRequiredException"} {
			f := faulty(operation, fault{http.StatusBadRequest, code, "not in this account"}, false)
			wantFailure(t, f.source(t, 0), code, `take "ecs" out of protect.inUse`)
		}
	}
}

// An error page of ECS may pass: the call is retried, and a scan that gets no
// answer fails. That of an emulator is its answer to what it does not know.
func TestECSDoubtsErrorPagesUnlessOfAnEmulator(t *testing.T) {
	t.Parallel()
	for _, operation := range aboutRevisions {
		for _, named := range []bool{false, true} {
			f := faulty(operation, errorPage, named)
			wantFailure(t, patient(t, f, false), "of "+arn("service", "s")+": ", "500")
			awstest.Equal(t, operation+" calls", 3, f.Count(operation))
		}
	}
	f := faulty("ListServiceDeployments", errorPage, false)
	wantUses(t, patient(t, f, true), "app:v1 service/s")
	awstest.Equal(t, "calls of an emulator", 1, f.Count("ListServiceDeployments"))
	throttled := faulty("ListServiceDeployments", fault{http.StatusBadRequest, "ThrottlingException", "Rate exceeded"}, false)
	wantFailure(t, patient(t, throttled, true), "Rate exceeded")
	awstest.Equal(t, "throttled calls", 3, throttled.Count("ListServiceDeployments"))
}

// Without a time nobody can tell what came after it.
func TestECSTakesDeploymentsWithoutATimeForStanding(t *testing.T) {
	t.Parallel()
	timeless := deployment("d9", "SUCCESSFUL", 0, "r9")
	delete(timeless, "createdAt")
	f := revisions(deployment("d1", "SUCCESSFUL", 10, "r1"), timeless, deployment("d2", "IN_PROGRESS", 20, "r2"))
	wantUses(t, f.source(t, 0), used(1), used(2), used(9), "app:v1 service/s")
}

func TestECSFailsOnRevisionsAndDeploymentsWithoutAName(t *testing.T) {
	t.Parallel()
	current := revisions()
	current.services["prod"][0]["currentServiceRevisions"] = []object{{"runningTaskCount": 1}}
	wantFailure(t, current.source(t, 0), "of "+arn("service", "s")+": ", "has no ARN")
	for _, member := range []string{"serviceDeploymentArn", "targetServiceRevisionArn"} {
		nameless := deployment("d1", "SUCCESSFUL", 10, "r1")
		delete(nameless, member)
		wantFailure(t, revisions(nameless).source(t, 0), "of "+arn("service", "s")+": ", "has no ARN")
	}
}

func TestECSReadsTheTaskDefinitionOfARevisionWithoutImages(t *testing.T) {
	t.Parallel()
	f := revisions(deployment("d1", "SUCCESSFUL", 10, "r1"))
	f.revisions[arn("service-revision", "r1")] = object{
		"serviceRevisionArn": arn("service-revision", "r1"), "taskDefinition": arn("task-definition", "app:0"),
	}
	f.definitions["app:0"] = []string{registry + "app:v0"}
	wantUses(t, f.source(t, 0), "app:v0 service-revision/r1", "app:v1 service/s")
}

// Who deploys a service may be unknown to this version; that it has revisions may not.
func TestECSAsksForRevisionsUnlessItKnowsThatThereAreNone(t *testing.T) {
	t.Parallel()
	named := []object{{"arn": arn("service-revision", "r1")}}
	for _, c := range []struct {
		controller object
		named      []object
		calls      int
	}{
		{object{"type": "ECS"}, nil, 1},
		{object{"type": "OF_TOMORROW"}, nil, 1},
		{object{}, nil, 1},
		{object{"type": "CODE_DEPLOY"}, nil, 0},
		{object{"type": "EXTERNAL"}, nil, 0},
		{object{"type": "EXTERNAL"}, named, 1},
	} {
		f := revisions(deployment("d1", "SUCCESSFUL", 10, "r1"))
		f.services["prod"][0]["deploymentController"] = c.controller
		f.services["prod"][0]["currentServiceRevisions"] = c.named
		want := []string{"app:v1 service/s"}
		if c.calls > 0 {
			want = append(want, used(1)+map[bool]string{true: " runs"}[c.named != nil])
		}
		wantUses(t, f.source(t, 0), want...)
	}
}

// patient returns the source of a client that tries three times.
func patient(t *testing.T, f *fakeECS, emulated bool) ecs.Source {
	t.Helper()
	cfg := config(t, f)
	cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}
	return ecs.Source{API: awsecs.NewFromConfig(cfg), Settings: everything, Emulated: emulated}
}
