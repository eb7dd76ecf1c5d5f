package plan_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/clock"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// A planner has a registry, and a registry has no method that removes an image.
func TestAPlannerCannotRemove(t *testing.T) {
	t.Parallel()
	var reader plan.Registry = reader{}
	if _, ok := reader.(apply.Remover); ok {
		t.Error("the registry of these tests could remove images")
	}
	w := newFakeRegistry(image("sha256:a", 2*day))
	if plan := mustPlan(t, w, expireAll); len(plan.Images) != 1 {
		t.Fatalf("Plan = %+v", plan)
	}
	if len(w.Calls) > 0 || len(w.Images["app"]) != 1 {
		t.Errorf("planning made the calls %v", w.Calls)
	}
}

func TestPlanHasTheOldestImagesFirst(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:c", 3*day, "v3"), image("sha256:b", 5*day), image("sha256:new", day), image("sha256:a", 3*day))
	entry := entryOf(t, expireAll)
	got, err := w.Planner().Plan(t.Context(), "app", entry)
	if err != nil {
		t.Fatal(err)
	}
	planned := func(im evaluator.Image, reason string) plan.Image {
		return plan.Image{Image: im, Action: evaluator.Expire, Rule: 1, Reason: reason}
	}
	want := plan.Plan{Repository: "app", Entry: entry, Listed: 4, Images: []plan.Image{
		planned(image("sha256:b", 5*day), "pushed 5d ago, limit 1d"),
		planned(image("sha256:a", 3*day), "pushed 3d ago, limit 1d"),
		planned(image("sha256:c", 3*day, "v3"), "pushed 3d ago, limit 1d"),
	}}
	awstest.Equal(t, "Plan", want, got, cmpopts.IgnoreUnexported(plan.Plan{}, plan.Image{}, clock.Stamp{}))
}

func TestPlanDoesNotDependOnTheOrderOfTheListing(t *testing.T) {
	t.Parallel()
	var images []evaluator.Image
	for i, tag := range []string{"v1", "", "latest", "v2", "", "sha256-x", "v1.1", ""} {
		im := image("sha256:"+string(rune('a'+i)), day+day*2/3, tag)
		if tag == "" {
			im.Tags = nil
		}
		if i > 4 {
			im.PushedAt = evaluator.At(now.Add(-4 * day))
		}
		images = append(images, im)
	}
	images = append(images, index("sha256:i", 3*day, "multi"))
	entry := entryOf(t, `{"policies": [{"policy": `+expireOld+`}], "protect": {"keepNewest": 3}}`)
	first := plan.Plan{}
	for i := range 50 {
		w := newFakeRegistry(images...)
		w.Children["sha256:i"] = []string{"sha256:b"}
		p, err := w.Planner().Plan(t.Context(), "app", entry)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = p
		}
		if diff := cmp.Diff(first, p, cmpopts.IgnoreUnexported(plan.Plan{}, plan.Image{}, clock.Stamp{})); diff != "" {
			t.Fatalf("another order, another plan (-first +now):\n%s", diff)
		}
		images = slices.Clone(images)
		rand.Shuffle(len(images), func(a, b int) { images[a], images[b] = images[b], images[a] })
	}
}

func TestPlanSkipsARepository(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", 2*day)).Add("broken", image("sha256:a", 2*day)).Add("strange", image("sha256:a", 2*day))
	w.Policies["broken"] = `{"rules": [{"rulePriority": 1, "description": "` + strings.Repeat("x", 60) + `"}]}`
	w.Policies["strange"] = `{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "sinceImageScanned", "countNumber": 1}, "action": {"type": "expire"}}]}`
	for name, test := range map[string]struct {
		repository string
		config     string
		want       plan.Skip
	}{
		"no policy attached":     {"app", `{}`, plan.Skip{Code: plan.SkipNoPolicy, Message: "no lifecycle policy is attached to it"}},
		"policy none":            {"app", `{"policies": [{"name": "x", "policy": "none"}]}`, plan.Skip{Code: plan.SkipNone, Message: `entry "x" has the policy none`}},
		"invalid policy":         {"broken", `{}`, plan.Skip{Code: plan.SkipInvalidPolicy, Message: "attached lifecycle policy: 1:12: rules[0].selection: is missing; 1:12: rules[0].action: is missing"}},
		"policy of unknown kind": {"strange", `{}`, plan.Skip{Code: plan.SkipInvalidPolicy, Message: `attached lifecycle policy: 1:79: rules[0].selection.countType: "sinceImageScanned" is not known: use "imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned" (did you mean sinceImagePulled?)`}},
	} {
		reader := w.Reader()
		reader.ImagesFunc = nil // must not be listed
		plan, err := plan.Planner{Registry: reader, Now: now}.Plan(t.Context(), test.repository, entryOf(t, test.config))
		if err != nil || plan.Skip == nil || len(plan.Images) > 0 {
			t.Fatalf("%s: Plan = %+v, %v; want a skip", name, plan, err)
		}
		awstest.Equal(t, name+": skip", test.want, *plan.Skip)
	}
	p, err := plan.Planner{Now: now}.Plan(t.Context(), "app", nil)
	if err != nil || p.Skip == nil || p.Skip.Code != plan.SkipNotConfigured {
		t.Errorf("without an entry: %+v, %v", p, err)
	}
	w.Policies["app"] = expireOld
	if plan := mustPlan(t, w, `{"protect": {"inUse": []}}`); plan.Skip != nil || len(plan.Images) != 1 {
		t.Errorf("with a policy attached: %+v", plan)
	}
}

