package plan_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
)

// protections plans with only these protections and a policy that expires all images older
// than a day. It returns the protection of each planned image, by digest.
func protections(t *testing.T, protect string, images ...evaluator.Image) map[string]string {
	t.Helper()
	off := strings.TrimSuffix(strings.TrimPrefix(unprotected, `"protect": {`), "}")
	for setting := range strings.SplitSeq(protect, "|") {
		name, value, _ := strings.Cut(setting, ":")
		for part := range strings.SplitSeq(off, ", ") {
			if strings.HasPrefix(part, name+":") {
				off = strings.Replace(off, part, name+":"+value, 1)
			}
		}
	}
	plan := mustPlan(t, newFakeRegistry(images...), `{"policies": [{"policy": `+expireOld+`}], "orphans": "delete", "protect": {`+off+`}}`)
	by := map[string]string{}
	for _, im := range plan.Images {
		by[im.Digest] = fmt.Sprint(im.ProtectedBy)
		if im.Protected() != (len(im.ProtectedBy) > 0) {
			t.Errorf("Protected() = %t with %v", im.Protected(), im.ProtectedBy)
		}
	}
	return by
}

func TestTagPatternsProtect(t *testing.T) {
	t.Parallel()
	got := protections(t, `"tagPatterns": ["latest","v*"]`,
		image("a", 9*day, "latest"), image("b", 8*day, "x", "v1", "v2"), image("c", 7*day, "v1.0", "latest"),
		image("d", 6*day, "Latest", "my-latest"), image("e", 5*day))
	want := map[string]string{
		"a": "[tagPatterns latest]", "b": "[tagPatterns v*]", "c": "[tagPatterns latest tagPatterns v*]", "d": "[]", "e": "[]",
	}
	awstest.Equal(t, "protections", want, got)
}

func TestPulledWithinDaysProtects(t *testing.T) {
	t.Parallel()
	got := protections(t, `"pulledWithinDays": 7`,
		pulled(image("now", 99*day), 0), pulled(image("ahead", 99*day), -time.Hour), pulled(image("exactly", 99*day), 7*day),
		pulled(image("before", 99*day), 7*day+time.Nanosecond), image("never", 99*day),
		pulled(restored(image("not since restored", 99*day), 2*day), 3*day))
	want := map[string]string{
		"now": "[pulledWithinDays 7 days]", "ahead": "[pulledWithinDays 7 days]", "exactly": "[pulledWithinDays 7 days]",
		"before": "[]", "never": "[]", "not since restored": "[pulledWithinDays 7 days]",
	}
	awstest.Equal(t, "protections", want, got)
}

// The policy marks images after one day, and this protection ends after two.
func TestPushedWithinHoursProtects(t *testing.T) {
	t.Parallel()
	got := protections(t, `"pushedWithinHours": 48`,
		image("exactly", 48*time.Hour), image("before", 48*time.Hour+time.Nanosecond),
		restored(image("restored", 99*day), 48*time.Hour), restored(image("restored before", 99*day), 48*time.Hour+time.Nanosecond))
	want := map[string]string{
		"exactly": "[pushedWithinHours 48 hours]", "before": "[]",
		"restored": "[pushedWithinHours 48 hours]", "restored before": "[]",
	}
	awstest.Equal(t, "protections", want, got)
}

func TestProtectionsHaveASingular(t *testing.T) {
	t.Parallel()
	got := protections(t, `"pulledWithinDays": 1|"keepNewest": 1`, pulled(image("a", 2*day), 0))
	awstest.Equal(t, "protections", map[string]string{"a": "[keepNewest 1 newest image pulledWithinDays 1 day]"}, got)
}

// The greatest settings exceed a time.Duration.
func TestTheGreatestSettingsProtectEverything(t *testing.T) {
	t.Parallel()
	old := pulled(image("a", 99*day), 98*day)
	old.PushedAt = evaluator.At(time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC))
	got := protections(t, `"pulledWithinDays": 2147483647|"pushedWithinHours": 2147483647|"keepNewest": 2147483647`, old)
	want := "[keepNewest 2147483647 newest images pulledWithinDays 2147483647 days pushedWithinHours 2147483647 hours]"
	awstest.Equal(t, "protections", want, got["a"])
}

