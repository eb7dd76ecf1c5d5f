package scenario_test

import "testing"

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
		skipped:  "app: limit: 3 of 4 images would be removed, maxDeletionsPerRepository is 2",
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
		skipped:  "app: limit: 3 of 4 images would be removed, maxDeletedPercent is 74",
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
		skipped: "repo-b: limit: 2 images would be removed, and the run's maxDeletions allows 1 more",
	}})
}
