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
		name: "an index is as new as its newest child",
		registry: `
			index 95d >arm #v1
			arm   90d #arm
			newer 93d #v2
			older 96d #v0`,
		policy:  "expire any pushed>30",
		protect: `"keepNewest": 1`,
		want: `
			index: expire, keepNewest 1 newest image
			arm: expire, child index
			newer: expire, keepNewest 1 newest image
			older: expire, deleted`,
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
	f := newFixture(t, draw("repository all\n all 90d #v1\n repository app\n app 90d #v1\n repository web\n web 90d #v1"))
	report := f.apply(t, `{"policies": [
		{"repositories": ["app"], "policy": `+policy("expire any pushed>30")+`, "protect": {"tagPatterns": []}},
		{"repositories": ["web"], "policy": `+policy("expire any pushed>30")+`, "protect": {"keepNewest": 1}},
		{"policy": `+policy("expire any pushed>30")+`}],
		"protect": {"inUse": [], "tagPatterns": ["v1"], "keepNewest": 0}}`)
	sameLines(t, "outcomes", f.outcomes(&report), `
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