func TestAnInlinePolicyIsNotLookedUp(t *testing.T) {
	t.Parallel()
	reader := newFakeRegistry(image("sha256:a", 2*day)).Reader()
	reader.PolicyTextFunc = nil
	planner := plan.Planner{Registry: reader, Now: now}
	if plan, err := planner.Plan(t.Context(), "app", entryOf(t, expireAll)); err != nil || len(plan.Images) != 1 {
		t.Errorf("Plan = %+v, %v", plan, err)
	}
}

// If a repository cannot be read completely, there is no plan, because the missing images
// would change the verdicts of the others.
func TestPlanNeedsTheWholeRepository(t *testing.T) {
	t.Parallel()
	cut := errors.New("cut short")
	w := newFakeRegistry(image("sha256:a", 2*day), index("sha256:i", 2*day))
	for name, test := range map[string]struct {
		config string
		change func(*reader)
	}{
		"the images": {expireAll, func(r *reader) {
			r.ImagesFunc = func(context.Context, string) ([]evaluator.Image, error) { return w.Images["app"][:1], cut }
		}},
		"the policy": {`{}`, func(r *reader) {
			r.PolicyTextFunc = func(context.Context, string) (string, error) { return "", cut }
		}},
		"the manifests": {expireAll, func(r *reader) {
			r.ChildrenFunc = func(context.Context, string, []string) (map[string][]string, error) {
				return map[string][]string{"sha256:i": {}}, cut
			}
		}},
	} {
		reader := w.Reader()
		test.change(&reader)
		plan, err := plan.Planner{Registry: reader, Now: now}.Plan(t.Context(), "app", entryOf(t, test.config))
		if !errors.Is(err, cut) || len(plan.Images) > 0 || plan.Skip != nil {
			t.Errorf("without %s: Plan = %+v, %v; want the error and no plan", name, plan, err)
		}
	}
}

// Reading a manifest may count as a pull.
func TestPlanReadsManifestsOnlyWhenItNeedsThem(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		age  time.Duration
		want int
	}{"nothing to act on": {time.Hour, 0}, "something to act on": {2 * day, 1}} {
		reads := 0
		w := newFakeRegistry(index("sha256:i", test.age))
		reader := w.Reader()
		reader.ChildrenFunc = func(context.Context, string, []string) (map[string][]string, error) {
			reads++
			return map[string][]string{"sha256:i": {}}, nil
		}
		if _, err := (plan.Planner{Registry: reader, Now: now}).Plan(t.Context(), "app", entryOf(t, expireAll)); err != nil {
			t.Fatal(err)
		}
		awstest.Equal(t, name+": reads of manifests", test.want, reads)
	}
}

func TestManifestsAreReadInBatches(t *testing.T) {
	t.Parallel()
	var images []evaluator.Image
	for i := range 250 {
		images = append(images, index(fmt.Sprintf("sha256:%03d", i), 2*day))
	}
	images = append(images, fixture.WithStatus(index("archived", 2*day), evaluator.Archived), image("no index", 2*day))
	reader := newFakeRegistry(images...).Reader()
	var sizes []int
	reader.ChildrenFunc = func(_ context.Context, _ string, indexes []string) (map[string][]string, error) {
		sizes = append(sizes, len(indexes))
		return nil, nil
	}
	if _, err := (plan.Planner{Registry: reader, Now: now}).Plan(t.Context(), "app", entryOf(t, expireAll)); err != nil {
		t.Fatal(err)
	}
	awstest.Equal(t, "batches", []int{100, 100, 50}, sizes)
}

func TestPlanOfAnEmptyRepository(t *testing.T) {
	t.Parallel()
	if plan := mustPlan(t, newFakeRegistry(), expireAll); plan.Listed != 0 || len(plan.Images) != 0 || plan.Skip != nil {
		t.Errorf("Plan = %+v", plan)
	}
}
