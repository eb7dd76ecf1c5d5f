package attach_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/attach"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config/selected"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

func want[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	awstest.Equal(t, what, want, got)
}

func TestAttachAttachesOnePolicyToManyRepositories(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `{"repositories": {"exclude": ["secret"]}}`)
	f.add("has-another", old14)
	f.add("has-it", bothOtherwise)
	f.add("has-none", "")
	f.add("secret", "")
	plan := f.attach(both)
	want(t, "plan", changes(&plan), map[string]string{"has-another": "replace", "has-it": "unchanged", "has-none": "attach"})
	awstest.Equal(t, "account", account, plan.Account)
	awstest.Equal(t, "changes", 2, plan.Changes())
	f.apply(&plan)
	want(t, "outcomes", outcomes(&plan), map[string]string{"has-another": "attached", "has-none": "attached"})
	for name, text := range map[string]string{"has-another": both, "has-it": bothOtherwise, "has-none": both, "secret": ""} {
		want(t, name, f.LifecyclePolicy(name), text)
	}
	if n := f.Calls()["PutLifecyclePolicy"]; n != 2 || !plan.Handled() {
		t.Errorf("%d calls, handled %t", n, plan.Handled())
	}

	again := f.attach(both)
	f.apply(&again)
	awstest.Equal(t, "calls in all", 2, f.Calls()["PutLifecyclePolicy"])
	awstest.Equal(t, "changes of the second time", 0, again.Changes())
}

func TestASelectionThatMatchesNothingIsAnError(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `{}`)
	f.CreateRepository("app")
	f.runner.Config.Repositories.Requested = []wildcard.Pattern{wildcard.Compile("app"), wildcard.Compile("apo")}
	planner := attach.Planner{Runner: &f.runner}
	for name, plan := range map[string]func() error{
		"attach": func() error { _, err := planner.Attach(t.Context(), nil); return err },
		"detach": func() error { _, err := planner.Detach(t.Context()); return err },
		"adopt":  func() error { _, err := planner.Adopt(t.Context()); return err },
	} {
		if _, ok := errors.AsType[*selected.Error](plan()); !ok {
			t.Errorf("%s: %v", name, plan())
		}
	}
}

func TestAttachNamesConflictingEntries(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `{"protect": {"inUse": []}, "policies": [{"name": "off", "repositories": ["off*"], "policy": "none"},
		{"name": "mine", "repositories": ["mine"], "policy": `+old14+`}, {"repositories": ["theirs"]}]}`)
	for name, text := range map[string]string{"mine": "", "off": "", "off-too": keep1, "other": "", "theirs": ""} {
		f.add(name, text)
	}
	got := map[string]string{}
	for plan, i := f.attach(keep1), 0; i < len(plan.Repositories); i++ {
		for _, finding := range plan.Repositories[i].Foresight.Findings {
			got[finding.Repository] = finding.Message
		}
	}
	want(t, "findings", got, map[string]string{
		"mine": `the configuration also applies policy "mine" to it; ECR would apply the attached policy without protection; leave it out of --repositories if you do not want both`,
		"off":  `policy "off" of the configuration skips it; ECR would apply the attached policy; leave it out of --repositories if you do not want this`,
	})
}

func TestAttachWithoutAPolicyUsesTheEntries(t *testing.T) {
	t.Parallel()
	long := strings.Replace(keep1, `"selection"`, `"description": "`+strings.Repeat("x", 31_000)+`", "selection"`, 1)
	f := newFixture(t, `{"policies": [{"name": "one", "repositories": ["a*"], "policy": `+keep1+`}, {"name": "old", "repositories": ["b*"], "policy": `+old14+`},
		{"name": "long", "repositories": ["c*"], "policy": `+long+`}, {"name": "none", "repositories": ["d*"], "policy": "none"}, {"name": "own", "repositories": ["e*"], "policy": "attached"}]}`)
	for _, name := range []string{"a1", "a2", "b1", "c1", "d1", "e1", "f1"} {
		f.add(name, "")
	}
	plan := f.attach("")
	want(t, "plan", changes(&plan), map[string]string{
		"a1": "attach", "a2": "attach", "b1": "attach", "c1": "refused", "d1": "left alone", "e1": "left alone", "f1": "left alone",
	})
	messages := summary(&plan, func(r *attach.Repository) string { return r.Message })
	want(t, "messages", messages, map[string]string{
		"c1": `ECR does not accept policy "long": 1:1: has 31155 characters; ECR takes at most 30720: shorten descriptions or take out white space`,
		"d1": `policy "none" is "none", which is nothing to attach`, "e1": `policy "own" is "attached", which is nothing to attach`,
		"f1": "no entry of the configuration selects it",
	})
	f.apply(&plan)
	for name, text := range map[string]string{"a1": keep1, "a2": keep1, "b1": old14} {
		if !attach.Read(f.LifecyclePolicy(name)).Same(attach.Read(text)) {
			t.Errorf("%s has the policy %s", name, f.LifecyclePolicy(name))
		}
	}
	if plan.Handled() {
		t.Error("a refused policy counts as handled")
	}
}

