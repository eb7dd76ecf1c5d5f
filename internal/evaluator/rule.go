package evaluator

import (
	"cmp"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// An appliedRule is a rule during one evaluation.
type appliedRule struct {
	*lifecycle.Rule
	// newest is how many of the newest images it matches the rule never marks.
	newest int
	// counts is true for a rule that needs to know which these are.
	counts bool
	// cutoff is countNumber days ago: what happened before it is too old.
	cutoff Instant
	// matched is the number of images counted so far, if the rule counts.
	matched int
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

// daysBefore returns the instant that many times 24 hours before now: AddDate
// would count calendar days, which daylight saving shortens. Where that is before
// all instants, it is the first one.
func daysBefore(now Instant, days int) Instant {
	if since := uint64(now) - 1<<63; uint64(days) > since/uint64(day) {
		return firstInstant
	}
	return now - Instant(days)*Instant(day)
}

// matches reports whether the rule looks at an image of that class, which is
// empty for an image that no rule may touch, and with those tags.
func (r *appliedRule) matches(class lifecycle.StorageClass, tags []string) bool {
	return class != "" && class == r.Selection.StorageClass && r.Selection.MatchesTags(tags)
}

// reason says whether and why the rule marks an image that it matches. The
// rank is the place of the image among those, from the newest.
func (r *appliedRule) reason(im *Image, rank int, now Instant) Reason {
	var reason Reason
	switch {
	case r.Action.Type == lifecycle.Retain:
		return Reason{Kind: Retained}
	case r.Selection.CountType == lifecycle.ImageCountMoreThan:
		reason.Kind = r.countKind(rank)
	default:
		reason = r.ageReason(im, rank, now)
	}
	if r.counts {
		reason.Rank, reason.Matched = rank, r.matched
	}
	if reason.Kind.Marks() && r.takesLastTag(im) {
		reason.Kind = LastTag
	}
	return reason
}

func (r *appliedRule) countKind(rank int) ReasonKind {
	if rank > r.newest {
		return BeyondCount
	}
	return WithinCount
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

// takesLastTag reports whether the rule would remove every tag that the image
// has. ECR deletes an image with its last tag.
func (r *appliedRule) takesLastTag(im *Image) bool {
	return r.Action.Type == lifecycle.Untag &&
		!slices.ContainsFunc(im.Tags, func(tag string) bool { return !r.Selection.MatchesEntry(tag) })
}

// since returns the time that an age rule counts from, zero if there is none.
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
