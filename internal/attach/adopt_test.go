package attach_test

import (
	"context"
	"iter"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/attach"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

func (f *fixture) adopt() attach.Adoption {
	f.Helper()
	a, err := f.planner().Adopt(f.Context())
	awstest.NoError(f.T, err)
	return a
}

// document returns the printed configuration, read again.
func (f *fixture) document(a *attach.Adoption) config.Config {
	f.Helper()
	text, err := a.Document()
	awstest.NoError(f.T, err)
	return configure(f.T, string(text))
}

// entries returns the names and the selections of the entries.
func entries(c config.Config) []string {
	var list []string
	for _, e := range c.Policies {
		var patterns []string
		for _, p := range e.Repositories {
			patterns = append(patterns, p.String())
		}
		list = append(list, string(e.Source)+" "+strings.Join(patterns, ",")+": "+e.Name)
	}
	return list
}

func TestAdoptMakesOneEntryForEachPolicy(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `{}`)
	f.add("api", keep1)
	f.add("batch", both)
	f.add("job", bothOtherwise)
	f.add("none", "")
	f.add("web", keep1)
	a := f.adopt()
	want(t, "plan", changes(&a.Plan), map[string]string{"api": "detach", "batch": "detach", "job": "detach", "none": "unchanged", "web": "detach"})
	want(t, "entries", entries(f.document(&a)), []string{
		"inline api,web: expire images beyond the newest 1",
		"inline batch,job: archive images tagged b* and a* not pulled for 30 days, expire images beyond the newest 1",
		"attached *: attached",
	})
	if a.Entries != 2 || !a.Plan.Handled() {
		t.Errorf("%d entries, handled %t", a.Entries, a.Plan.Handled())
	}
}

// A run with the adopted configuration marks the same images as a run with the attached policies.
func TestAdoptionChangesNoVerdict(t *testing.T) {
	t.Parallel()
	for _, configuration := range []string{
		`{"protect": {"inUse": []}}`,
		`{"mode": "apply", "protect": {"inUse": ["ecs"], "keepNewest": 2, "tagPatterns": []}, "limits": {"maxDeletedPercent": 90},
			"policies": [{"name": "batch", "repositories": ["b*"], "protect": {"inUse": []}, "limits": {"maxDeletions": 3}}, {"name": "rest", "orphans": "delete"}]}`,
	} {
		f := newFixture(t, configuration)
		f.add("api", keep1, "latest", "v3", "v2", "v1", "")
		f.add("batch", old14, make([]string, 30)...)
		f.add("job", old14, make([]string, 30)...)
		f.add("tools", both, "a-b-1", "a-2", "b-a-3", "")
		f.add("young", strings.Replace(both, "30", "2", 1), "a-b", "b-a", "a", "b", "ab")
		f.uses("api:v1")
		verdicts := func() map[string]string {
			by := map[string]string{}
			planner := f.runner.PlannerOf(account)
			for _, name := range []string{"api", "batch", "job", "tools", "young"} {
				entry, err := f.runner.Config.Entry(name, nil)
				awstest.NoError(t, err)
				plan, err := planner.Plan(t.Context(), name, entry)
				if err != nil || plan.Skip != nil {
					t.Fatalf("%s: %v, %v", name, plan.Skip, err)
				}
				for _, im := range plan.Images {
					by[name+"@"+im.Digest] = string(im.Action) + ": " + im.Reason + ", protected by " + protections(im.ProtectedBy)
				}
			}
			return by
		}
		before := verdicts()
		a := f.adopt()
		f.runner.Config = f.document(&a)
		f.apply(&a.Plan)
		if len(before) < 30 || f.Calls()["DeleteLifecyclePolicy"] != 5 {
			t.Fatalf("%d verdicts, calls %v", len(before), f.Calls())
		}
		want(t, "verdicts", verdicts(), before)
	}
}

func protections[T interface{ String() string }](list []T) string {
	var texts []string
	for _, p := range list {
		texts = append(texts, p.String())
	}
	return strings.Join(texts, ", ")
}

