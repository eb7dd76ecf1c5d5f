package lifecycle

import (
	"fmt"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// checkAcross compares the rules with each other, as far as they could be read. Of two
// rules that contradict each other, the later one gets the problem.
func checkAcross(v *jsondoc.Value, drafts []draft) {
	checkPriorities(drafts)
	checkOnce(drafts, Untagged)
	checkOnce(drafts, Any)
	checkLast(drafts, StandardClass)
	checkLast(drafts, ArchiveClass)
	distinct := checkLists(drafts)
	var inactive map[*draft]bool
	if !v.Faulty() {
		inactive = warnInactive(drafts)
	}
	warnShared(distinct, inactive)
}

func checkPriorities(drafts []draft) {
	first := map[int]*draft{}
	for i := range drafts {
		d := &drafts[i]
		if other, taken := first[d.RulePriority]; taken {
			d.priority.Problem("is %d, as is %s; give each rule its own", d.RulePriority, other.priority.Path())
			d.RulePriority = 0 // the right number is not known
		} else if d.RulePriority != 0 {
			first[d.RulePriority] = d
		}
	}
}

// checkOnce checks that each storage class has at most one rule of the tag status.
func checkOnce(drafts []draft, status TagStatus) {
	first := map[StorageClass]*draft{}
	for i := range drafts {
		d := &drafts[i]
		if d.TagStatus != status || d.StorageClass == "" || d.excluding {
			continue
		}
		if other, taken := first[d.StorageClass]; taken {
			d.tagStatus.Problem("is %q, as is %s; a storage class has one such rule at most, keep one", status, other.tagStatus.Path())
		} else {
			first[d.StorageClass] = d
		}
	}
}

// checkLast checks that the rule for any image is the last of its storage class:
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
func checkLast(drafts []draft, class StorageClass) {
	var forAny, other draft // the last of each kind
	for _, d := range drafts {
		isAny := d.TagStatus == Any && !d.excluding
		switch {
		case d.StorageClass != class || d.TagStatus == "":
		case isAny && d.RulePriority > forAny.RulePriority:
			forAny = d
		case !isAny && d.RulePriority > other.RulePriority:
			other = d
		}
	}
	if forAny.priority != nil && forAny.RulePriority < other.RulePriority {
		forAny.priority.Problem("must be above %d, that of %s; a rule with tagStatus \"any\" comes last in its storage class",
			other.RulePriority, other.priority.Path())
	}
}

// checkLists checks that no two rules of a storage class have the same list, and returns
// the rules that do not repeat the list of an earlier one.
func checkLists(drafts []draft) (distinct []*draft) {
	same := map[string]*draft{}
	for i := range drafts {
		d := &drafts[i]
		kind, entries := d.sortedEntries()
		excludes := sorted(Texts(d.TagExcludePatternList))
		if d.tagList == nil || d.StorageClass == "" || entries == nil && !d.listless || excludes == nil && d.excluding {
			continue
		}
		key := fmt.Sprintf("%s %s %s %t %q %q", d.StorageClass, d.TagStatus, kind, d.TagMatchAny, excludes, entries)
		if other, taken := same[key]; taken {
			d.refuseSame(other)
			continue
		}
		same[key] = d
		distinct = append(distinct, d)
	}
	return distinct
}

// refuseSame records that both rules select the same images. Two rules for any image
// that exclude the same tags are valid: the second never acts.
func (d *draft) refuseSame(other *draft) {
	switch {
	case d.TagStatus == Any:
	case d.listless:
		d.tagList.Problem(`is "tagged" without a list, as is %s; merge the two rules or give one a list`, other.tagList.Path())
	default:
		d.tagList.Problem("has the same entries as %s; merge the two rules or change one", other.tagList.Path())
	}
}

// warnShared warns of lists of the same kind that share an entry, once per rule.
func warnShared(drafts []*draft, inactive map[*draft]bool) {
	first := map[string]*draft{}
	for _, d := range drafts {
		if inactive[d] || d.excluding {
			continue
		}
		warned := false
		kind, entries := d.sortedEntries()
		for _, entry := range entries {
			key := string(d.StorageClass) + " " + kind + " " + entry
			other, taken := first[key]
			if !taken {
				first[key] = d
			} else if !warned {
				d.tagList.Warn("shares %s with %s; the rule with the lower rulePriority decides the images that both match",
					jsondoc.Quote(entry), other.tagList.Path())
				warned = true
			}
		}
	}
}

// sortedEntries returns the kind of the list and its entries, sorted and without repeats.
func (d *draft) sortedEntries() (kind string, entries []string) {
	switch {
	case len(d.TagPrefixList) > 0:
		kind = "prefixes"
	case len(d.TagRegexList) > 0:
		kind = "expressions"
	}
	return kind, sorted(d.Entries())
}

func sorted(texts []string) []string {
	slices.Sort(texts)
	return slices.Compact(texts)
}

// warnInactive warns of the rules that never act, and returns them. The policy must have no
// fault.
func warnInactive(drafts []draft) map[*draft]bool {
	inactive := map[*draft]bool{}
	for i := range drafts {
		d := &drafts[i]
		if by := d.decidedBy(drafts); by != "" {
			inactive[d] = true
			d.selection.Warn("never acts: all of its images are already decided by %s; "+
				"give this rule a lower rulePriority, or remove it", by)
		}
	}
	return inactive
}

// decidedBy names the rule that matches all images of this one first, or the two rules of
// which one matches all tagged and one all untagged images. It returns "" for none.
func (d *draft) decidedBy(drafts []draft) string {
	if by := d.coverOf(&d.Selection, drafts); by != nil {
		return by.selection.Path()
	}
	if d.TagStatus != Any {
		return ""
	}
	tagged, untagged := d.Selection, d.Selection
	tagged.TagStatus, untagged.TagStatus = Tagged, Untagged
	byTagged, byUntagged := d.coverOf(&tagged, drafts), d.coverOf(&untagged, drafts)
	if byTagged == nil || byUntagged == nil {
		return ""
	}
	return byTagged.selection.Path() + " and " + byUntagged.selection.Path()
}

// coverOf returns the first rule with a lower rulePriority that covers s, or nil.
func (d *draft) coverOf(s *Selection, drafts []draft) *draft {
	for i := range drafts {
		if other := &drafts[i]; other.RulePriority < d.RulePriority && other.Covers(s) {
			return other
		}
	}
	return nil
}
