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
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// A Survey collects facts about one policy from the images of repositories.
type Survey struct {
	rules  []rule // in the order of the policy
	order  []int  // the indexes of the rules by ascending rulePriority
	listed map[lifecycle.StorageClass]bool
}

// A rule is a rule of the policy with the counts of its images.
type rule struct {
	*lifecycle.Rule
	matched   int         // images that the rule matches
	decidedBy map[int]int // the same images by the rule that decides them
	most      int         // the greatest number of matched images in one repository
	where     string      // the name of that repository
	entries   []entry     // of the list
}

// NewSurvey returns a survey for the policy, which must come from [lifecycle.Parse].
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

// Add adds all images of a repository. The name may be empty.
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

// An entry is one entry of a tag list, with counts and examples from the images.
type entry struct {
	text    string
	alone   lifecycle.Selection // the selection with no other entry
	matched int                 // images that have a tag for the entry
	// number is a prefix such as v1, or the v1 of a pattern v1*, otherwise empty. longer is
	// a tag that continues it with a digit, where the repository of that tag.
	number, longer, where string
	// inAnyCase reports whether the entry matches the tag if case is ignored. It is nil for
	// an expression. otherCase is such a tag, if no image has a tag that matches.
	inAnyCase func(tag string) bool
	otherCase string
}

func entriesOf(s *lifecycle.Selection) []entry {
	var entries []entry
	add := func(text, number string, alone lifecycle.Selection, inAnyCase func(string) bool) {
		alone.TagStatus, alone.TagExcludePatternList = s.TagStatus, s.TagExcludePatternList
		if !lifecycle.EndsInNumber(number) {
			number = ""
		}
		entries = append(entries, entry{text: text, number: number, alone: alone, inAnyCase: inAnyCase})
	}
	for _, p := range s.TagPatternList {
		number, open := strings.CutSuffix(p.String(), "*")
		if !open {
			number = ""
		}
		folded := wildcard.Compile(strings.ToLower(p.String()))
		add(p.String(), number, lifecycle.Selection{TagPatternList: []lifecycle.TagPattern{p}},
			func(tag string) bool { return folded.Match(strings.ToLower(tag)) })
	}
	for _, prefix := range s.TagPrefixList {
		add(prefix, prefix, lifecycle.Selection{TagPrefixList: []string{prefix}},
			func(tag string) bool { return strings.HasPrefix(strings.ToLower(tag), strings.ToLower(prefix)) })
	}
	for _, x := range s.TagRegexList {
		add(x.String(), "", lifecycle.Selection{TagRegexList: []lifecycle.TagRegex{x}}, nil)
	}
	return entries
}

func (e *entry) add(repository string, tags []string) {
	if !e.alone.MatchesTags(tags) {
		if e.matched == 0 && e.otherCase == "" && e.inAnyCase != nil {
			if i := slices.IndexFunc(tags, e.inAnyCase); i >= 0 {
				e.otherCase, e.where = tags[i], repository
			}
		}
		return
	}
	e.matched++
	if e.number == "" || e.longer != "" {
		return
	}
	for _, tag := range tags {
		if rest, ok := strings.CutPrefix(tag, e.number); ok && rest != "" && '0' <= rest[0] && rest[0] <= '9' {
			e.longer, e.where = tag, repository
			return
		}
	}
}