// Adopt does not override an entry of the configuration, and copies its settings.
func TestAdoptedEntriesComeFirst(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `{"policies": [
		{"name": "mine", "repositories": ["mine"], "policy": `+old14+`}, {"name": "off", "repositories": ["off"], "policy": "none"},
		{"name": "tagged", "repositoryTags": {"team": "a"}},
		{"name": "careful", "repositories": ["prod*"], "protect": {"keepNewest": 9}}, {"name": "rest", "repositories": ["team*"]}]}`)
	for _, name := range []string{"mine", "off", "other", "prod", "tagged", "team"} {
		f.add(name, keep1)
	}
	f.add("team-broken", broken)
	f.TagRepository("tagged", map[string]string{"team": "a"})
	a := f.adopt()
	want(t, "plan", changes(&a.Plan), map[string]string{
		"mine": "left alone", "off": "left alone", "tagged": "detach", "prod": "detach", "other": "detach", "team": "detach", "team-broken": "refused",
	})
	c := f.document(&a)
	want(t, "entries", entries(c), []string{
		"inline other,tagged,team: expire images beyond the newest 1", "inline prod: expire images beyond the newest 1 (2)",
		"inline mine: mine", "none off: off", "attached *: tagged", "attached prod*: careful", "attached team*: rest",
	})
	awstest.Equal(t, "keepNewest of prod", 9, c.Policies[1].Protect.KeepNewest)
	awstest.Equal(t, "keepNewest of the others", 1, c.Policies[0].Protect.KeepNewest)
	messages := summary(&a.Plan, func(r *attach.Repository) string { return r.Message })
	if !strings.HasPrefix(messages["team-broken"], "the attached policy cannot be read and is kept: 1:") || len(messages) != 3 {
		t.Errorf("messages are %q", messages)
	}
	if a.Plan.Handled() {
		t.Error("a policy that cannot be read counts as handled")
	}
	f.apply(&a.Plan)
	want(t, "outcomes", outcomes(&a.Plan), map[string]string{"other": "detached", "prod": "detached", "tagged": "detached", "team": "detached"})
}

func TestAPolicyThatChangedIsNotDetached(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `{}`)
	f.add("app", keep1)
	f.add("web", keep1)
	a := f.adopt()
	f.SetLifecyclePolicy("app", old14)
	f.apply(&a.Plan)
	want(t, "outcomes", outcomes(&a.Plan), map[string]string{"app": "changed", "web": "detached"})
	want(t, "policy", f.LifecyclePolicy("app"), old14)
}

func TestAnAdoptionThatIsTooLongIsNone(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `{}`)
	long := strings.Repeat("x", 30_000)
	for i := range 40 {
		f.add("app-"+strings.Repeat("i", i+1), strings.Replace(keep1, `"selection"`, `"description": "`+long[i:]+`", "selection"`, 1))
	}
	a := f.adopt()
	if _, err := a.Document(); err == nil || !strings.HasSuffix(err.Error(), "; adopt fewer repositories") {
		t.Errorf("got error %v, want one that says what to do", err)
	}
}

func TestNamesOfLongPoliciesAreShort(t *testing.T) {
	t.Parallel()
	var rules []string
	for _, n := range []string{"1", "2", "3", "4", "5"} {
		rules = append(rules, `{"rulePriority": `+n+`, "selection": {"tagStatus": "tagged", "tagPrefixList": ["v`+n+`"], "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}`)
	}
	f := newFixture(t, `{}`)
	f.add("app", `{"rules": [`+strings.Join(rules, ",")+`]}`)
	a := f.adopt()
	want(t, "name", a.Config.Policies[0].Name, "expire images tagged v1… beyond the newest 1, expire images tagged v2… beyond the newest 1, "+
		"expire images tagged v3… beyond the newest 1, and 2 more")
}

// starred is a registry with a name that ECR does not give.
type starred struct{ plan.Registry }

func (starred) Repositories(context.Context) iter.Seq2[plan.Repository, error] {
	return func(yield func(plan.Repository, error) bool) { yield(plan.Repository{Name: "a*"}, nil) }
}

func TestANameWithAStarIsRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `{}`)
	f.runner.Registry = starred{f.runner.Registry}
	a := f.adopt()
	want(t, "plan", changes(&a.Plan), map[string]string{"a*": "refused"})
	want(t, "entries", entries(a.Config), []string{"attached *: attached"})
}

func TestConfigurationLacksAdoptedPolicies(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `{}`)
	f.add("api", both)
	f.add("none", "")
	a := f.adopt()
	none := "it does not give api the attached policy"
	for configuration, missing := range map[string]string{
		`{"policies": [{"repositories": ["a*"], "orphans": "delete", "policy": ` + bothOtherwise + `}]}`: "",
		`{"repositories": {"exclude": ["api"]}, "policies": [{"policy": ` + both + `}]}`:                 none,
		`{"policies": [{"policy": ` + keep1 + `}]}`:                                                      none,
		`{"policies": [{"policy": "none"}, {"policy": ` + both + `}]}`:                                   none,
		`{"policies": [{"repositories": ["web"], "policy": ` + both + `}]}`:                              none,
		`{"policies": [{"repositoryTags": {"stage": "dev"}, "policy": ` + both + `}]}`:                   none,
		`{}`: none,
	} {
		c := configure(t, configuration)
		awstest.Equal(t, "Missing("+configuration+")", missing, f.planner().Missing(t.Context(), &a, &c))
	}
}
