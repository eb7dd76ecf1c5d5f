package scenario_test

import "testing"

func TestDoubtKeepsTheImage(t *testing.T) {
	runAll(t, []scenario{{
		name: "a policy that cannot be read",
		registry: `
			repository app
			old 90d
			repository web expire any pushed>30
			old 90d`,
		policy:  "attached",
		before:  func(_ testing.TB, f *fixture) { f.server.SetLifecyclePolicy("app", `{"rules": [{"rulePriority": 0}]}`) },
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
		before: func(_ testing.TB, f *fixture) {
			im := image{name: "unknown", age: 90 * day}.detail(noon)
			im.Status = "FROZEN"
			f.server.Put("app", im)
		},
		want:    "old: expire, deleted",
		skipped: "app: failed: describe images in app: image " + digestOf("unknown") + ` has the unknown imageStatus "FROZEN"; update the cleaner`,
	}, {
		name: "manifests that may not be read",
		registry: `
			child 90d
			index 90d >child #v1
			repository web
			old 90d`,
		policy:  "expire any pushed>30",
		before:  func(_ testing.TB, f *fixture) { f.server.Fail("BatchGetImage", "app", "AccessDeniedException") },
		want:    "old: expire, deleted",
		skipped: "app: failed: read manifests in app: …",
	}, {
		name: "a re-check that fails",
		registry: `
			old 90d`,
		policy: "expire any pushed>30",
		meanwhile: func(_ testing.TB, f *fixture) {
			f.server.FailNext("DescribeImages", "app", "AccessDeniedException", 1)
		},
		want: "old: expire, failed: re-check: describe images in app: …",
	}, {
		name: "a delete whose answer is an error",
		registry: `
			old 90d`,
		policy: "expire any pushed>30",
		before: func(_ testing.TB, f *fixture) { f.server.Fail("BatchDeleteImage", "app", "AccessDeniedException") },
		want:   "old: expire, failed: delete images in app: …",
	}})
}
