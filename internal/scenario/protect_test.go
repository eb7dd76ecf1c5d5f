package scenario_test

import "testing"

func TestProtectionByConfiguration(t *testing.T) {
	runAll(t, []scenario{{
		name: "tag patterns, of any tag",
		registry: `
			a 90d #v1 #release-1
			b 90d #v2
			c 90d`,
		policy:  "expire any pushed>30",
		protect: `"tagPatterns": ["release-*"]`,
		want:    "a: expire, tagPatterns release-*\nb: expire, deleted\nc: expire, deleted",
	}, {
		name: "the newest of a repository, children and referrers not counted",
		registry: `
			first  99d #v1
			second 98d #v2
			third  97d #v3
			amd    96d
			arm    96d #arm
			index  95d >amd,arm #v4
			sig    94d ^index
			cosign 93d #sig:index`,
		policy:  "expire any pushed>30",
		protect: `"keepNewest": 2`,
		want: `
			first: expire, deleted
			second: expire, deleted
			third: expire, keepNewest 2 newest images
			amd: expire, child index
			arm: expire, child index
			index: expire, keepNewest 2 newest images
			sig: expire, subject index
			cosign: expire, subject index`,
	}, {
		name: "the newest are told apart by digest, and a restored one is as new as its restore",
		registry: `
			a        90d #v1
			b        90d #v2
			restored 200d #v3 archived:100d restored:40d`,
		policy:  "expire any pushed>30",
		protect: `"keepNewest": 2`,
		want: smaller("a", "b") + ": expire, deleted\n" + greater("a", "b") + `: expire, keepNewest 2 newest images
			restored: expire, keepNewest 2 newest images`,
	}, {
		name: "images pulled within days, the bound included",
		registry: `
			before 90d #v1 pulled:7.001d
			bound  90d #v2 pulled:7d
			within 90d #v3 pulled:1h
			never  90d #v4`,
		policy:  "expire any pushed>30",
		protect: `"pulledWithinDays": 7`,
		want: `
			before: expire, deleted
			bound: expire, pulledWithinDays 7 days
			within: expire, pulledWithinDays 7 days
			never: expire, deleted`,
	}, {
		name: "images pushed within hours, the bound included",
		registry: `
			before 48.1h #v1
			bound  48h #v2
			within 1h #v3`,
		policy:  "expire v* count>1",
		protect: `"pushedWithinHours": 48`,
		want:    "before: expire, deleted\nbound: expire, pushedWithinHours 48 hours",
	}, {
		name: "protection vetoes only: counts are the policy's, protected images among them",
		registry: `
			one   4d #v1 #keep-1
			two   3d #v2
			three 2d #v3 #keep-3
			four  1d #v4`,
		policy:  "expire v* count>2",
		protect: `"tagPatterns": ["keep-*"]`,
		want:    "one: expire, tagPatterns keep-*\ntwo: expire, deleted",
	}})
}

// Each entry's own protection replaces the general one, field by field.
func TestProtectionOfAnEntry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, draw("repository all\n all 90d #v1\n repository app\n app 90d #v1\n repository web\n web 90d #v1"))
	report := w.apply(t, `{"policies": [
		{"repositories": ["app"], "policy": `+policy("expire any pushed>30")+`, "protect": {"tagPatterns": []}},
		{"repositories": ["web"], "policy": `+policy("expire any pushed>30")+`, "protect": {"keepNewest": 1}},
		{"policy": `+policy("expire any pushed>30")+`}],
		"protect": {"inUse": [], "tagPatterns": ["v1"], "keepNewest": 0}}`)
	sameLines(t, "outcomes", w.outcomes(&report), `
		all: expire, tagPatterns v1
		app: expire, deleted
		web: expire, tagPatterns v1, keepNewest 1 newest image`)
}

func greater(a, b string) string {
	if smaller(a, b) == a {
		return b
	}
	return a
}

