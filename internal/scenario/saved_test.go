package scenario_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// A saved plan is applied as it is or not at all. Images in use since the plan are kept.
func TestSavedPlans(t *testing.T) {
	t.Parallel()
	const conf, registry = "expire any pushed>30", `
		old  90d #v1
		used 90d #v2
		soon 29.5d #v3`
	type test struct {
		since         func(*testing.T, *fixture)
		want, skipped string
	}
	awstest.Each(t, map[string]test{
		"nothing has changed": {func(*testing.T, *fixture) {}, `
			old: expire, deleted
			used: expire, inUse task/1`, ""},
		"it adds nothing": {func(_ *testing.T, f *fixture) { f.clock.advance(20 * time.Hour) }, `
			old: expire, deleted
			used: expire, inUse task/1`, ""},
		"what is in use now is kept": {func(t *testing.T, f *fixture) { f.source("ecs").answer(t, "task/1 app:v2\ntask/2 app:v1") }, `
			old: expire, inUse task/2
			used: expire, inUse task/1`, ""},
		"what is in use no longer stays": {
			func(t *testing.T, f *fixture) { f.source("ecs").answer(t, "task/1 app:v3") },
			"old: expire, deleted", "",
		},
		"a source that named uses names none": {
			func(t *testing.T, f *fixture) { f.source("ecs").answer(t, "") }, "old: expire",
			"app: in-use scan: in-use scan: ecs: had 1 use before and has none now; if that is right, plan again",
		},
		"what was pulled since is left alone": {func(_ *testing.T, f *fixture) {
			f.server.Put("app", image{name: "old", age: 90 * day, tags: []string{"v1"}, pulled: 1}.detail(noon))
		}, `
			old: expire, changed: lastRecordedPullTime changed since the plan
			used: expire, inUse task/1`, ""},
		"what has a new tag is left alone": {func(_ *testing.T, f *fixture) { f.server.Tag("app", digestOf("old"), "back") }, `
			old: expire, changed: imageTags changed since the plan
			used: expire, inUse task/1`, ""},
		"what is gone is gone": {func(_ *testing.T, f *fixture) { f.server.Remove("app", digestOf("old")) }, `
			old: expire, gone: not there any more
			used: expire, inUse task/1`, ""},
	}, func(t *testing.T, c test) {
		p := draw(registry)
		f := newFixture(t, p)
		f.source("ecs").answer(t, "task/1 app:v2")
		configuration := configuration(conf, `"inUse": ["ecs"]`, "")
		saved := f.plan(t, configuration)
		c.since(t, f)
		report := f.applySaved(t, configuration, &saved)
		sameLines(t, "outcomes", f.outcomes(&report), c.want)
		sameLines(t, "skipped", skips(&report), c.skipped)
		f.check(t, p, &report)
	})
}

// An image that followed another in the saved plan may be marked by a rule when the plan
// is applied. Both plans delete it.
func TestSavedPlansOfWhatFollows(t *testing.T) {
	t.Parallel()
	f := newFixture(t, draw("own 29.5d\n dead 29.4d >own #v1"))
	configuration := configuration("expire v1 pushed>7; expire untagged pushed>30", "", "")
	saved := f.plan(t, configuration)
	sameLines(t, "plan", f.outcomes(&saved), "dead: expire\nown: follow dead")
	f.clock.advance(20 * time.Hour)
	report := f.applySaved(t, configuration, &saved)
	sameLines(t, "outcomes", f.outcomes(&report), "dead: expire, deleted\nown: expire, deleted")
}

func TestSavedPlansThatAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t, draw("old 90d #v1"))
	configuration := configuration("expire any pushed>30", "", "")
	for want, change := range map[string]func(*cleaner.Runner, *report.Report){
		"account":       func(_ *cleaner.Runner, saved *report.Report) { saved.Account = "210987654321" },
		"Region":        func(r *cleaner.Runner, _ *report.Report) { r.Region = "eu-central-1" },
		"configuration": func(r *cleaner.Runner, _ *report.Report) { r.ConfigurationHash = "another" },
		"24h ago":       func(r *cleaner.Runner, _ *report.Report) { r.Now = noon.Add(day + 1) },
	} {
		saved := f.plan(t, configuration)
		r := f.runner(t, configuration)
		r.Remover, r.Saved = f.registry.Remover, &saved
		change(&r, &saved)
		_, err := r.Run(t.Context())
		if refused, ok := errors.AsType[*report.PlanError](err); !ok || !strings.Contains(refused.Error(), want) {
			t.Errorf("another %s: got %v", want, err)
		}
	}
	awstest.Empty(t, "removing calls", f.removals())
}

// Images that a person names have the same protection, related images and re-check.
func TestNamedImages(t *testing.T) {
	t.Parallel()
	type test struct {
		names []string
		waits time.Duration // between the scan and the removal
		want  string
	}
	awstest.Each(t, map[string]test{
		"a tag":                {[]string{"v1"}, 0, "dead: expire, deleted\nown: follow dead, deleted"},
		"a digest":             {[]string{digestOf("dead")}, 0, "dead: expire, deleted\nown: follow dead, deleted"},
		"an image in use":      {[]string{"v2"}, 0, "used: expire, inUse task/1"},
		"a child in use":       {[]string{digestOf("shared")}, 0, "shared: expire, child " + smaller("dead", "used")},
		"an orphan":            {[]string{digestOf("orphan")}, 0, "orphan: expire, deleted"},
		"after eleven minutes": {[]string{"v1"}, 11 * time.Minute, "dead: expire, deleted\nown: follow dead, deleted"},
	}, func(t *testing.T, c test) {
		p := draw(`
			own    91d
			shared 91d
			dead   90d >own,shared #v1
			used   2d >shared #v2
			orphan 90d ^lost`)
		f := newFixture(t, p)
		f.source("ecs").answer(t, "task/1 app:v2")
		f.onceBefore(first("GetRepositoryPolicy"), func() { f.clock.advance(c.waits) })
		r := f.runner(t, configuration("expire untagged pushed>365", `"inUse": ["ecs"]`, ""))
		r.Remover = f.registry.Remover
		report, err := r.RunNamed(t.Context(), "app", c.names)
		awstest.NoError(t, err)
		sameLines(t, "outcomes", f.outcomes(&report), c.want)
		f.check(t, p, &report)
	})
}

