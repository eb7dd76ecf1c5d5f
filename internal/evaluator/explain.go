package evaluator

import (
	"fmt"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// A Step says how one rule treats one image.
type Step struct {
	// Rule points into the evaluated policy; do not modify it.
	Rule *lifecycle.Rule
	// Mismatch says why the rule does not match the image. It is empty if the rule matches.
	Mismatch string
	// Reason says why the rule marks the image or not, and DecidedBy is the first rule that
	// matches the image, which may be Rule. Both are zero if the rule does not match.
	Reason    Reason
	DecidedBy *lifecycle.Rule
}

// Explain returns one step per rule, by ascending rulePriority, for the first image with
// the digest, and false if there is none. It takes all images, as [Evaluate] does.
func Explain(policy lifecycle.Policy, images []Image, now time.Time, digest string) ([]Step, bool) {
	at := slices.IndexFunc(images, func(im Image) bool { return im.Digest == digest })
	if at < 0 {
		return nil, false
	}
	e := newEvaluation(policy, images, now)
	ranks := make([]int, len(e.rules))
	for _, key := range e.order {
		e.count(key.index)
		if int(key.index) == at {
			for r := range ranks {
				ranks[r] = e.rules[r].matched // the rank, if the rule matches the image
			}
		}
	}
	steps := make([]Step, len(e.rules))
	for i := range steps {
		r, s := &e.rules[i], &steps[i]
		s.Rule, s.Mismatch = r.Rule, r.mismatch(&images[at])
		if s.Matches() {
			s.Reason = r.reason(&images[at], ranks[i], e.now)
			s.DecidedBy = e.rules[e.decisions[at].rule].Rule
		}
	}
	return steps, true
}

// mismatch says why the rule does not match the image, or "" if it does.
func (r *appliedRule) mismatch(im *Image) string {
	s, class := &r.Selection, im.StorageClass()
	switch {
	case class == "":
		return notEvaluatedWords(im.Status)
	case r.matches(class, im.Tags):
		return ""
	case class != s.StorageClass:
		return fmt.Sprintf("image is in storage class %s, rule is for %s", class, s.StorageClass)
	case s.TagStatus == lifecycle.Untagged:
		return "image is tagged, rule is for untagged images"
	case s.TagStatus == lifecycle.Tagged && len(im.Tags) == 0:
		return "image is untagged, rule is for tagged images"
	}
	entry, unmet := s.UnmetEntry(im.Tags)
	if !unmet {
		tag, pattern, _ := s.ExcludedBy(im.Tags)
		return fmt.Sprintf("tag %s matches %s, which the rule excludes", tag, pattern)
	}
	if s.TagMatchAny {
		entry = listWords(s)
	}
	if len(s.TagPrefixList) > 0 {
		return "no tag has the prefix " + entry
	}
	return "no tag matches " + entry
}

// Matches reports whether the rule matches the image.
func (s Step) Matches() bool { return s.Mismatch == "" }

// Marks reports whether the rule matches and marks the image.
func (s Step) Marks() bool { return s.Reason.Kind.Marks() }

// String returns the step in words, such as
//
//	rule 1: does not match: no tag matches prod*
//	rule 2: matches, does not mark: pushed 10d ago, limit 30d; decides that the image is kept
//	rule 3: matches, marks: 7th newest of 9 images, rule keeps 5; already decided by rule 2
func (s Step) String() string {
	priority := s.Rule.RulePriority
	if !s.Matches() {
		return fmt.Sprintf("rule %d: does not match: %s", priority, s.Mismatch)
	}
	does, effect := "does not mark", "decides that the image is kept"
	switch {
	case s.Marks():
		does, effect = "marks", "is applied"
	case s.Reason.Kind == Retained:
		does = "retains"
	case s.Reason.Kind == LastTag:
		does = "marks, but keeps as last-tag"
	}
	if s.DecidedBy != s.Rule {
		effect = fmt.Sprintf("already decided by rule %d", s.DecidedBy.RulePriority)
	}
	return fmt.Sprintf("rule %d: matches, %s: %s; %s", priority, does, s.Reason.words(s.Rule), effect)
}