func TestKeepNewestProtects(t *testing.T) {
	t.Parallel()
	const signature = "sha256-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	tests := map[string]struct {
		n      int
		images []evaluator.Image
		want   string // the protected digests
	}{
		"none":                               {0, []evaluator.Image{image("a", 2*day)}, ""},
		"the newest":                         {1, []evaluator.Image{image("a", 3*day), image("b", 2*day), image("c", 4*day)}, "b"},
		"more than listed":                   {5, []evaluator.Image{image("a", 3*day), image("b", 2*day)}, "a b"},
		"kept ones count":                    {2, []evaluator.Image{image("young", time.Hour), image("a", 2*day), image("b", 3*day)}, "a"},
		"of equal pushes the greater digest": {1, []evaluator.Image{image("b", 2*day), image("a", 2*day)}, "b"},
		"a restored image counts from its restore":  {1, []evaluator.Image{image("a", 3*day), restored(image("b", 99*day), 2*day)}, "b"},
		"untagged images count where no index is":   {1, []evaluator.Image{image("a", 3*day, "v1"), image("b", 2*day)}, "b"},
		"referrers do not count":                    {1, []evaluator.Image{image("a", 4*day, "v1"), withSubject(image("b", 3*day), "a"), image("c", 2*day, signature+".sig")}, "a"},
		"nor do fallback, attestation and SBOM":     {1, []evaluator.Image{image("a", 9*day), image("b", 4*day, signature), image("c", 3*day, signature+".att"), image("d", 2*day, signature+".sbom")}, "a"},
		"other tags with a digest are no referrers": {1, []evaluator.Image{image("a", 4*day), image("b", 3*day, signature+".x")}, "b"},
		"archived ones beside those to be pulled": {
			1, []evaluator.Image{fixture.WithStatus(image("a", 2*day), evaluator.Archived), image("b", 3*day), image("c", 4*day)}, "b",
		},
		"a restore under way is not one to be pulled": {
			1, []evaluator.Image{fixture.WithStatus(image("a", 2*day), evaluator.Activating), image("b", 3*day), image("c", 4*day)}, "b",
		},
		"possible children are as new as their index": {
			1, []evaluator.Image{index("i", 3*day, "v1"), image("child", 2*day), image("older", 4*day)}, "child i",
		},
		"tagged images beside an index count": {
			1, []evaluator.Image{index("i", 3*day, "v1"), image("a", 2*day, "v2")}, "a",
		},
		"untagged indexes count": {1, []evaluator.Image{index("i", 2*day), image("a", 3*day, "v1")}, "i"},
	}
	for name, test := range tests {
		by := protections(t, fmt.Sprintf(`"keepNewest": %d`, test.n), test.images...)
		var got []string
		for _, im := range test.images {
			if strings.HasPrefix(by[im.Digest], "[keepNewest") {
				got = append(got, im.Digest)
			}
		}
		awstest.Equal(t, name+": protected", test.want, strings.Join(fixture.Sorted(got), " "))
	}
}

// An active image is one of the n newest unless n other active images are newer. Of images
// with the same push time, the one with the greater digest is newer.
func TestTheNewestAreThoseWithFewNewerOnes(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		images := randomImages(random)
		n := 1 + random.IntN(12)
		by := protections(t, fmt.Sprintf(`"keepNewest": %d`, n), images...)
		for i := range images {
			im := &images[i]
			if im.Status != evaluator.Active {
				continue
			}
			if newer := countNewer(images, im); (newer < n) != (by[im.Digest] != "[]") {
				t.Errorf("%d newer than %s, keepNewest %d: protected by %s", newer, im.Digest, n, by[im.Digest])
			}
		}
	}
}

// randomImages returns images, many of which have the same push time.
func randomImages(random *rand.Rand) []evaluator.Image {
	images := make([]evaluator.Image, random.IntN(40))
	for i, digest := range random.Perm(len(images)) {
		images[i] = image(fmt.Sprintf("%02d", digest), 2*day+time.Duration(random.IntN(20)))
		if random.IntN(3) == 0 {
			images[i] = restored(images[i], 2*day+time.Duration(random.IntN(20)))
		}
		if random.IntN(3) == 0 {
			images[i].Status = evaluator.Archived
		}
	}
	return images
}

// countNewer returns the number of newer active images.
func countNewer(images []evaluator.Image, than *evaluator.Image) (n int) {
	for i := range images {
		a, b := images[i].EffectivePushTime(), than.EffectivePushTime()
		if images[i].Status == evaluator.Active && (a.After(b) || a == b && images[i].Digest > than.Digest) {
			n++
		}
	}
	return n
}