// A client that runs an index pulls one of its children. If ECR does not record the pulls
// of the index, only the child shows them.
func TestSavedPlansOfIndexesWhoseChildrenWerePulled(t *testing.T) {
	t.Parallel()
	const registry = `
		amd  91d #amd
		arm  91d
		dead 90d >amd,arm #v1`
	for _, child := range []string{"amd", "arm"} {
		f := newFixture(t, draw(registry))
		f.server.ExcludePulls(true)
		configuration := configuration("expire v1 pushed>30", "", "")
		saved := f.plan(t, configuration)
		for _, im := range f.server.Images("app") {
			if im.Digest == digestOf(child) {
				im.LastRecordedPullTime = noon
				f.server.Put("app", im)
			}
		}
		report := f.applySaved(t, configuration, &saved)
		if report.Totals.Deleted > 0 || report.Totals.Changed == 0 {
			t.Errorf("%s was pulled: %s", child, strings.Join(f.outcomes(&report), "; "))
		}
	}
}

func TestFollowersGoAlthoughPlannedAgain(t *testing.T) {
	f := newFixture(t, draw("own 90d\n dead 90d >own #v1\n sig 90d #sig:dead\n live 1d #v2"))
	f.source("ecs").answer(t, "task/1 app:v2")
	f.onceBefore(first("BatchDeleteImage"), func() { f.clock.advance(11 * time.Minute) })
	report := f.apply(t, configuration("expire v* pushed>30", `"inUse": ["ecs"]`, `"orphans": "delete"`))
	sameLines(t, "outcomes", f.outcomes(&report), "dead: expire, deleted\nown: follow dead, deleted\nsig: follow dead, deleted")
	again := f.apply(t, configuration("expire v* pushed>30", `"inUse": ["ecs"]`, `"orphans": "delete"`))
	t.Logf("left after a second run: %v %v", f.left("app"), f.outcomes(&again))
}

func TestASavedPlanThatArchivesDoesNotDelete(t *testing.T) {
	f := newFixture(t, draw("subject 400d archived:200d\n ref 90d ^subject\n b 20d #v1\n c 10d #v2"))
	conf := configuration("expire any count>2; expire archived transitioned>100", "", `"onExpire": "archive", "orphans": "delete"`)
	saved := f.plan(t, conf)
	t.Log(f.outcomes(&saved))
	f.server.Remove("app", digestOf("c"))
	report := f.applySaved(t, conf, &saved)
	t.Log(f.outcomes(&report))
	for _, im := range saved.Repositories[0].Images {
		if im.ImageDigest == digestOf("ref") && im.OnExpire == "archive" && !slices.Contains(f.left("app"), "ref") {
			t.Error("ref was deleted, the saved plan only archives it")
		}
	}
}

// An image loses more tags than one call can remove.
func TestUntagOfManyTags(t *testing.T) {
	for name, disturb := range map[string]func(*fixture){
		"throttled": func(f *fixture) {
			f.onceBefore(second("BatchDeleteImage"), func() { f.server.FailNext("BatchDeleteImage", "", "ThrottlingException", 1) })
		},
		"lost": func(f *fixture) {
			f.onceBefore(second("BatchDeleteImage"), f.journal.loseAnswer)
		},
		"the kept tag moves between the calls": func(f *fixture) {
			f.onceBefore(second("BatchDeleteImage"), func() { f.server.Tag("app", digestOf("other"), "keep") })
		},
	} {
		t.Run(name, func(t *testing.T) {
			im := image{name: "many", age: 90 * day, tags: []string{"keep"}}
			for i := range 250 {
				im.tags = append(im.tags, fmt.Sprint("dev-", i))
			}
			f := newFixture(t, picture{{name: "app", images: []image{im, {name: "other", age: day}}}})
			disturb(f)
			report := f.apply(t, configuration("untag dev-* pushed>30", "", ""))
			left := f.left("app")
			t.Log(left, report.Totals.TagsRemoved, report.Totals.Changed)
			for _, r := range report.Repositories {
				for _, im := range r.Images {
					t.Log(im.Outcome, im.Message)
				}
			}
			if !slices.Contains(left, "many") {
				t.Error("the image was deleted by the removal of its last tag, which a re-check before the call would have seen")
			}
			if n := len(f.server.Images("app")[0].Tags); n < 251 && report.Totals.TagsRemoved == 0 && report.Totals.Changed > 0 {
				t.Errorf("tags were removed (%d left), but the report says changed", n)
			}
		})
	}
}

// An index that also refers to its child as its subject makes a cycle: the index is deleted first.
func TestCycles(t *testing.T) {
	for name, picture := range map[string]string{
		"an index of its subject": "a 90d\n b 90d >a ^a",
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, draw(picture))
			report := f.apply(t, configuration("expire any pushed>30", "", `"orphans": "delete"`))
			left := f.left("app")
			if len(left) > 0 {
				t.Errorf("left are %v\n%s", left, strings.Join(f.outcomes(&report), "\n"))
			}
		})
	}
}
