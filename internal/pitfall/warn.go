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

// Warn records the warnings in the document of the policy, whose value is v. Known are
// the problems of [lifecycle.Parse]: Warn does not repeat that a rule never acts.
func (s *Survey) Warn(v *jsondoc.Value, known jsondoc.Problems) {
	items, _ := v.Member("rules").Array()
	for i := range s.rules {
		selection := items[i].Member("selection")
		warned := slices.ContainsFunc(known, func(p jsondoc.Problem) bool { return p.Path == selection.Path() })
		if listWarned := s.rules[i].warnOfList(selection); !listWarned && !warned {
			s.warnUnmatched(i, selection)
		}
		s.rules[i].warnOfTags(selection)
		s.rules[i].warnOfCount(selection)
		if !warned {
			s.warnInactive(i, items)
		}
	}
}

// list returns the list of tags, of whichever kind.
func list(selection *jsondoc.Value) *jsondoc.Value {
	return cmp.Or(selection.Member("tagPatternList"), selection.Member("tagPrefixList"), selection.Member("tagRegexList"))
}

// warnOfList warns of a list if no image has a tag for each of its entries, and reports
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

// warnUnmatched warns of a rule that matches none of the images of its storage class.
func (s *Survey) warnUnmatched(i int, selection *jsondoc.Value) {
	r := &s.rules[i]
	if r.matched > 0 || !s.listed[r.Selection.StorageClass] {
		return
	}
	selection.Warn("matches none of these images%s; correct the rule or remove it, unless it is for images that are still to be pushed", s.whyUnmatched(r))
}

// whyUnmatched says why the rule matches no image.
func (s *Survey) whyUnmatched(r *rule) string {
	switch {
	case r.Selection.TagStatus == lifecycle.Untagged:
		return ": all of them have tags"
	case r.Selection.TagStatus == lifecycle.Tagged && !r.tagged:
		return `: none of them has a tag; tagStatus "untagged" matches them`
	case len(r.entries) == 0:
		return ": tagExcludePatternList excepts all of them"
	}
	var texts []string
	for _, e := range r.entries {
		switch {
		case e.excepted > 0:
			return fmt.Sprintf(": tagExcludePatternList excepts %s for %s", count(e.excepted, "that has a tag", "that have a tag"), jsondoc.Quote(e.text))
		case len(e.otherCase) > 0:
			return fmt.Sprintf(": no tag matches %s; %s", jsondoc.Quote(e.text), matching(e.otherCase))
		}
		texts = append(texts, jsondoc.Quote(e.text))
	}
	return ": no tag matches " + strings.Join(texts, " or ") + s.similar(r.entries)
}

// warnOfTags warns of entries that match more tags than they seem to be for.
func (r *rule) warnOfTags(selection *jsondoc.Value) {
	for i, e := range r.entries {
		items, _ := list(selection).Array()
		switch {
		case e.longer != "":
			items[i].Warn("matches %s%s too; add the character after the number, as in %s, or use the pattern %s, which matches that tag only",
				jsondoc.Quote(e.longer), in(e.where), jsondoc.Quote(e.prefix+"."+strings.TrimPrefix(e.text, e.prefix)), jsondoc.Quote(e.prefix))
		case e.guarded != "":
			items[i].Warn("does not guard the tag %s%s: it matches %s too, and the rule keeps only the newest %d of them; "+
				"use tagPatternList, where %s matches that tag only",
				jsondoc.Quote(e.prefix), in(e.where), jsondoc.Quote(e.guarded), r.Selection.CountNumber, jsondoc.Quote(e.prefix))
		}
	}
}

// warnOfCount warns of a guard whose number is half reached.
func (r *rule) warnOfCount(selection *jsondoc.Value) {
	if r.Selection.IsGuard() && r.most >= r.Selection.CountNumber/2 {
		selection.Member("countNumber").Warn("is too low to keep everything: the rule matches %s%s, and beyond %d it acts on the oldest; %s",
			count(r.most, "", ""), in(r.where), r.Selection.CountNumber, lifecycle.GuardRemedy)
	}
}

// warnInactive warns of a rule that matches images but decides none.
func (s *Survey) warnInactive(i int, items []*jsondoc.Value) {
	r := &s.rules[i]
	if r.matched == 0 || r.decidedBy[i] > 0 {
		return
	}
	var by []string
	for _, k := range slices.Sorted(maps.Keys(r.decidedBy)) {
		by = append(by, items[k].Path())
	}
	items[i].Member("selection").Warn("acts on none of these images: %s already decided by %s; "+
		"give it a lower rulePriority to let it act", count(r.matched, "it matches is", "it matches are"), strings.Join(by, ", "))
}

// count returns a number of images in words, followed by a text for one or for many.
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