func TestLimits(t *testing.T) {
	const three = `
		own  91d
		dead 90d >own #v1
		kept 2d #v2
		sig  80d ^dead`
	runAll(t, []scenario{{
		name:     "what follows counts",
		registry: three,
		policy:   "expire v1 pushed>30",
		more:     `"limits": {"maxDeletionsPerRepository": 2}`,
		want:     "dead: expire\nown: follow dead\nsig: follow dead",
		skipped:  "app: limit: 3 of 4 images would go, maxDeletionsPerRepository is 2",
	}, {
		name:     "exactly the limit is within it",
		registry: three,
		policy:   "expire v1 pushed>30",
		more:     `"limits": {"maxDeletionsPerRepository": 3, "maxDeletions": 3, "maxDeletedPercent": 75}`,
		want:     "dead: expire, deleted\nown: follow dead, deleted\nsig: follow dead, deleted",
	}, {
		name:     "percent is of the images listed",
		registry: three,
		policy:   "expire v1 pushed>30",
		more:     `"limits": {"maxDeletedPercent": 74}`,
		want:     "dead: expire\nown: follow dead\nsig: follow dead",
		skipped:  "app: limit: 3 of 4 images would go, maxDeletedPercent is 74",
	}, {
		name: "vetoed images do not count",
		registry: `
			a 90d #v1
			b 90d #v2 #keep-2
			c 90d #v3 #keep-3`,
		policy:  "expire any pushed>30",
		protect: `"tagPatterns": ["keep-*"]`,
		more:    `"limits": {"maxDeletionsPerRepository": 1}`,
		want:    "a: expire, deleted\nb: expire, tagPatterns keep-*\nc: expire, tagPatterns keep-*",
	}, {
		name: "the run's limit is a budget: a later repository may still fit",
		registry: `
			repository repo-a
			a1 90d
			a2 90d
			repository repo-b
			b1 90d
			b2 90d
			repository repo-c
			c1 90d`,
		policy:  "expire any pushed>30",
		more:    `"limits": {"maxDeletions": 3}`,
		want:    "a1: expire, deleted\na2: expire, deleted\nb1: expire\nb2: expire\nc1: expire, deleted",
		skipped: "repo-b: limit: 2 images would go, 1 are left of the run's maxDeletions",
	}})
}

func TestDoubtKeepsTheImage(t *testing.T) {
	runAll(t, []scenario{{
		name: "a policy that cannot be read",
		registry: `
			repository app
			old 90d
			repository web expire any pushed>30
			old 90d`,
		policy:  "attached",
		before:  func(_ testing.TB, w *world) { w.server.SetLifecyclePolicy("app", `{"rules": [{"rulePriority": 0}]}`) },
		want:    "old: expire, deleted",
		skipped: "app: invalid policy: attached lifecycle policy: …",
	}, {
		name: "no policy",
		registry: `
			old 90d`,
		policy:  "attached",
		skipped: "app: no policy: no lifecycle policy is attached to it",
	}, {
		name: "an image on its way out of the archive",
		registry: `
			restoring 90d activating
			plain     90d`,
		policy: "expire any pushed>30",
		want:   "plain: expire, deleted",
	}, {
		name: "a state that we do not know",
		registry: `
			plain 90d
			repository web
			old   90d`,
		policy: "expire any pushed>30",
		before: func(_ testing.TB, w *world) {
			im := image{name: "unknown", age: 90 * day}.detail(noon)
			im.Status = "FROZEN"
			w.server.Put("app", im)
		},
		want:    "old: expire, deleted",
		skipped: "app: failed: describe images in app: image " + digestOf("unknown") + ` has the unknown imageStatus "FROZEN"`,
	}, {
		name: "manifests that may not be read",
		registry: `
			child 90d
			index 90d >child #v1
			repository web
			old 90d`,
		policy:  "expire any pushed>30",
		before:  func(_ testing.TB, w *world) { w.server.Fail("BatchGetImage", "app", "AccessDeniedException") },
		want:    "old: expire, deleted",
		skipped: "app: failed: read manifests in app: …",
	}, {
		name: "a re-check that fails",
		registry: `
			old 90d`,
		policy: "expire any pushed>30",
		meanwhile: func(_ testing.TB, w *world) {
			w.server.FailNext("DescribeImages", "app", "AccessDeniedException", 1)
		},
		want: "old: expire, failed: re-check: describe images in app: …",
	}, {
		name: "a delete whose answer is an error",
		registry: `
			old 90d`,
		policy: "expire any pushed>30",
		before: func(_ testing.TB, w *world) { w.server.Fail("BatchDeleteImage", "app", "AccessDeniedException") },
		want:   "old: expire, failed: delete images in app: …",
	}})
}

