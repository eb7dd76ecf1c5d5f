package evaluator

import (
	"cmp"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// An appliedRule is a rule during one evaluation.
type appliedRule struct {
	*lifecycle.Rule
	newest  int     // how many of the newest images that it matches the rule never marks
	counts  bool    // whether newest is positive
	cutoff  Instant // countNumber days before now
	matched int     // the number of images counted until now, if counts is true
}

// applyRules returns the rules of the policy by ascending priority.
func applyRules(policy lifecycle.Policy, now Instant) []appliedRule {
	rules := make([]appliedRule, len(policy.Rules))
	for i := range rules {
		r := &policy.Rules[i]
		newest := r.Selection.KeepNewest
		if r.Selection.CountType == lifecycle.ImageCountMoreThan {
			newest = r.Selection.CountNumber
		}
		rules[i] = appliedRule{Rule: r, newest: newest, counts: newest > 0, cutoff: daysBefore(now, r.Selection.CountNumber)}
	}
	slices.SortFunc(rules, func(a, b appliedRule) int { return cmp.Compare(a.RulePriority, b.RulePriority) })
	return rules
}

// daysBefore returns the instant that many times 24 hours before now, or the first
// instant if there is none. Calendar days can be shorter because of daylight saving.
func daysBefore(now Instant, days int) Instant {
	if since := uint64(now) - 1<<63; uint64(days) > since/uint64(day) {
		return firstInstant
	}
	return now - Instant(days)*Instant(day)
}

// matches reports whether the rule matches an image. The class is empty if no rule may.
func (r *appliedRule) matches(class lifecycle.StorageClass, tags []string) bool {
	return class != "" && class == r.Selection.StorageClass && r.Selection.MatchesTags(tags)
}

// reason says why the rule marks, or does not mark, an image that it matches. The rank is
// the place of the image among all images that the rule matches; the newest has rank 1.
func (r *appliedRule) reason(im *Image, rank int, now Instant) Reason {
	var reason Reason
	switch {
	case r.Action.Type == lifecycle.Retain:
		return Reason{Kind: Retained}
	case r.Selection.CountType != lifecycle.ImageCountMoreThan:
		reason = r.ageReason(im, rank, now)
	case rank > r.newest:
		reason.Kind = BeyondCount
	default:
		reason.Kind = WithinCount
	}
	if r.counts {
		reason.Rank, reason.Matched = rank, r.matched
	}
	if reason.Kind.Marks() && r.removesLastTag(im) {
		reason.Kind = LastTag
	}
	return reason
}

func (r *appliedRule) ageReason(im *Image, rank int, now Instant) Reason {
	since, field := r.since(im)
	if since.IsZero() {
		return Reason{Kind: AgeUnknown, Field: field}
	}
	kind := NotOlderThan
	switch {
	case !since.Before(r.cutoff):
	case r.counts && rank <= r.newest:
		kind = AmongNewest
	default:
		kind = OlderThan
	}
	return Reason{Kind: kind, Since: since, Field: field, Age: now.Sub(since)}
}

// removesLastTag reports whether the rule would remove every tag of the image.
func (r *appliedRule) removesLastTag(im *Image) bool {
	return r.Action.Type == lifecycle.Untag &&
		!slices.ContainsFunc(im.Tags, func(tag string) bool { return !r.Selection.MatchesEntry(tag) })
}

// since returns the time that an age count type counts from, or zero.
func (r *appliedRule) since(im *Image) (Instant, TimeField) {
	switch r.Selection.CountType {
	case lifecycle.SinceImagePushed:
		return im.pushed()
	case lifecycle.SinceImagePulled:
		return im.pulled()
	case lifecycle.SinceImageTransitioned:
		return im.LastArchivedAt, LastArchivedAt
	case lifecycle.ImageCountMoreThan:
	}
	return 0, ""
}
