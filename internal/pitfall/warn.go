package pitfall

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// Warn records what came to light as warnings in the document of the policy,
// whose value is v. Known are the warnings that there are already: a rule that
// can never act is not said again not to.
func (s *Survey) Warn(v *jsondoc.Value, known jsondoc.Problems) {
	items, _ := v.Member("rules").Array()
	for i := range s.rules {
		selection := items[i].Member("selection")
		warned := slices.ContainsFunc(known, func(p jsondoc.Problem) bool { return p.Path == selection.Path() })
		if listWarned := s.rules[i].warnOfList(selection); !listWarned && !warned {
			s.warnUnmatched(i, selection)
		}
		s.rules[i].warnOfNumbers(selection)
		s.rules[i].warnOfCount(selection)
		if !warned {
			s.warnShielded(i, items)
		}
	}
}

// list returns the list of tags, of whatever kind it is.
func list(selection *jsondoc.Value) *jsondoc.Value {
	return cmp.Or(selection.Member("tagPatternList"), selection.Member("tagPrefixList"), selection.Member("tagRegexList"))
}

// warnOfList warns of a list if no image matches all its entries together, and reports
// whether it warned.
func (r *rule) warnOfList(selection *jsondoc.Value) (warned bool) {
	if r.matched > 0 || r.Selection.TagMatchAny || len(r.entries) < 2 {
		return false
	}
	most := slices.MaxFunc(r.entries, func(a, b entry) int { return a.matched - b.matched })
	if most.matched == 0 {
		return false
	}
	list(selection).Warn("matches no image, though %s for %s: an image needs a tag for every entry; "+
		`give each entry a rule of its own, or use "tagMatch": "any" in a policy of the cleaner's configuration`,
		count(most.matched, "has a tag", "have a tag"), jsondoc.Quote(most.text))
	return true
}

// warnUnmatched warns of the i-th rule if it matches none of the images of its
// storage class.
func (s *Survey) warnUnmatched(i int, selection *jsondoc.Value) {
	r := &s.rules[i]
	if r.matched > 0 || !s.listed[r.Selection.StorageClass] {
		return
	}
	selection.Warn("matches none of these images%s; correct the rule or remove it, unless it is for images that are still to be pushed", r.whyUnmatched())
}

// whyUnmatched says why the rule matches no image, as far as that is known.
func (r *rule) whyUnmatched() string {
	var texts []string
	for _, e := range r.entries {
		if e.otherCase != "" {
			return fmt.Sprintf(": no tag matches %s; the tag %s%s differs only in case", jsondoc.Quote(e.text), jsondoc.Quote(e.otherCase), in(e.where))
		}
		texts = append(texts, jsondoc.Quote(e.text))
	}
	switch {
	case len(texts) > 0:
		return ": no tag matches " + strings.Join(texts, " or ")
	case r.Selection.TagStatus == lifecycle.Untagged:
		return ": all of them have tags"
	}
	return ""
}

// warnOfNumbers warns of entries that match more numbers than they name.
func (r *rule) warnOfNumbers(selection *jsondoc.Value) {
	for i, e := range r.entries {
		if e.longer != "" {
			items, _ := list(selection).Array()
			items[i].Warn("matches %s%s too; add what follows the number, as in %s, or use the pattern %s for that tag alone",
				jsondoc.Quote(e.longer), in(e.where), jsondoc.Quote(e.number+"."+strings.TrimPrefix(e.text, e.number)), jsondoc.Quote(e.number))
		}
	}
}

// warnOfCount warns of a guard that is on its way to be none.
func (r *rule) warnOfCount(selection *jsondoc.Value) {
	if r.Selection.IsGuard() && r.most >= r.Selection.CountNumber/2 {
		selection.Member("countNumber").Warn("is not far enough away to keep everything: the rule matches %s%s, and beyond %d the oldest go; %s",
			count(r.most, "", ""), in(r.where), r.Selection.CountNumber, lifecycle.GuardRemedy)
	}
}

// warnShielded warns of the i-th rule if none of its images is left to it.
func (s *Survey) warnShielded(i int, items []*jsondoc.Value) {
	r := &s.rules[i]
	if r.matched == 0 || r.decidedBy[i] > 0 {
		return
	}
	var by []string
	for _, k := range slices.Sorted(maps.Keys(r.decidedBy)) {
		by = append(by, items[k].Path())
	}
	items[i].Member("selection").Warn("acts on none of these images: %s first, and so decided about, by %s; "+
		"if it shall act, give it a lower rulePriority", count(r.matched, "it matches is matched", "it matches are matched"), strings.Join(by, ", "))
}

// count counts images in words.
func count(n int, one, many string) string {
	if n == 1 {
		return strings.TrimSuffix("1 image "+one, " ")
	}
	return strings.TrimSuffix(fmt.Sprintf("%d images %s", n, many), " ")
}

func in(repository string) string {
	if repository == "" {
		return ""
	}
	return " in " + jsondoc.Quote(repository)
}
