// Package pitfall compares a policy with the images of repositories, and warns of rules
// that are valid but probably do not do what their author meant. Package lifecycle
// gives the warnings that need no images.
//
// A [Survey] is given the images of one repository after the other. It warns of
//
//   - a list of several entries that matches no image, although some image has a
//     tag for one of them: an image needs a tag for every entry;
//   - any other rule that matches no image, unless it is for archived images and
//     none is listed;
//   - a rule whose images are all matched first by rules with a lower rulePriority;
//   - an entry such as the prefix v1 or the pattern v1* that matches a tag v10;
//   - a rule that keeps all it matches by a large countNumber, and has reached half
//     of it in some repository.
package pitfall

import (
	"cmp"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// A Survey collects facts about one policy from the images of repositories.
type Survey struct {
	// rules are in the order of the policy.
	rules []rule
	// order has the indexes of the rules by ascending rulePriority.
	order []int
	// listed has the storage classes of the images seen so far.
	listed map[lifecycle.StorageClass]bool
}

// A rule is a rule of the policy, with the counts of its images.
type rule struct {
	*lifecycle.Rule
	// matched counts the images that the rule matches.
	matched int
	// decidedBy counts these by the rule that matches them first.
	decidedBy map[int]int
	// most is the greatest number of images matched in one repository, which is
	// where.
	most  int
	where string
	// entries are those of the list.
	entries []entry
}

// NewSurvey returns a survey for the policy, which must come from
// [lifecycle.Parse] and is not modified.
func NewSurvey(policy lifecycle.Policy) *Survey {
	s := &Survey{rules: make([]rule, len(policy.Rules)), order: make([]int, len(policy.Rules)), listed: map[lifecycle.StorageClass]bool{}}
	for i := range policy.Rules {
		r := &policy.Rules[i]
		s.rules[i] = rule{Rule: r, decidedBy: map[int]int{}, entries: entriesOf(&r.Selection)}
		s.order[i] = i
	}
	slices.SortFunc(s.order, func(a, b int) int { return cmp.Compare(s.rules[a].RulePriority, s.rules[b].RulePriority) })
	return s
}

// Add adds the images of a repository, all of them. The repository may have no
// name.
func (s *Survey) Add(repository string, images []evaluator.Image) {
	matched := make([]int, len(s.rules))
	for i := range images {
		s.add(repository, &images[i], matched)
	}
	for i, n := range matched {
		r := &s.rules[i]
		r.matched += n
		if n > r.most {
			r.most, r.where = n, repository
		}
	}
}

func (s *Survey) add(repository string, im *evaluator.Image, matched []int) {
	s.listed[im.StorageClass()] = true
	first := -1
	for _, i := range s.order {
		r := &s.rules[i]
		if r.Selection.StorageClass != im.StorageClass() {
			continue
		}
		for k := range r.entries {
			r.entries[k].add(repository, im.Tags)
		}
		if !r.Selection.MatchesTags(im.Tags) {
			continue
		}
		if first < 0 {
			first = i
		}
		matched[i]++
		r.decidedBy[first]++
	}
}
