package scenario_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// image returns an image of the repository "app" as it is now.
func (f *fixture) image(t *testing.T, name string) fakeecr.Image {
	t.Helper()
	all := f.server.Images("app")
	i := slices.IndexFunc(all, func(im fakeecr.Image) bool { return im.Digest == digestOf(name) })
	if i < 0 {
		t.Fatalf("%s is not there", name)
	}
	return all[i]
}

// pull pulls images like a client that starts one: first the index, then the child for
// its platform.
func (f *fixture) pull(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		im := f.image(t, name)
		im.LastRecordedPullTime = f.clock.now()
		f.server.Put("app", im)
	}
}

const nights = 10

// planNights plans every night, while a client pulls every other day. Reading the
// manifests counts as pulls unless the role is excluded.
func (f *fixture) planNights(t *testing.T, configuration string) {
	t.Helper()
	for night := range nights {
		if night%2 == 0 {
			f.pull(t, "live", "live-amd")
			f.pull(t, "top", "middle", "leaf")
		}
		if report := f.plan(t, configuration); report.Incomplete || report.Totals.Protected == 0 {
			t.Fatalf("night %d: %+v %v", night, report.Totals, skips(&report))
		}
		f.clock.advance(day)
	}
}

const nightly = `
	live-amd   101d
	live-arm   101d
	live       100d >live-amd,live-arm #v5
	leaf       101d
	middle     100d >leaf
	top        100d >middle #v6
	dead-amd   101d
	dead       100d >dead-amd #v1
	dead-leaf  101d pulled:60d
	dead-sub   100d >dead-leaf pulled:60d
	dead-top   100d >dead-sub #v2 pulled:60d
	half-dead  100d >live-arm #v3
	plain      100d #v4
	sig        99d ^dead
	live-sig   99d ^live`

// Ten nights of plans that read manifests, then a run that applies. With the pull-time
// exclusion, the run removes unpulled images and keeps pulled ones.
func TestTenNights(t *testing.T) {
	t.Parallel()
	// Without the exclusion ECR records the cleaner's own reads. Each night they protect
	// the indexes that it reads, and the report says so.
	const kept = ": ownPullsCount: 4 indexes are kept because ECR records this role's reads of manifests as pulls; …"
	for name, c := range map[string]struct{ policy, protect, want, recorded string }{
		"protected by pulls": {"expire any pushed>30", `"pulledWithinDays": 7`, `
			dead: expire, deleted
			dead-amd: expire, deleted
			dead-leaf: expire, deleted
			dead-sub: expire, deleted
			dead-top: expire, deleted
			half-dead: expire, deleted
			plain: expire, deleted
			sig: expire, deleted
			live-amd: expire, pulledWithinDays 7 days
			live-arm: expire, child live
			live: expire, pulledWithinDays 7 days
			leaf: expire, pulledWithinDays 7 days
			middle: expire, pulledWithinDays 7 days
			top: expire, pulledWithinDays 7 days
			live-sig: expire, subject live`, `
			dead: expire, pulledWithinDays 7 days
			dead-amd: expire, child dead
			dead-leaf: expire, child dead-sub
			dead-sub: expire, pulledWithinDays 7 days
			dead-top: expire, pulledWithinDays 7 days
			half-dead: expire, pulledWithinDays 7 days
			plain: expire, deleted
			sig: expire, subject dead
			live-amd: expire, pulledWithinDays 7 days
			live-arm: expire, child live
			live: expire, pulledWithinDays 7 days
			leaf: expire, pulledWithinDays 7 days
			middle: expire, pulledWithinDays 7 days
			top: expire, pulledWithinDays 7 days
			live-sig: expire, subject live`},
		"archived by pulls": {"archive any pulled>7", "", `
			dead: transition, archived
			dead-amd: transition, archived
			dead-leaf: transition, archived
			dead-sub: transition, archived
			dead-top: transition, archived
			half-dead: transition, archived
			plain: transition, archived
			sig: transition, archived
			live-arm: transition, child live
			live-sig: transition, subject live`, `
			dead-amd: transition, child dead
			dead-leaf: transition, child dead-sub
			plain: transition, archived
			sig: transition, subject dead
			live-arm: transition, child live
			live-sig: transition, subject live`},
	} {
		for _, excluded := range []bool{true, false} {
			awstest.Parallel(t, fmt.Sprintf("%s, exclusion %v", name, excluded), func(t *testing.T) {
				p := draw(nightly)
				f := newFixture(t, p)
				f.server.ExcludePulls(excluded)
				configuration := configuration(c.policy, c.protect, "")
				f.planNights(t, configuration)
				recent := f.clock.now().Sub(f.image(t, "dead").LastRecordedPullTime) <= day
				if recent == excluded {
					t.Errorf("the plans count as pulls: %v", recent)
				}
				report := f.apply(t, configuration)
				want, findings := c.recorded, kept
				if excluded {
					want, findings = c.want, ""
				}
				sameLines(t, "outcomes", f.outcomes(&report), want)
				sameLines(t, "findings", f.findings(&report), findings)
				f.check(t, p, &report)
			})
		}
	}
}

// An image that was archived because it had no pulls is deleted after its time in the archive. An
// index is deleted with its children although nobody can read the manifest of an archived index.
func TestArchivedThenDeleted(t *testing.T) {
	t.Parallel()
	p := draw(nightly)
	f := newFixture(t, p)
	configuration := configuration("archive any pulled>7; expire archived transitioned>90", "", "")
	f.planNights(t, configuration)
	f.apply(t, configuration)
	for range 13 {
		f.clock.advance(7 * day)
		f.pull(t, "live", "live-amd", "top", "middle", "leaf")
		f.apply(t, configuration)
	}
	awstest.Equal(t, "images that are left", []string{"leaf", "live", "live-amd", "live-arm", "live-sig", "middle", "top"}, f.left("app"))
}
