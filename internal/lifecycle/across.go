package lifecycle

import (
	"fmt"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// checkAcross compares the rules with each other, as far as they could be read.
// Where two rules collide, the later one in the document gets the problem.
func checkAcross(drafts []draft) {
	checkPriorities(drafts)
	checkOnce(drafts, Untagged)
	checkOnce(drafts, Any)
	checkLast(drafts, StandardClass)
	checkLast(drafts, ArchiveClass)
	checkLists(drafts)
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
// status.
func checkOnce(drafts []draft, status TagStatus) {
	first := map[StorageClass]*draft{}
	for i := range drafts {
		d := &drafts[i]
		if d.TagStatus != status || d.StorageClass == "" {
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
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
func checkLast(drafts []draft, class StorageClass) {
	var forAny, other draft
	for _, d := range drafts {
		switch {
		case d.StorageClass != class || d.TagStatus == "":
		case d.TagStatus == Any && d.RulePriority > forAny.RulePriority:
			forAny = d
		case d.TagStatus != Any && d.RulePriority > other.RulePriority:
			other = d
		}
	}
	if forAny.priority != nil && forAny.RulePriority < other.RulePriority {
		forAny.priority.Problem("must be above %d, that of %s; a rule with tagStatus \"any\" comes last in its storage class",
			other.RulePriority, other.priority.Path())
	}
}

// A list is a list of tags as it is compared: the same entries of the same kind
// in the same storage class are the same list, whatever their order.
type list struct {
	class    StorageClass
	patterns bool
	entries  string // sorted and quoted, or a single one
}

// checkLists checks that the lists of each storage class differ, and warns where
// they overlap. A rule gets one problem at most.
func checkLists(drafts []draft) {
	same, sharing := map[list]*draft{}, map[list]*draft{}
	for i := range drafts {
		d := &drafts[i]
		entries := d.entries()
		if d.tagList == nil || d.StorageClass == "" || len(entries) == 0 {
			continue
		}
		key := list{d.StorageClass, len(d.TagPatternList) > 0, fmt.Sprintf("%q", entries)}
		if other, taken := same[key]; taken {
			d.tagList.Problem("has the same entries as %s; merge the two rules or change one", other.tagList.Path())
			continue
		}
		same[key] = d
		d.shareEntries(sharing, key, entries)
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

// entries returns the entries of the tag list, sorted and without repeats.
func (d *draft) entries() []string {
	entries := slices.Clone(d.TagPrefixList)
	for _, p := range d.TagPatternList {
		entries = append(entries, p.String())
	}
	slices.Sort(entries)
	return slices.Compact(entries)
}
