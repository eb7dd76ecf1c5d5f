package scenario_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// An image that follows a deleted root is deleted even if the run plans again in between.
func TestFollowersGoAlthoughPlannedAgain(t *testing.T) {
	f := newFixture(t, draw("own 90d\n dead 90d >own #v1\n sig 90d #sig:dead\n live 1d #v2"))
	f.source("ecs").answer(t, "task/1 app:v2")
	f.onceBefore(first("BatchDeleteImage"), func() { f.clock.advance(11 * time.Minute) })
	report := f.apply(t, configuration("expire v* pushed>30", `"inUse": ["ecs"]`, `"orphans": "delete"`))
	sameLines(t, "outcomes", f.outcomes(&report), "dead: expire, deleted\nown: follow dead, deleted\nsig: follow dead, deleted")
	again := f.apply(t, configuration("expire v* pushed>30", `"inUse": ["ecs"]`, `"orphans": "delete"`))
	t.Logf("left after a second run: %v %v", f.left("app"), f.outcomes(&again))
}

// A saved plan that moves an image to the archive must not have it deleted.
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

// An index that also refers to its child as its subject makes a cycle: the index is
// deleted first.
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
