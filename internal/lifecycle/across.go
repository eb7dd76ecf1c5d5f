package lifecycle

import (
	"fmt"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// checkAcross compares the rules of the policy with each other, as far as they
// could be read. Where two rules collide, the later one in the document gets the
// problem.
func checkAcross(v *jsondoc.Value, drafts []draft) {
	checkPriorities(drafts)
	checkOnce(drafts, Untagged)
	checkOnce(drafts, Any)
	checkLast(drafts, StandardClass)
	checkLast(drafts, ArchiveClass)
	distinct := checkLists(drafts)
	var shielded map[*draft]bool
	if !v.Faulty() {
		shielded = warnShielded(drafts)
	}
	warnShared(distinct, shielded)
}

func checkPriorities(drafts []draft) {
	first := map[int]*draft{}
	for i := range drafts {
		d := &drafts[i]
		if other, taken := first[d.RulePriority]; taken {
			d.priority.Problem("is %d, as is %s; give each rule its own", d.RulePriority, other.priority.Path())
			d.RulePriority = 0 // whatever it should be, it is not this
		} else if d.RulePriority != 0 {
			first[d.RulePriority] = d
		}
	}
}

// checkOnce checks that each storage class has at most one rule of the tag
// status. A rule that excludes some images leaves them to another.
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

// checkLast checks that no rule of the storage class comes after the one for
// any image. If there are several of these, it is the last of them that counts.
// A rule that excludes some images may come anywhere.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
func checkLast(drafts []draft, class StorageClass) {
	var forAny, other draft
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

// A list is a list of tags as it is compared: the same entries of the same kind
// in the same storage class are the same list, whatever their order, if the
// rules also ask for as many of them and exclude the same.
type list struct {
	class    StorageClass
	status   TagStatus
	kind     string
	matchAny bool
	excludes string // sorted and quoted
	entries  string // sorted and quoted, or a single one
}

// checkLists checks that the lists of each storage class differ, and returns the
// rules whose lists do.
func checkLists(drafts []draft) (distinct []*draft) {
	same := map[list]*draft{}
	for i := range drafts {
		d := &drafts[i]
		kind, entries := d.sortedEntries()
		excludes := sorted(d.TagExcludePatternList)
		if d.tagList == nil || d.StorageClass == "" || entries == nil && !d.listless || excludes == nil && d.excluding {
			continue
		}
		key := list{d.StorageClass, d.TagStatus, kind, d.TagMatchAny, fmt.Sprintf("%q", excludes), fmt.Sprintf("%q", entries)}
		if other, taken := same[key]; taken {
			d.refuseSame(other)
			continue
		}
		same[key] = d
		distinct = append(distinct, d)
	}
	return distinct
}

// warnShared warns where lists overlap, unless that is why a rule is shielded, or
// one of them leaves excluded images to the other. A rule gets one warning at
// most.
func warnShared(drafts []*draft, shielded map[*draft]bool) {
	sharing := map[list]*draft{}
	for _, d := range drafts {
		if !shielded[d] && !d.excluding {
			kind, entries := d.sortedEntries()
			d.shareEntries(sharing, list{class: d.StorageClass, kind: kind}, entries)
		}
	}
}

// refuseSame records that the rule selects the same images as another one. Of
// rules for any image as many are legal as exclude something; one of two is then
// shielded.
func (d *draft) refuseSame(other *draft) {
	switch {
	case d.TagStatus == Any:
	case d.listless:
		d.tagList.Problem(`is "tagged" without a list, as is %s; merge the two rules or give one a list`, other.tagList.Path())
	default:
		d.tagList.Problem("has the same entries as %s; merge the two rules or change one", other.tagList.Path())
	}
}

func (d *draft) shareEntries(sharing map[list]*draft, key list, entries []string) {
	warned := false
	for _, entry := range entries {
		key.entries = entry
		other, taken := sharing[key]
		if !taken {
			sharing[key] = d
		} else if !warned {
			d.tagList.Warn("shares %s with %s; an image that both match is left to the rule with the lower rulePriority",
				jsondoc.Quote(entry), other.tagList.Path())
			warned = true
		}
	}
}

// sortedEntries returns the entries of the tag list, sorted and without
// repeats, and the kind of list.
func (d *draft) sortedEntries() (kind string, entries []string) {
	switch {
	case len(d.TagPatternList) > 0:
		return "patterns", sorted(d.TagPatternList)
	case len(d.TagRegexList) > 0:
		return "expressions", sorted(d.TagRegexList)
	}
	entries = slices.Clone(d.TagPrefixList)
	slices.Sort(entries)
	return "prefixes", slices.Compact(entries)
}

// sorted returns the texts of the entries, sorted and without repeats.
func sorted[E fmt.Stringer](entries []E) []string {
	texts := texts(entries)
	slices.Sort(texts)
	return slices.Compact(texts)
}