func TestTheWorldMoves(t *testing.T) {
	runAll(t, []scenario{{
		name: "what belongs to an image that has changed stays with it",
		registry: `
			own  91d
			dead 90d >own #v1
			sig  80d ^dead
			note 70d ^sig`,
		policy:    "expire v1 pushed>30",
		meanwhile: func(_ testing.TB, w *world) { w.server.Tag("app", digestOf("dead"), "back") },
		want: `
			dead: expire, changed: imageTags changed since the plan
			own: follow dead, blocked: it belongs to dead, which stays
			sig: follow dead, blocked: it belongs to dead, which stays
			note: follow dead, blocked: it belongs to sig, which stays`,
	}, {
		name: "an index is as used as what is below it",
		registry: `
			leaf   93d
			sub    92d >leaf
			top    90d >sub #v1
			beside 80d #v2`,
		policy: "expire v* pushed>30",
		meanwhile: func(_ testing.TB, w *world) {
			w.server.Put("app", image{name: "leaf", age: 93 * day, pulled: 1}.detail(noon))
		},
		want: `
			top: expire, changed: lastRecordedPullTime of its child leaf changed since the plan
			sub: follow top, changed: lastRecordedPullTime of its child leaf changed since the plan
			leaf: follow top, changed: lastRecordedPullTime changed since the plan
			beside: expire, deleted`,
	}, {
		name: "one that went by itself takes its own along",
		registry: `
			own  91d
			dead 90d >own #v1`,
		policy:    "expire v1 pushed>30",
		meanwhile: func(_ testing.TB, w *world) { w.server.Remove("app", digestOf("dead")) },
		want:      "dead: expire, gone: not there any more\nown: follow dead, deleted",
	}, {
		name: "the repository is deleted",
		registry: `
			old 90d
			repository web
			old 90d`,
		policy:    "expire any pushed>30",
		more:      `"repositories": {"include": ["app"]}`,
		meanwhile: func(_ testing.TB, w *world) { w.server.DeleteRepository("app") },
		want:      "old: expire, gone: not there any more",
	}, {
		name: "an index pushed over a child keeps it, and is tried once more",
		registry: `
			child 90d
			other 90d`,
		policy: "expire any pushed>30",
		meanwhile: func(_ testing.TB, w *world) {
			w.server.Put("app", image{name: "index", index: true, children: []string{"child"}, tags: []string{"v1"}}.detail(noon))
		},
		want: "child: expire, blocked: ImageReferencedByManifestList: …\nother: expire, deleted",
	}, {
		name: "what ECR refuses is tried once more at the end",
		registry: `
			child 90d
			other 90d`,
		policy: "expire any pushed>30",
		before: func(_ testing.TB, w *world) {
			w.server.RefuseImage(digestOf("child"), "ImageReferencedByManifestList")
			deletes := 0
			w.journal.on(func(c recorded) {
				if c.operation == "BatchDeleteImage" {
					if deletes++; deletes == 2 {
						w.server.RefuseImage(digestOf("child"), "")
					}
				}
			})
		},
		want: "child: expire, deleted\nother: expire, deleted",
	}})
}
