package evaluator

import (
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// A Step is what one rule does about one image.
type Step struct {
	// Rule is the rule. It points into the evaluated policy and must not be
	// modified.
	Rule *lifecycle.Rule
	// Mismatch is why the rule does not match the image. Its zero value means
	// that it does.
	Mismatch Mismatch
	// Reason is why the rule marks the image or not. It is zero if the rule
	// does not match.
	Reason Reason
	Effect Effect
	// DecidedBy is the earlier rule that claims or shields the image, if
	// Effect says so, else nil.
	DecidedBy *lifecycle.Rule
}

// An Effect is what comes of it that a rule matches an image.
type Effect int

// The effects. A rule that does not match an image has none.
const (
	NoEffect        Effect = iota
	Claims                 // marks the image, and no earlier rule matches it
	Shields                // does nothing to the image, and no earlier rule matches it
	AlreadyClaimed         // DecidedBy claims the image
	AlreadyShielded        // DecidedBy shields the image
)

// A Mismatch is why a rule does not match an image.
type Mismatch struct {
	Kind MismatchKind
	// Status is the status of the image.
	Status ImageStatus
	// StorageClass is the storage class of the image, empty for
	// ImageNotEvaluated.
	StorageClass lifecycle.StorageClass
	// Entry is the first entry of the rule's list that no tag meets, for
	// UnmetEntry, or the excluded pattern that Tag matches, for TagExcluded.
	Entry string
	Tag   string
}

// MismatchKind tells mismatches apart. The zero value means that the rule
// matches.
type MismatchKind int

// The kinds of mismatches, in the order in which they are looked for.
const (
	ImageNotEvaluated MismatchKind = iota + 1 // as NotEvaluated
	OtherStorageClass                         // the rule is for another storage class
	ImageTagged                               // the rule is for untagged images
	ImageUntagged                             // the rule is for tagged images
	UnmetEntry                                // no tag meets an entry of the list, or with tagMatch "any" all entries
	TagExcluded                               // a tag matches an entry of tagExcludePatternList
)

// Matches reports whether the rule matches the image.
func (s Step) Matches() bool { return s.Mismatch == Mismatch{} }

// Marks reports whether the rule matches and marks the image.
func (s Step) Marks() bool { return s.Reason.Kind.Marks() }

// settle sets the effect of a step that matches. The first step of the image
// that matches may be s itself.
func (s *Step) settle(first *Step) {
	switch {
	case s == first && s.Marks():
		s.Effect = Claims
	case s == first:
		s.Effect = Shields
	case first.Marks():
		s.Effect, s.DecidedBy = AlreadyClaimed, first.Rule
	default:
		s.Effect, s.DecidedBy = AlreadyShielded, first.Rule
	}
}

// String returns the step in words, such as
//
//	rule 1: does not match: no tag matches prod*
//	rule 2: matches, does not mark: pushed 10d ago, limit 30d; shields the image
//	rule 3: matches, marks: 7th newest of 9 images, rule keeps 5; already shielded by rule 2
func (s Step) String() string {
	return fmt.Sprintf("rule %d: %s", s.Rule.RulePriority, s.words())
}

func (s Step) words() string {
	switch s.Effect {
	case Claims:
		return s.reasonWords() + "; claims the image"
	case Shields:
		return s.reasonWords() + "; shields the image"
	case AlreadyClaimed:
		return fmt.Sprintf("%s; already claimed by rule %d", s.reasonWords(), s.DecidedBy.RulePriority)
	case AlreadyShielded:
		return fmt.Sprintf("%s; already shielded by rule %d", s.reasonWords(), s.DecidedBy.RulePriority)
	case NoEffect:
	}
	return "does not match: " + s.Mismatch.words(s.Rule)
}

func (s Step) reasonWords() string {
	does := "does not mark"
	switch {
	case s.Marks():
		does = "marks"
	case s.Reason.Kind == Retained:
		does = "retains"
	case s.Reason.Kind == LastTag:
		does = "marks, but keeps as last-tag"
	}
	return fmt.Sprintf("matches, %s: %s", does, s.Reason.words(s.Rule))
}

// words says why the rule does not match.
func (m Mismatch) words(rule *lifecycle.Rule) string {
	switch m.Kind {
	case ImageNotEvaluated:
		return notEvaluatedWords(m.Status)
	case OtherStorageClass:
		return fmt.Sprintf("image is in storage class %s, rule looks at %s", m.StorageClass, rule.Selection.StorageClass)
	case ImageTagged:
		return "image is tagged, rule looks at untagged ones"
	case ImageUntagged:
		return "image is untagged, rule looks at tagged ones"
	case TagExcluded:
		return fmt.Sprintf("tag %s matches %s, which the rule excludes", m.Tag, m.Entry)
	case UnmetEntry:
	}
	entry := m.Entry
	if rule.Selection.TagMatchAny {
		entry = listWords(&rule.Selection)
	}
	if len(rule.Selection.TagPrefixList) > 0 {
		return "no tag has the prefix " + entry
	}
	return "no tag matches " + entry
}
