package evaluator_test

import (
	"fmt"
	"math"
	"testing"
	"time"
	_ "time/tzdata" // the test of daylight saving needs a zone

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const (
	hour = time.Hour
	day  = 24 * time.Hour
)

// rule returns a rule that expires standard images whatever their tags.
func rule(priority int, countType lifecycle.CountType, n int) lifecycle.Rule {
	return lifecycle.Rule{
		RulePriority: priority,
		Selection: lifecycle.Selection{
			TagStatus: lifecycle.Any, StorageClass: lifecycle.StandardClass,
			CountType: countType, CountNumber: n,
		},
		Action: lifecycle.Action{Type: lifecycle.Expire},
	}
}

func policy(rules ...lifecycle.Rule) lifecycle.Policy { return lifecycle.Policy{Rules: rules} }

// pushed returns an untagged image that was pushed that long before noon.
func pushed(digest string, age time.Duration) evaluator.Image {
	return evaluator.Image{Digest: digest, Status: evaluator.Active, PushedAt: evaluator.At(noon.Add(-age))}
}

func words(verdicts []evaluator.Verdict) []string {
	out := make([]string, len(verdicts))
	for i, v := range verdicts {
		out[i] = v.String()
	}
	return out
}

// equal checks that both values are the same and prints their difference.
func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s mismatch (-want +got):\n%s", what, diff)
	}
}

func TestEvaluateWithoutImages(t *testing.T) {
	t.Parallel()
	got := evaluator.Evaluate(policy(rule(1, lifecycle.ImageCountMoreThan, 1)), nil, noon)
	if got == nil || len(got) != 0 {
		t.Errorf("Evaluate = %v, want an empty slice", got)
	}
}

// The cases that no text of a policy or listing of ECR leads to.
func TestEvaluateKeepsInDoubt(t *testing.T) {
	t.Parallel()
	count, age := rule(1, lifecycle.ImageCountMoreThan, 1), rule(1, lifecycle.SinceImagePushed, 1)
	unknownStatus := age
	unknownStatus.Selection.TagStatus = "labelled"
	noClass := age
	noClass.Selection.StorageClass = ""
	old := pushed("sha256:a", 9*day)
	noPush := evaluator.Image{Digest: "sha256:a", Status: evaluator.Active}
	noStatus := old
	noStatus.Status = ""
	tests := []struct {
		name   string
		policy lifecycle.Policy
		image  evaluator.Image
		want   string
	}{
		{"no rules", policy(), old, "sha256:a  keep  -  no rule matches"},
		{"unknown count type", policy(rule(1, "sinceImageBuilt", 1)), old, "sha256:a  keep  rule 1  matched by rule 1, not marked: no known time, limit 1d"},
		{"unknown tag status", policy(unknownStatus), old, "sha256:a  keep  -  no rule matches"},
		{"rule without storage class", policy(noClass), old, "sha256:a  keep  -  no rule matches"},
		{"rule and image without storage class", policy(noClass), noStatus, "sha256:a  keep  -  image has no imageStatus"},
		{"no status", policy(count), noStatus, "sha256:a  keep  -  image has no imageStatus"},
		{"no push time, age", policy(age), noPush, "sha256:a  keep  -  image has no imagePushedAt"},
		{"no push time, count", policy(count), noPush, "sha256:a  keep  -  image has no imagePushedAt"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			images := []evaluator.Image{tt.image, pushed("sha256:b", hour)}
			equal(t, "verdict", tt.want, evaluator.Evaluate(tt.policy, images, noon)[0].String())
		})
	}
}

func TestEvaluateJudgesRepeatedDigestsOneByOne(t *testing.T) {
	t.Parallel()
	images := []evaluator.Image{pushed("sha256:a", day), pushed("sha256:a", day), pushed("sha256:b", 2*day)}
	got := words(evaluator.Evaluate(policy(rule(1, lifecycle.ImageCountMoreThan, 2)), images, noon))
	want := []string{
		"sha256:a  keep  rule 1  matched by rule 1, not marked: newest of 3 images, rule keeps 2",
		"sha256:a  keep  rule 1  matched by rule 1, not marked: 2nd newest of 3 images, rule keeps 2",
		"sha256:b  expire  rule 1  3rd newest of 3 images, rule keeps 2",
	}
	equal(t, "Evaluate", want, got)
}

