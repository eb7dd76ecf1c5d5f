// Package pitfall compares a policy with the images of repositories, and warns of valid
// rules that are probably mistakes. Package lifecycle gives the warnings that need no
// images.
//
// A [Survey] takes the images of one repository after the other. docs/policies.md lists the
// warnings.
package pitfall

import (
	"cmp"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// A Survey collects facts about one policy from the images of repositories.
type Survey struct {
	rules  []rule // in the order of the policy
	order  []int  // the indexes of the rules by ascending rulePriority
	listed map[lifecycle.StorageClass]bool
	forms  map[string]int // the tags of all images by their form
}

// A rule is a rule of the policy with the counts of its images.
type rule struct {
	*lifecycle.Rule
	matched   int         // images that the rule matches
	tagged    bool        // an image of the storage class has a tag
	decidedBy map[int]int // the same images by the rule that decides them
	most      int         // the greatest number of matched images in one repository
	where     string      // the name of that repository
	entries   []entry     // of the list
}

// NewSurvey returns a survey for the policy, which must come from [lifecycle.Parse].
func NewSurvey(policy lifecycle.Policy) *Survey {
	s := &Survey{
		rules: make([]rule, len(policy.Rules)), order: make([]int, len(policy.Rules)),
		listed: map[lifecycle.StorageClass]bool{}, forms: map[string]int{},
	}
	for i := range policy.Rules {
		r := &policy.Rules[i]
		s.rules[i] = rule{Rule: r, decidedBy: map[int]int{}, entries: entriesOf(&r.Selection)}
		s.order[i] = i
	}
	slices.SortFunc(s.order, func(a, b int) int { return cmp.Compare(s.rules[a].RulePriority, s.rules[b].RulePriority) })
	return s
}

// Add adds all images of a repository. The name may be empty.
func (s *Survey) Add(repository string, images []evaluator.Image) {
	matched := make([]int, len(s.rules))
	for i := range images {
		s.add(repository, &images[i], matched)
	}
	for i, n := range matched {
		r := &s.rules[i]
		s.findGuarded(i, repository, images)
		r.matched += n
		if n > r.most {
			r.most, r.where = n, repository
		}
	}
}

func (s *Survey) add(repository string, im *evaluator.Image, matched []int) {
	s.listed[im.StorageClass()] = true
	for _, tag := range im.Tags {
		if f := form(tag); f != "" {
			s.forms[f]++
		}
	}
	first := -1
	for _, i := range s.order {
		r := &s.rules[i]
		if r.Selection.StorageClass != im.StorageClass() {
			continue
		}
		r.tagged = r.tagged || len(im.Tags) > 0
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
