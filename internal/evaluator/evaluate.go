package evaluator

import (
	"math/bits"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// Evaluate returns the verdict of the policy about each image at that instant, in the
// order of the images. It needs all images of the repository, because rules count them.
// The policy must obey the constraints of [lifecycle.Parse]. The order of images and of
// rules does not change a verdict. If a digest repeats, each entry counts as an image.
func Evaluate(policy lifecycle.Policy, images []Image, now time.Time) []Verdict {
	e := newEvaluation(policy, images, now)
	for _, key := range e.order {
		e.count(key.index)
	}
	verdicts := make([]Verdict, len(images))
	for i := range verdicts {
		verdicts[i] = e.verdict(i)
	}
	return verdicts
}

// An evaluation is the state of one call of Evaluate or Explain. It visits the images
// three times: to match them, to count them from the newest to the oldest, and for the
// verdicts. Counting does not read the images, because reading in that order is slow.
type evaluation struct {
	rules     []appliedRule
	images    []Image
	now       Instant
	decisions []decision // one per image
	order     []pushKey  // the images from the newest; empty if no rule counts
	// counted has, for each image, one bit for each rule that counts it.
	counted  []uint64
	setWords int // of one image in counted
}

// A decision names the first rule that matches an image.
type decision struct {
	rule int32 // index into evaluation.rules, or noRule
	rank int32 // place of the image among those that the rule matches, if the rule counts
}

const noRule = -1

// newEvaluation matches the images, but does not count them.
func newEvaluation(policy lifecycle.Policy, images []Image, now time.Time) *evaluation {
	e := &evaluation{
		rules:     applyRules(policy, At(now)),
		images:    images,
		now:       At(now),
		decisions: make([]decision, len(images)),
		setWords:  (len(policy.Rules) + 63) / 64,
	}
	e.counted = make([]uint64, len(images)*e.setWords)
	for i := range images {
		e.match(i)
	}
	if slices.ContainsFunc(e.rules, func(r appliedRule) bool { return r.counts }) {
		e.order = newestFirst(images)
	}
	return e
}

// match compares an image with the rules. After the first rule that matches the image,
// only rules that count matter.
func (e *evaluation) match(i int) {
	im, d := &e.images[i], &e.decisions[i]
	d.rule = noRule
	class := im.StorageClass()
	for r := range e.rules {
		rule := &e.rules[r]
		if d.rule != noRule && !rule.counts || !rule.matches(class, im.Tags) {
			continue
		}
		if d.rule == noRule {
			d.rule = int32(r)
		}
		if rule.counts {
			e.ruleSet(i)[r/64] |= 1 << (r % 64)
		}
	}
}

// count adds an image, older than all counted before, to the counts of the rules that
// match it. The count of a rule is then the rank of the image.
func (e *evaluation) count(i int32) {
	for w, set := range e.ruleSet(int(i)) {
		for ; set != 0; set &= set - 1 {
			e.rules[64*w+bits.TrailingZeros64(set)].matched++
		}
	}
	if d := &e.decisions[i]; d.rule != noRule {
		d.rank = int32(e.rules[d.rule].matched)
	}
}

// ruleSet returns the rules that count the image, as bits.
func (e *evaluation) ruleSet(i int) []uint64 { return e.counted[i*e.setWords : (i+1)*e.setWords] }

// verdict returns the verdict about an image, after counting.
func (e *evaluation) verdict(i int) Verdict {
	im, d := &e.images[i], e.decisions[i]
	v := Verdict{Digest: im.Digest}
	switch {
	case im.StorageClass() == "":
		v.Reason = Reason{Kind: NotEvaluated, Status: im.Status}
	case d.rule == noRule:
		v.Reason = Reason{Kind: NoRuleMatches}
	default:
		r := &e.rules[d.rule]
		v.Rule = r.Rule
		v.Reason = r.reason(im, int(d.rank), e.now)
		if v.Reason.Kind.Marks() {
			v.Action = Action(r.Action.Type)
		}
	}
	return v
}