// A calendar day back from noon after the change to summer time is 23 hours.
func TestEvaluateCountsHoursNotCalendarDays(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 29, 12, 0, 0, 0, berlin)
	for age, want := range map[time.Duration]evaluator.Action{
		23*hour + 1: evaluator.Keep,
		24 * hour:   evaluator.Keep,
		24*hour + 1: evaluator.Expire,
	} {
		images := []evaluator.Image{{Digest: "sha256:a", Status: evaluator.Active, PushedAt: evaluator.At(now.Add(-age))}}
		got := evaluator.Evaluate(policy(rule(1, lifecycle.SinceImagePushed, 1)), images, now)
		equal(t, fmt.Sprintf("pushed %v ago: action", age), want, got[0].Action)
	}
}

// ECR takes fifty rules; nothing here depends on that.
func TestEvaluateTakesAnyNumberOfRules(t *testing.T) {
	t.Parallel()
	var p lifecycle.Policy
	var images []evaluator.Image
	for i := range 150 {
		tag := fmt.Sprintf("t%d", i)
		r := rule(i+1, lifecycle.ImageCountMoreThan, 1)
		r.Selection.TagStatus, r.Selection.TagPrefixList = lifecycle.Tagged, []string{tag + "-"}
		p.Rules = append(p.Rules, r)
		for n := range 3 {
			im := pushed(fmt.Sprintf("sha256:%s-%d", tag, n), time.Duration(n)*day)
			im.Tags = []string{tag + "-x"}
			images = append(images, im)
		}
	}
	for i, v := range evaluator.Evaluate(p, images, noon) {
		if want := i%3 + 1; v.Rule != &p.Rules[i/3] || v.Reason.Rank != want || v.Reason.Matched != 3 {
			t.Errorf("got %v, want rank %d of 3 by rule %d", v, want, i/3+1)
		}
	}
}

func TestVerdictPointsIntoThePolicy(t *testing.T) {
	t.Parallel()
	p := policy(rule(2, lifecycle.ImageCountMoreThan, 1), rule(1, lifecycle.SinceImagePushed, 30))
	got := evaluator.Evaluate(p, []evaluator.Image{pushed("sha256:a", day)}, noon)
	if got[0].Rule != &p.Rules[1] {
		t.Errorf("Rule = %+v, want the second of the policy", got[0].Rule)
	}
}

// The number of allocations must not depend on the number of images, nor, apart
// from their size, on that of rules.
func TestEvaluateAllocates(t *testing.T) {
	for _, rules := range []int{1, 50} {
		for _, images := range []int{10, 10_000} {
			p, ims := benchmarkPolicy(rules), benchmarkImages(images)
			got := testing.AllocsPerRun(5, func() { evaluator.Evaluate(p, ims, noon) })
			if got > 6 {
				t.Errorf("%d images, %d rules: %v allocations, want at most 6", images, rules, got)
			}
		}
	}
}

// The same in the extended dialect. Expressions are left to the benchmark: they
// take their memory from pools, which may be empty.
func TestEvaluateAllocatesInTheExtendedDialect(t *testing.T) {
	for _, images := range []int{10, 2_000} {
		p, ims := extendedBenchmarkPolicy(10), benchmarkImages(images)
		for i := range p.Rules {
			if s := &p.Rules[i].Selection; s.TagStatus == lifecycle.Tagged {
				s.TagRegexList, s.TagPrefixList = nil, []string{"build-0", "release-7"}
			}
		}
		got := testing.AllocsPerRun(5, func() { evaluator.Evaluate(p, ims, noon) })
		if got > 6 {
			t.Errorf("%d images: %v allocations, want at most 6", images, got)
		}
	}
}

func TestEffectivePushTime(t *testing.T) {
	t.Parallel()
	im := pushed("sha256:a", 9*day)
	equal(t, "never restored", evaluator.At(noon.Add(-9*day)), im.EffectivePushTime())
	im.LastActivatedAt = evaluator.At(noon.Add(-day))
	equal(t, "restored", evaluator.At(noon.Add(-day)), im.EffectivePushTime())
}

