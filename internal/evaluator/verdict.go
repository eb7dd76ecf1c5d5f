package evaluator

import (
	"cmp"
	"fmt"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// A Verdict is the decision of a policy about one image.
type Verdict struct {
	Digest string // of the image
	Action Action
	// Rule is the first rule that matches the image, or nil. It points into the evaluated
	// policy; do not modify it.
	Rule   *lifecycle.Rule
	Reason Reason
}

// Action is Keep or the action type of the rule that is applied.
type Action string

// The actions of a verdict. Untag removes the tags that Selection.MatchingTags returns.
const (
	Keep       Action = ""
	Expire            = Action(lifecycle.Expire)
	Transition        = Action(lifecycle.Transition)
	Untag             = Action(lifecycle.Untag)
)

// String returns "keep" for Keep and AWS's word for any other action.
func (a Action) String() string { return cmp.Or(string(a), "keep") }

// A Reason is the reason for a verdict. The fields that the Kind does not use are zero.
type Reason struct {
	Kind ReasonKind
	// Rank is the place of the image among the Matched images that the rule matches; the
	// newest has rank 1. imageCountMoreThan and keepNewest set both.
	Rank, Matched int
	// Since is the time from which an age count type counts, and Field its name. For
	// AgeUnknown, Field is the missing time.
	Since  Instant
	Field  TimeField
	Age    time.Duration // from Since to the evaluation; negative if Since is in the future
	Status ImageStatus   // for NotEvaluated
}

// ReasonKind tells the reasons apart. The zero value is no reason.
type ReasonKind int

// The kinds of reasons. With the first two, a rule marks the image. With the last two, no
// rule matches it. With the others, a rule matches the image and keeps it.
const (
	BeyondCount   ReasonKind = iota + 1 // imageCountMoreThan: at least countNumber matched images are newer
	OlderThan                           // an age count type: older than countNumber days
	WithinCount                         // among the countNumber newest
	NotOlderThan                        // not older than countNumber days
	AgeUnknown                          // ECR did not report the time that the rule counts from
	AmongNewest                         // older than countNumber days, but among the keepNewest newest
	LastTag                             // the action is untag, but the image would have no tag left
	Retained                            // the action is retain
	NoRuleMatches                       // no rule matches the image
	NotEvaluated                        // the image is neither ACTIVE nor ARCHIVED, or has no push time
)

// Marks reports whether a rule with this reason marks the image.
func (k ReasonKind) Marks() bool { return k == BeyondCount || k == OlderThan }

// String returns the digest, the action, the rule ("-" if no rule matches) and the
// reason, separated by two spaces:
//
//	sha256:4f5a…  expire  rule 1  pushed 40d ago, limit 30d
func (v Verdict) String() string {
	rule := "-"
	if v.Rule != nil {
		rule = fmt.Sprintf("rule %d", v.Rule.RulePriority)
	}
	return fmt.Sprintf("%s  %v  %s  %s", v.Digest, v.Action, rule, v.Why())
}

// Why returns the reason in words, such as "3rd newest of 12 matching prod*, rule keeps
// 2" or "matched by rule 1, not marked: pushed 10d ago, limit 30d".
//
// Ages are in days of 24 hours, hours, minutes and seconds, without the units that are
// zero. Fractions of a second are cut, unless the age would then look equal to the
// limit: "30d 0.000000001s" is older than 30 days, "30d" is not.
func (v Verdict) Why() string {
	words := v.Reason.words(v.Rule)
	if v.Rule == nil || v.Reason.Kind.Marks() {
		return words
	}
	return fmt.Sprintf("matched by rule %d, %s: %s", v.Rule.RulePriority, v.Reason.Kind.keptWords(), words)
}
