package evaluator

import (
	"fmt"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// A Verdict is what a policy decides about one image, and why.
type Verdict struct {
	// Digest is the digest of the image.
	Digest string
	// Action is what the policy wants done. Keep is the zero value.
	Action Action
	// Rule is the rule that claimed the image or, for Keep, the rule that
	// shielded it from later ones. It is nil when no rule matches the image.
	// It points into the evaluated policy and must not be modified.
	Rule *lifecycle.Rule
	// Reason is why, as data; String and Why put it into words.
	Reason Reason
}

// Action is what a verdict asks for: Keep or the action type of the rule that
// claimed the image.
type Action string

// The actions of a verdict.
const (
	Keep       Action = ""
	Expire            = Action(lifecycle.Expire)
	Transition        = Action(lifecycle.Transition)
	// Untag wants the tags removed that Selection.MatchingTags of the rule
	// returns. There is another tag, so that the image stays.
	Untag = Action(lifecycle.Untag)
)

// String returns "keep" for Keep and AWS's word for any other action.
func (a Action) String() string {
	if a == Keep {
		return "keep"
	}
	return string(a)
}

// A Reason is why a verdict came out as it did. Which fields have a meaning
// depends on Kind; the others are zero.
type Reason struct {
	Kind ReasonKind
	// Rank is the place of the image among the images that the rule matches,
	// counted from the newest, which is 1. Set by imageCountMoreThan and by
	// keepNewest, whatever the kind.
	Rank int
	// Matched is the number of images that the rule matches. Set with Rank.
	Matched int
	// Since is the instant from which the age is counted: the push, pull,
	// restore or archiving time that the rule looked at. Set for OlderThan,
	// NotOlderThan and AmongNewest, and for LastTag by an age count type.
	Since Instant
	// Field is the time of the image that Since was taken from. Set with Since
	// and, to the one that is missing, for AgeUnknown.
	Field TimeField
	// Age is the time from Since to the evaluation; it is negative when Since
	// lies ahead. Set with Since. It is clipped to what a time.Duration can
	// hold, about 292 years.
	Age time.Duration
	// Status is the status of the image. Set for NotEvaluated.
	Status ImageStatus
}

// ReasonKind tells the reasons apart. The zero value is no reason.
type ReasonKind int

// The kinds of reasons. The first two belong to a rule that marks the image,
// the last two to images that no rule matches, the others to a rule that matches
// the image and keeps it.
const (
	BeyondCount   ReasonKind = iota + 1 // imageCountMoreThan: countNumber or more matched images are newer
	OlderThan                           // an age count type: older than countNumber days
	WithinCount                         // among the countNumber newest
	NotOlderThan                        // not older than countNumber days
	AgeUnknown                          // ECR reported no time that the rule could count from
	AmongNewest                         // older than countNumber days, but among the keepNewest newest
	LastTag                             // the action is untag, which would leave no tag
	Retained                            // the action is retain
	NoRuleMatches                       // no rule matches the image
	NotEvaluated                        // the image is neither ACTIVE nor ARCHIVED, or has no push time
)

// Marks reports whether a rule with this reason acts on the image unless an
// earlier one matches it.
func (k ReasonKind) Marks() bool { return k == BeyondCount || k == OlderThan }

// String returns the digest, the action, the rule and the reason, separated by
// two spaces each, with "-" where no rule matches:
//
//	sha256:4f5a…  expire  rule 1  pushed 40d ago, limit 30d
func (v Verdict) String() string {
	rule := "-"
	if v.Rule != nil {
		rule = fmt.Sprintf("rule %d", v.Rule.RulePriority)
	}
	return fmt.Sprintf("%s  %v  %s  %s", v.Digest, v.Action, rule, v.Why())
}

// Why puts the reason into words, such as "3rd newest of 12 matching prod*,
// rule keeps 2" or "matched by rule 1, not marked: pushed 10d ago, limit 30d".
//
// Ages are in days of 24 hours, hours, minutes and seconds, without the units
// that are zero, and cut to the whole second. The fraction is added where only
// it tells the age from the limit: "30d 0.000000001s" is older than 30 days,
// "30d" is not.
func (v Verdict) Why() string {
	words := v.Reason.words(v.Rule)
	if v.Rule == nil || v.Reason.Kind.Marks() {
		return words
	}
	return fmt.Sprintf("matched by rule %d, %s: %s", v.Rule.RulePriority, v.Reason.Kind.keptWords(), words)
}
