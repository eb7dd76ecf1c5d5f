package selection_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/selection"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

const day = 24 * time.Hour

var now = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// randomImages returns images with few different tags and ages, many of exactly some days.
func randomImages(r *rand.Rand) []evaluator.Image {
	images := make([]evaluator.Image, r.IntN(12))
	statuses := []evaluator.ImageStatus{evaluator.Active, evaluator.Active, evaluator.Archived, evaluator.Activating}
	for i := range images {
		im := &images[i]
		im.Digest, im.Status = fmt.Sprintf("sha256:%02x", i), statuses[r.IntN(len(statuses))]
		for _, tag := range []string{"pr-1", "pr-2", "v1"} {
			if r.IntN(3) == 0 {
				im.Tags = append(im.Tags, tag)
			}
		}
		ago := func() evaluator.Instant {
			return evaluator.At(now.Add(-time.Duration(r.IntN(5))*day + time.Duration(r.IntN(3)-1)))
		}
		if r.IntN(9) > 0 {
			im.PushedAt = ago()
		}
		if r.IntN(4) == 0 {
			im.LastActivatedAt = ago()
		}
	}
	return images
}

// FuzzFilter compares a filter with the policy rule that says the same.
func FuzzFilter(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 0))
		images, days := randomImages(r), 1+r.IntN(4)
		filter, tags := selection.Filter{OlderThan: time.Duration(days) * day}, `"tagStatus": "any"`
		switch r.IntN(3) {
		case 0:
			filter.Untagged, tags = true, `"tagStatus": "untagged"`
		case 1:
			filter.Tags, filter.AllTags = []wildcard.Pattern{wildcard.Compile("pr-*")}, true
			tags = `"tagStatus": "tagged", "tagPatternList": ["pr-*"]`
		}
		policy, problems := lifecycle.Parse(fmt.Appendf(nil, `{"rules": [{"rulePriority": 1,
			"action": {"type": "expire"}, "selection": {%s,
			"countType": "sinceImagePushed", "countUnit": "days", "countNumber": %d}}]}`, tags, days), lifecycle.AWS)
		if err := problems.Err(); err != nil {
			t.Fatal(err)
		}
		var want, got []string
		for _, v := range evaluator.Evaluate(policy, images, now) {
			if v.Action == evaluator.Expire {
				want = append(want, v.Digest)
			}
		}
		for _, c := range filter.Select(images, now, "why").Chosen {
			got = append(got, images[c.Position].Digest)
		}
		if !slices.Equal(want, got) {
			t.Errorf("%+v selects %v, the rule marks %v of %+v", filter, got, want, images)
		}
		checkTags(t, images)
	})
}

// checkTags checks that every image with a matching tag is either chosen or counted, that only
// AllTags loses other tags, and that no image loses its last tag alone.
func checkTags(t *testing.T, images []evaluator.Image) {
	t.Helper()
	filter := selection.Filter{Tags: []wildcard.Pattern{wildcard.Compile("pr-1"), wildcard.Compile("*2")}}
	for _, filter.TagOnly = range []bool{false, true} {
		s, matching := filter.Select(images, now, ""), 0
		for i := range images {
			if filter.Matches(&images[i], now) {
				matching++
			}
		}
		if len(s.Chosen)+s.OtherTags+s.LastTag != matching {
			t.Errorf("%d of %d images are not chosen and not counted", matching-len(s.Chosen)-s.OtherTags-s.LastTag, matching)
		}
		for _, c := range s.Chosen {
			im := images[c.Position]
			lost := im.Tags
			if filter.TagOnly {
				lost = c.Untag
			}
			v1 := slices.Contains(lost, "v1")
			if v1 || filter.TagOnly && (len(lost) == 0 || len(lost) == len(im.Tags)) {
				t.Errorf("tag only %t: %v loses %v", filter.TagOnly, im.Tags, lost)
			}
		}
	}
}

func TestParseAge(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"12h": 12 * time.Hour, "30d": 30 * day, "2w": 14 * day, "36600d": 36600 * day,
		"": 0, "d": 0, "30": 0, "0d": 0, "-1d": 0, "1.5d": 0, "030d": 0, "30D": 0, "30m": 0, "1d12h": 0, "1 d": 0,
		"36601d": 0, "9999999999w": 0,
	} {
		if got, err := selection.ParseAge(text); got != want || (err == nil) != (want > 0) {
			t.Errorf("ParseAge(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}