func TestThePlanSaysWhatECRWouldDo(t *testing.T) {
	t.Parallel()
	f := newFixture(t, asked)
	f.add("app", "", "latest", "v3", "v2", "v1")
	f.add("web", "", "latest")
	f.uses("app:v2", "web:latest")
	plan := f.attach(keep1)
	want(t, "counts", plan.Repositories[0].Counts(), attach.Counts{Evaluated: 4, Expired: 3, InUse: 1})
	want(t, "counts of web", plan.Repositories[1].Counts(), attach.Counts{Evaluated: 1})
	inUse, unknown := plan.Danger()
	awstest.Equal(t, "uses of images that ECR would delete", 1, inUse)
	awstest.Equal(t, "unknown", "", unknown)
	f.runner.Scan = func(context.Context) inuse.Scan {
		return inuse.Scan{At: now, Failed: []inuse.Failure{{Source: "ecs", Err: errors.New("denied")}}}
	}
	plan = f.attach(keep1)
	if inUse, unknown := plan.Danger(); inUse != 0 || unknown != "app: in-use scan: ecs: denied" {
		t.Errorf("danger after a scan that failed is %d, %q", inUse, unknown)
	}
	if inUse, unknown := planOf(f, "web").Danger(); inUse != 0 || unknown != "" {
		t.Errorf("danger if ECR would delete nothing is %d, %q", inUse, unknown)
	}
}

// ECR asks for no image in use later, so a policy needs an answer of every source now.
func TestAFailedAccountIsADanger(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `{"protect": {"inUse": ["ecs"], "accounts": [{"roleArn": "arn:aws:iam::222222222222:role/member", "regions": ["eu-west-1"]}]}}`)
	f.add("app", "", "latest", "v1")
	f.runner.Scan = func(context.Context) inuse.Scan {
		return inuse.Scan{At: now, Failed: []inuse.Failure{{Source: "ecs@222222222222/eu-west-1", Err: errors.New("denied"), Account: "222222222222"}}}
	}
	plan := f.attach(keep1)
	_, unknown := plan.Danger()
	awstest.Equal(t, "unknown", "app: in-use scan: ecs@222222222222/eu-west-1: denied", unknown)
}

// planOf plans for one repository only.
func planOf(f *fixture, name string) *attach.Plan {
	f.Helper()
	f.runner.Config.Repositories.Requested = []wildcard.Pattern{wildcard.Compile(name)}
	plan := f.attach(keep1)
	return &plan
}

// The index in use would be deleted with its children. ECR keeps the children of the kept index.
func TestRelatedImagesAreInUseTogether(t *testing.T) {
	t.Parallel()
	f := newFixture(t, asked)
	f.CreateRepository("app")
	put := func(im fakeecr.Image) string {
		im.PushedAt = now.Add(-20 * day)
		return f.Put("app", im)
	}
	put(fakeecr.Image{Tags: []string{"kept"}, Children: []string{put(fakeecr.Image{})}})
	used := put(fakeecr.Image{Children: []string{put(fakeecr.Image{}), put(fakeecr.Image{})}})
	put(fakeecr.Image{})
	f.uses("app@"+used, "app:kept")
	plan := f.attach(old14)
	want(t, "counts", plan.Repositories[0].Counts(), attach.Counts{Evaluated: 6, Expired: 4, Blocked: 1, InUse: 3})
}

// What protects images from this tool does not protect them from ECR.
func TestOnlyInUseProtectionCounts(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `{"protect": {"inUse": [], "keepNewest": 9, "tagPatterns": ["*"], "pushedWithinHours": 9999}}`)
	f.add("app", "", "latest", "v3")
	plan := f.attach(keep1)
	want(t, "counts", plan.Repositories[0].Counts(), attach.Counts{Evaluated: 2, Expired: 1})
	if inUse, unknown := plan.Danger(); inUse != 0 || unknown != "" {
		t.Errorf("danger is %d, %q", inUse, unknown)
	}
}

func TestDifferenceIsByRule(t *testing.T) {
	t.Parallel()
	f := newFixture(t, asked)
	f.add("app", both)
	for _, test := range []struct{ name, after, want string }{
		{"one rule stays", strings.Replace(both, "30", "1", 1), `- rule 10: archive images tagged b* and a* not pulled for 30 days
+ rule 10: archive images tagged b* and a* not pulled for 1 day
  rule 20: expire images beyond the newest 1
`},
		{"all is new", old14, `+ rule 1 "old": expire untagged images pushed more than 14 days ago
- rule 10: archive images tagged b* and a* not pulled for 30 days
- rule 20: expire images beyond the newest 1
`},
		{
			"prefixes and the archive", `{"rules": [
			{"rulePriority": 5, "selection": {"tagStatus": "tagged", "tagPrefixList": ["a", "b"], "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}},
			{"rulePriority": 20, "selection": {"tagStatus": "any", "storageClass": "archive", "countType": "sinceImageTransitioned", "countUnit": "days", "countNumber": 90}, "action": {"type": "expire"}}]}`,
			`+ rule 5: expire images tagged a… and b… beyond the newest 1
- rule 10: archive images tagged b* and a* not pulled for 30 days
- rule 20: expire images beyond the newest 1
+ rule 20: expire images archived more than 90 days ago
`,
		},
	} {
		plan := f.attach(test.after)
		want(t, test.name, difference(&plan), test.want)
	}
	detached := f.detach()
	want(t, "detach", difference(&detached), `- rule 10: archive images tagged b* and a* not pulled for 30 days
- rule 20: expire images beyond the newest 1
`)
	f.SetLifecyclePolicy("app", broken)
	plan := f.attach(keep1)
	got := difference(&plan)
	if !strings.HasPrefix(got, "- a policy that cannot be read: 1:") || !strings.HasSuffix(got, "\n+ rule 1: expire images beyond the newest 1\n") {
		t.Errorf("difference to a policy that cannot be read is\n%s", got)
	}
}

func TestADescriptionIsADifference(t *testing.T) {
	t.Parallel()
	f := newFixture(t, asked)
	f.add("app", old14)
	plan := f.attach(strings.Replace(old14, `"old"`, `"aged"`, 1))
	want(t, "plan", changes(&plan), map[string]string{"app": "replace"})
}
