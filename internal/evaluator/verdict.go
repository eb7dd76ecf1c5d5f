package evaluator

import (
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
	// It must not be modified.
	Rule *lifecycle.Rule
	// Reason is why, as data; String puts it into words.
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
)

// A Reason is why a verdict came out as it did. Which fields have a meaning
// depends on Kind.
type Reason struct {
	Kind ReasonKind
	// Rank is the place of the image among the images that the rule matches,
	// counted from the newest, which is 1. Set for BeyondCount and WithinCount.
	Rank int
	// Matched is the number of images that the rule matches. Set with Rank.
	Matched int
	// Since is the instant from which the age is counted: the push, pull,
	// restore or archiving time that the rule looked at. Set for OlderThan
	// and NotOlderThan.
	Since time.Time
	// Age is the time from Since to the evaluation. Set with Since. It is
	// clipped to what a time.Duration can hold, about 292 years.
	Age time.Duration
}

// ReasonKind tells the reasons apart.
type ReasonKind int

// The kinds of reasons. The first two belong to a rule that claimed the image,
// the next two to a rule that matched it and thereby shields it, the last two
// to images that no rule matches.
const (
	BeyondCount  ReasonKind = iota + 1 // imageCountMoreThan: more than countNumber are as new or newer
	OlderThan                          // an age count type: older than countNumber days
	WithinCount                        // among the countNumber newest
	NotOlderThan                       // not older than countNumber days
	NoRuleMatches                      // no rule matches the image
	NotEvaluated                       // the image is neither ACTIVE nor ARCHIVED
)
