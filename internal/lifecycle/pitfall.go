package lifecycle

import (
	"slices"
	"strconv"
	"strings"
)

// What is legal and does not do what its author most likely means.

// warnShielded warns of the rules that never act, because rules with a lower
// rulePriority match all of their images, and returns them. The policy has no
// fault.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
func warnShielded(drafts []draft) map[*draft]bool {
	shielded := map[*draft]bool{}
	for i := range drafts {
		d := &drafts[i]
		if by := d.shieldedBy(drafts); by != "" {
			shielded[d] = true
			d.selection.Warn("never acts: all of its images are matched first, and so decided about, by %s; "+
				"give this rule a lower rulePriority, or take it out", by)
		}
	}
	return shielded
}

// shieldedBy names the rules with a lower rulePriority match all images of this
// one: a single one, or one that has the tagged and one that has the untagged. It
// returns "" if there are none.
func (d *draft) shieldedBy(drafts []draft) string {
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

// coverOf returns the first rule that has a lower rulePriority than this one and
// covers the selection.
func (d *draft) coverOf(s *Selection, drafts []draft) *draft {
	for i := range drafts {
		if other := &drafts[i]; other.RulePriority < d.RulePriority && other.Covers(s) {
			return other
		}
	}
	return nil
}

// lowGuard is the greatest countNumber that reads like "never" and is soon
// reached.
const lowGuard = 1000

// warnGuard warns of a rule that is there to keep what it matches, and keeps no
// more than a thousand.
func (d *draft) warnGuard() {
	if d.IsGuard() && d.CountNumber <= lowGuard {
		d.countNumber.Warn("keeps all that the rule matches only while there are no more than %d: then the oldest %s; %s", d.CountNumber,
			map[ActionType]string{Expire: "expire", Transition: "are archived"}[d.Type], GuardRemedy)
	}
}

// GuardRemedy says what to use in place of a guard with too low a number.
const GuardRemedy = "use a number that no repository reaches, such as 1000000000, " +
	`or the action "retain" in a policy of the cleaner's configuration`

// IsGuard reports whether the selection looks as if the rule were there to keep
// all that it matches: its countNumber is one that is written for "never", such
// as 9999 or 1000, and it is not bounded anyway. Tags that stand in the list as
// they are can be on one image each.
func (s *Selection) IsGuard() bool {
	digits := strconv.Itoa(s.CountNumber)
	never := strings.Trim(digits, "9") == "" || strings.Trim(digits, "0") == "1"
	return s.TagStatus == Tagged && s.CountType == ImageCountMoreThan && s.CountNumber >= 999 && never && !s.isBounded()
}

func (s *Selection) isBounded() bool {
	literal := func(p TagPattern) bool { return !strings.Contains(p.String(), "*") }
	if s.TagMatchAny {
		return len(s.TagPatternList) > 0 && !slices.ContainsFunc(s.TagPatternList, func(p TagPattern) bool { return !literal(p) })
	}
	return slices.ContainsFunc(s.TagPatternList, literal)
}
