package evaluator

import (
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// Evaluate returns what the policy decides at that instant about each image:
// one verdict per image, in the order of the images. The images are those of
// one repository, all of them: where a rule counts, a missing one changes the
// verdicts of others. The package documentation states the rules.
//
// Neither the order of the images nor that of the rules changes a verdict, and
// neither is modified. The policy must come from [lifecycle.Parse] or obey the
// same constraints. The digests must differ; where one repeats, each entry is
// judged as an image of its own and takes a place of its own in counts.
//
// The time it takes grows with the images times the rules, plus the sorting of
// the images if any rule counts.
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

// An evaluation is the state of one call of Evaluate or Explain. It goes
// through the images three times: in their order to match them, from the
// newest to the oldest to count them, and in their order again for the
// verdicts. Counting jumps about in memory, so it does without the images.
type evaluation struct {
	rules     []appliedRule
	images    []Image
	now       Instant
	decisions []decision // one per image
	counted   ruleSets   // one set per image: the rules that count it
	order     []pushKey  // the images from the newest; empty if no rule counts
}

// A decision names the rule that settles the verdict of an image, which is the
// first one that matches it.
type decision struct {
	rule int32 // index into evaluation.rules, or noRule
	rank int32 // place of the image among those the rule matches, if it counts
}

const noRule = -1

// newEvaluation matches the images. They have yet to be counted.
func newEvaluation(policy lifecycle.Policy, images []Image, now time.Time) *evaluation {
	e := &evaluation{
		rules:     applyRules(policy, At(now)),
		images:    images,
		now:       At(now),
		decisions: make([]decision, len(images)),
		counted:   makeRuleSets(len(images), len(policy.Rules)),
	}
	for i := range images {
		e.match(i)
	}
	if slices.ContainsFunc(e.rules, func(r appliedRule) bool { return r.counts }) {
		e.order = newestFirst(images)
	}
	return e
}

// match shows an image to the rules. Once a rule has matched it, only those
// that count need to see it.
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
			e.counted.add(i, r)
		}
	}
}

// count adds the next image, which is older than all before it, to the counts
// of the rules. The count of a rule that matches the image is then its rank.
func (e *evaluation) count(i int32) {
	e.counted.each(int(i), func(r int) { e.rules[r].matched++ })
	if d := &e.decisions[i]; d.rule != noRule {
		d.rank = int32(e.rules[d.rule].matched)
	}
}

// verdict puts the decision about an image into a verdict. It needs the final
// counts.
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
