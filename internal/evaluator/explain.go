package evaluator

import (
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// Explain returns what each rule of the policy does about the image with that
// digest: one step per rule, by ascending rulePriority. It takes all images of
// the repository and obeys the same rules as [Evaluate]; the one step that
// claims or shields the image is Evaluate's verdict. It returns false if no
// image has the digest; of several that have it, it explains the first.
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
			e.copyCounts(ranks)
		}
	}
	return e.steps(&images[at], ranks), true
}

// copyCounts copies the counts so far. For the rules that match the image
// counted last they are its ranks.
func (e *evaluation) copyCounts(ranks []int) {
	for r := range ranks {
		ranks[r] = e.rules[r].matched
	}
}

// steps shows the image to the rules one by one.
func (e *evaluation) steps(im *Image, ranks []int) []Step {
	steps := make([]Step, len(e.rules))
	var first *Step
	for r := range steps {
		s := &steps[r]
		*s = e.step(r, im, ranks[r])
		if !s.Matches() {
			continue
		}
		if first == nil {
			first = s
		}
		s.settle(first)
	}
	return steps
}

// step shows the image to one rule alone.
func (e *evaluation) step(rule int, im *Image, rank int) Step {
	r := &e.rules[rule]
	s := Step{Rule: r.Rule, Mismatch: r.mismatch(im)}
	if s.Matches() {
		s.Reason = r.reason(im, rank, e.now)
	}
	return s
}

// mismatch says why the rule does not match the image; it is zero if it does.
func (r *appliedRule) mismatch(im *Image) Mismatch {
	class := im.StorageClass()
	m := Mismatch{Status: im.Status, StorageClass: class}
	switch {
	case class == "":
		m.Kind = ImageNotEvaluated
	case r.matches(class, im.Tags):
		return Mismatch{}
	case class != r.Selection.StorageClass:
		m.Kind = OtherStorageClass
	case r.Selection.TagStatus == lifecycle.Untagged:
		m.Kind = ImageTagged
	case r.Selection.TagStatus == lifecycle.Tagged && len(im.Tags) == 0:
		m.Kind = ImageUntagged
	default:
		m.tags(&r.Selection, im.Tags)
	}
	return m
}

// tags completes a mismatch that is due to the tags.
func (m *Mismatch) tags(s *lifecycle.Selection, tags []string) {
	entry, unmet := s.UnmetEntry(tags)
	if unmet {
		m.Kind, m.Entry = UnmetEntry, entry
		return
	}
	m.Kind = TagExcluded
	m.Tag, m.Entry, _ = s.ExcludedBy(tags)
}
