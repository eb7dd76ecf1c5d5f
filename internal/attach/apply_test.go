package attach_test

import (
	"context"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/attach"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

func TestDetachDetachesPolicies(t *testing.T) {
	t.Parallel()
	f := newFixture(t, asked)
	f.add("app", keep1, "v1", "v2")
	f.add("broken", broken)
	f.add("none", "")
	plan := f.detach()
	want(t, "plan", changes(&plan), map[string]string{"app": "detach", "broken": "detach", "none": "unchanged"})
	f.apply(&plan)
	want(t, "outcomes", outcomes(&plan), map[string]string{"app": "detached", "broken": "detached"})
	if f.LifecyclePolicy("app")+f.LifecyclePolicy("broken") != "" || f.Calls()["DeleteLifecyclePolicy"] != 2 {
		t.Errorf("calls are %v", f.Calls())
	}
	awstest.Equal(t, "calls that list images, which nothing endangers", 0, f.Calls()["DescribeImages"])
}

func TestOneFailureDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	f := newFixture(t, asked)
	for _, name := range []string{"a1", "b1", "c1", "d1", "e1"} {
		f.add(name, "")
	}
	f.Fail("GetLifecyclePolicy", "e1", "AccessDeniedException")
	plan := f.attach(keep1)
	want(t, "plan", changes(&plan), map[string]string{"a1": "attach", "b1": "attach", "c1": "attach", "d1": "attach", "e1": "failed"})
	f.Fail("PutLifecyclePolicy", "b1", "AccessDeniedException")
	f.SetLifecyclePolicy("c1", old14)
	f.DeleteRepository("d1")
	f.apply(&plan)
	want(t, "outcomes", outcomes(&plan), map[string]string{"a1": "attached", "b1": "failed", "c1": "changed", "d1": "gone"})
	want(t, "what somebody else attached", f.LifecyclePolicy("c1"), old14)
	messages := summary(&plan, func(r *attach.Repository) string { return r.Message })
	if !strings.Contains(messages["b1"], "ecr:PutLifecyclePolicy") || !strings.Contains(messages["e1"], "ecr:GetLifecyclePolicy") ||
		!strings.HasSuffix(messages["c1"], "run again to see the difference") {
		t.Errorf("messages are %q", messages)
	}
	if plan.Handled() {
		t.Error("failures count as handled")
	}
}

// Somebody may do the same at the same time.
func TestAChangeBySomebodyElseCountsAsDone(t *testing.T) {
	t.Parallel()
	f := newFixture(t, asked)
	f.add("app", "")
	plan := f.attach(both)
	f.SetLifecyclePolicy("app", bothOtherwise)
	f.apply(&plan)
	want(t, "outcomes", outcomes(&plan), map[string]string{"app": "attached"})
	want(t, "policy", f.LifecyclePolicy("app"), bothOtherwise)

	detach := f.detach()
	f.Before("DeleteLifecyclePolicy", func() { f.SetLifecyclePolicy("app", "") })
	f.apply(&detach)
	want(t, "outcomes", outcomes(&detach), map[string]string{"app": "detached"})
	if !plan.Handled() || !detach.Handled() {
		t.Error("it does not count as handled")
	}
}

func TestAStoppedRunBeginsNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t, asked)
	f.add("app", "")
	plan := f.attach(keep1)
	stop := make(chan struct{})
	close(stop)
	f.runner.Stop = stop
	f.apply(&plan)
	want(t, "outcomes", outcomes(&plan), map[string]string{"app": "not attempted"})
	if f.Calls()["PutLifecyclePolicy"] != 0 || plan.Handled() {
		t.Errorf("calls are %v, handled %t", f.Calls(), plan.Handled())
	}
}

// A run that is cancelled, as by a signal, ends after the change under way. It does not
// begin a change after the reading under way.
func TestACancelledRunEndsAfterTheChangeUnderWay(t *testing.T) {
	t.Parallel()
	for at, outcome := range map[string]string{"change": "attached", "read": "not attempted"} {
		f := newFixture(t, asked)
		f.add("app", "")
		f.add("web", "")
		plan := f.attach(keep1)
		ctx, cancel := context.WithCancel(t.Context())
		if at == "change" {
			f.Before("PutLifecyclePolicy", cancel)
		} else {
			f.runner.Registry = cancelling{f.runner.Registry, cancel}
		}
		f.runner.Workers, f.runner.Stop = 1, ctx.Done()
		attach.Apply(ctx, &f.runner, &plan, f.client)
		want(t, "outcomes", outcomes(&plan), map[string]string{"app": outcome, "web": "not attempted"})
		if attached := f.LifecyclePolicy("app") != ""; attached != (outcome == "attached") || plan.Handled() {
			t.Errorf("cancelled at %s: attached %t, handled %t", at, attached, plan.Handled())
		}
	}
}

// A cancelling registry cancels the run when the run reads a policy.
type cancelling struct {
	plan.Registry
	cancel func()
}

func (c cancelling) PolicyText(ctx context.Context, _ string) (string, error) {
	c.cancel()
	return "", ctx.Err()
}

func TestARegistryThatCannotBeListedIsAnError(t *testing.T) {
	t.Parallel()
	f := newFixture(t, asked)
	f.Fail("DescribeRepositories", "", "AccessDeniedException")
	document := attach.Read(keep1)
	if _, err := f.planner().Attach(t.Context(), &document); err == nil {
		t.Error("Attach does not say so")
	}
	if _, err := f.planner().Detach(t.Context()); err == nil {
		t.Error("Detach does not say so")
	}
	if _, err := f.planner().Adopt(t.Context()); err == nil {
		t.Error("Adopt does not say so")
	}
}

func TestARepositoryDeletedDuringThePlanIsSkipped(t *testing.T) {
	t.Parallel()
	f := newFixture(t, asked)
	f.add("app", "")
	f.Before("GetLifecyclePolicy", func() { f.DeleteRepository("app") })
	plan := f.attach(keep1)
	want(t, "plan", changes(&plan), map[string]string{"app": "left alone"})
}