func TestReasonWords(t *testing.T) {
	t.Parallel()
	tests := map[time.Duration]string{
		0:                                  "0s ago",
		1:                                  "0s ago",
		time.Second:                        "1s ago",
		59*time.Minute + 59*time.Second:    "59m 59s ago",
		hour + time.Second:                 "1h 1s ago",
		10*day - 1:                         "9d 23h 59m 59s ago",
		10 * day:                           "10d ago",
		10*day + 1:                         "10d 0.000000001s ago",
		10*day + 250*time.Millisecond:      "10d 0.25s ago",
		10*day + time.Second - 1:           "10d 0.999999999s ago",
		10*day + 1500*time.Millisecond:     "10d 1s ago",
		10*day + 5*hour + time.Millisecond: "10d 5h ago",
		11*day + 1:                         "11d ago",
		-90 * time.Second:                  "1m 30s from now",
		-10*day - 1:                        "10d 0.000000001s from now",
		1<<63 - 1:                          "over 106751d ago",
		-1 << 63:                           "over 106751d from now",
	}
	r := rule(1, lifecycle.SinceImagePushed, 10)
	for age, want := range tests {
		v := evaluator.Verdict{Rule: &r, Reason: evaluator.Reason{
			Kind: evaluator.OlderThan, Field: evaluator.ImagePushedAt, Age: age,
		}}
		equal(t, fmt.Sprintf("age %d: Why()", age), "pushed "+want+", limit 10d", v.Why())
	}
}

func TestRankWords(t *testing.T) {
	t.Parallel()
	r := rule(1, lifecycle.ImageCountMoreThan, 1)
	for rank, want := range map[int]string{
		1: "newest", 2: "2nd newest", 3: "3rd newest", 4: "4th newest", 11: "11th newest", 12: "12th newest",
		13: "13th newest", 20: "20th newest", 21: "21st newest", 22: "22nd newest", 23: "23rd newest",
		101: "101st newest", 111: "111th newest", 1012: "1012th newest",
	} {
		v := evaluator.Verdict{Rule: &r, Reason: evaluator.Reason{Kind: evaluator.BeyondCount, Rank: rank, Matched: 2000}}
		equal(t, fmt.Sprintf("rank %d: Why()", rank), fmt.Sprintf("%s of 2000 images, rule keeps 1", want), v.Why())
	}
}

var (
	epoch    = time.Unix(0, 0)
	farApart = []time.Time{
		time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1678, 1, 1, 0, 0, 0, 1, time.UTC), epoch.Add(-2), epoch, epoch.Add(1), noon,
		noon.Add(1), noon.In(time.FixedZone("", 3600)).Add(2), time.Date(2261, 12, 31, 23, 59, 59, 999_999_999, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC),
	}
)

func TestInstantsAreInTheOrderOfTheirTimes(t *testing.T) {
	t.Parallel()
	for i, a := range farApart {
		for j, b := range farApart {
			x, y := evaluator.At(a), evaluator.At(b)
			if x.Before(y) != (i < j) || x.After(y) != (i > j) || x.Compare(y) != a.Compare(b) || (x == y) != (i == j) {
				t.Errorf("%v and %v: %v and %v", a, b, x, y)
			}
		}
	}
}

func TestInstantsHoldTheirTimes(t *testing.T) {
	t.Parallel()
	for _, want := range farApart[1 : len(farApart)-1] {
		i := evaluator.At(want)
		if got := i.Time(); !got.Equal(want) || got.Location() != time.UTC || i.IsZero() {
			t.Errorf("%v is held as %v", want, got)
		}
	}
	equal(t, "noon", noon.Format(time.RFC3339Nano), evaluator.At(noon).String())
	if i := evaluator.At(time.Time{}); !i.IsZero() || !i.Time().IsZero() || i.String() != "-" {
		t.Errorf("no time is held as %v", i.Time())
	}
	if last := epoch.Add(-1); evaluator.At(last) != evaluator.At(last.Add(-1)) {
		t.Error("the last nanosecond before 1970 is not held as that before it")
	}
}

func TestInstantsBeyondTheFirstAndTheLast(t *testing.T) {
	t.Parallel()
	if first, last := evaluator.At(farApart[0]), evaluator.At(farApart[len(farApart)-1]); first != math.MinInt64+1 || last != math.MaxInt64 {
		t.Errorf("first %v, last %v", first, last)
	}
}

func TestTheTimeBetweenInstants(t *testing.T) {
	t.Parallel()
	for _, a := range farApart[1 : len(farApart)-1] {
		for _, b := range farApart[1 : len(farApart)-1] {
			equal(t, fmt.Sprintf("from %v to %v", b, a), a.Sub(b), evaluator.At(a).Sub(evaluator.At(b)))
		}
	}
}
