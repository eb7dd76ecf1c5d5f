package plan_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

func explain(t *testing.T, w *fixture.FakeRegistry, text, name string) plan.Explanation {
	t.Helper()
	r := newRunner(t, w, text)
	e, err := r.Explain(t.Context(), "app", name)
	if err != nil {
		t.Fatalf("Explain(%s): %v", name, err)
	}
	return e
}

func TestExplainHasStepsAndProtections(t *testing.T) {
	t.Parallel()
	const text = `{"policies": [{"name": "p", "policy": {"rules": [
		{"rulePriority": 2, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}},
		{"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}, "action": {"type": "expire"}}]}}],
		"protect": {"inUse": [], "keepNewest": 0, "pulledWithinDays": 0, "pushedWithinHours": 0}}`
	w := newFakeRegistry(image("sha256:a", 9*day, "latest"), image("sha256:b", 9*day), image("sha256:c", time.Hour, "v1"))
	for name, want := range map[string]string{
		"latest":   "sha256:a expire by rule 2, 2 steps, protected [tagPatterns latest], planned true",
		"sha256:a": "sha256:a expire by rule 2, 2 steps, protected [tagPatterns latest], planned true",
		"sha256:b": "sha256:b expire by rule 1, 2 steps, protected [], planned true",
		"v1":       "sha256:c keep by rule 2, 2 steps, protected [], planned false",
	} {
		e := explain(t, w, text, name)
		got := fmt.Sprintf("%s %v by rule %d, %d steps, protected %v, planned %t", e.Image.Digest, e.Verdict.Action,
			e.Verdict.Rule.RulePriority, len(e.Steps), e.ProtectedBy, e.Planned != nil)
		if got != want || e.Skip != nil || e.Repository != "app" || e.Entry.Name != "p" {
			t.Errorf("Explain(%s) = %s, want %s", name, got, want)
		}
	}
}

func TestExplainNamesRelatedImages(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(index("dead", 9*day, "dead"), image("c", 9*day), image("s", time.Hour, "v1"), withSubject(image("sig", 9*day), "s"))
	w.Children["dead"] = []string{"c"}
	if e := explain(t, w, withPolicy(expireDead, ""), "c"); e.Planned == nil || e.Planned.Action != plan.Follow || e.Verdict.Action != evaluator.Keep {
		t.Errorf("a follower: %+v", e)
	}
	e := explain(t, w, withPolicy(expireUntagged, ""), "sig")
	if got := fmt.Sprint(e.ProtectedBy); got != "[subject s]" || e.Verdict.Action != evaluator.Expire {
		t.Errorf("a referrer: protected by %s, %+v", got, e.Verdict)
	}
}

func TestExplainWithoutAPolicyToEvaluate(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 9*day, "latest"))
	for text, want := range map[string]plan.SkipCode{
		`{}`:                                 plan.SkipNoPolicy,
		`{"policies": []}`:                   plan.SkipNotConfigured,
		`{"policies": [{"policy": "none"}]}`: plan.SkipNone,
	} {
		e := explain(t, w, text, "a")
		if e.Skip == nil || e.Skip.Code != want || len(e.Steps) > 0 || e.Planned != nil {
			t.Errorf("%s: %+v, want the skip %q", text, e, want)
		}
		awstest.Equal(t, text+": protected", "[tagPatterns latest keepNewest 1 newest image]", fmt.Sprint(e.ProtectedBy))
	}
}

// The cleaner skips a repository that the configuration excludes, even if a policy selects it.
func TestExplainKnowsExcludedRepositories(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 9*day))
	e := explain(t, w, `{"repositories": {"exclude": ["app"]}, `+expireAll[1:], "a")
	if e.Skip == nil || e.Skip.Code != plan.SkipNotConfigured || e.Planned != nil {
		t.Errorf("%+v, want the skip %q", e, plan.SkipNotConfigured)
	}
}

func TestExplainErrors(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 9*day), index("i", 9*day))
	r := newRunner(t, w, expireAll)
	_, err := r.Explain(t.Context(), "app", "v9")
	wantError(t, err, "repository app has no image with the digest or tag v9")
	_, err = r.Explain(t.Context(), "web", "v9")
	wantError(t, err, "repository web: repository not found; check the name and the region")
	broken := errors.New("broken")
	attached := newRunner(t, w, `{}`)
	reader := w.Reader()
	reader.PolicyTextFunc = func(context.Context, string) (string, error) { return "", broken }
	attached.Registry = reader
	if _, err := attached.Explain(t.Context(), "app", "a"); !errors.Is(err, broken) {
		t.Errorf("without the policy: %v", err)
	}
	reader.ChildrenFunc = func(context.Context, string, []string) (map[string][]string, error) { return nil, broken }
	r.Registry = reader
	if _, err := r.Explain(t.Context(), "app", "a"); !errors.Is(err, broken) {
		t.Errorf("without the manifests: %v", err)
	}
	reader.ImagesFunc = func(context.Context, string) ([]evaluator.Image, error) { return nil, plan.ErrRepositoryNotFound }
	r.Registry = reader
	if _, err := r.Explain(t.Context(), "app", "a"); !errors.Is(err, plan.ErrRepositoryNotFound) {
		t.Errorf("without the repository: %v", err)
	}
}

// A reference to the same repository name in another account protects no image.
func TestExplainKnowsTheAccount(t *testing.T) {
	t.Parallel()
	r := newRunner(t, newFakeRegistry(image("sha256:a", 9*day)), scanned)
	elsewhere := use("sha256:a", "task")
	elsewhere.Reference.RegistryID = "210987654321"
	scans(&r, inuse.Scan{Uses: []inuse.Use{elsewhere}})
	e, err := r.Explain(t.Context(), "app", "sha256:a")
	if err != nil || len(e.ProtectedBy) > 0 {
		t.Errorf("protected by %v, %v", e.ProtectedBy, err)
	}
}
