package lifecycle

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// maxRules is ECR's quota of rules per policy:
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
const maxRules = 50

// maxInt is the greatest rulePriority and countNumber. AWS documents no maximum.
const maxInt = 1<<31 - 1

// minArchiveDays is the least countNumber of sinceImageTransitioned:
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/archive-image.html
const minArchiveDays = 90

// A draft is a rule as far as it could be read, with the values that later checks need.
// A field that could not be read is zero, which is a valid value of Description only.
type draft struct {
	RulePriority int
	Description  string
	Selection
	Action

	dialect     Dialect
	priority    *jsondoc.Value
	selection   *jsondoc.Value
	tagStatus   *jsondoc.Value
	countNumber *jsondoc.Value
	// tagList is the value by which the rule is compared with others: the list, or the tag
	// status of a tagged rule without a list, or the excluded patterns of a rule for any
	// image. It is nil for other rules and for a rule with several lists.
	tagList   *jsondoc.Value
	listless  bool // the rule has no list and needs none
	excluding bool // the rule has tagExcludePatternList, valid or not
}

// foreignKeys are keys of documents that people confuse with a policy.
var foreignKeys = map[string]string{
	"policies": "is a key of a configuration: check one with check --config, or copy a policy of it into a file of its own",
	"lifecyclePolicyText": `holds the policy as text: "aws ecr get-lifecycle-policy" prints that text alone ` +
		"with --query lifecyclePolicyText --output text",
}

func readRules(v *jsondoc.Value, dialect Dialect) []draft {
	o, ok := v.ObjectRefusing(foreignKeys, "rules")
	if !ok {
		return nil
	}
	rules := o.Require("rules")
	items, ok := rules.Array()
	if n := len(items); ok && n == 0 || n > maxRules {
		rules.Problem("must have from 1 to %d rules, has %d", maxRules, n)
	}
	drafts := make([]draft, len(items))
	for i, item := range items {
		drafts[i] = readRule(item, dialect)
	}
	checkAcross(v, drafts)
	return drafts
}

func readRule(v *jsondoc.Value, dialect Dialect) draft {
	d := draft{dialect: dialect}
	o, ok := v.Object("rulePriority", "description", "selection", "action")
	if !ok {
		return d
	}
	d.priority = o.Require("rulePriority")
	d.RulePriority = d.readInt(d.priority, 1)
	d.Description, _ = o.Get("description").String()
	d.selection = o.Require("selection")
	action := o.Require("action")
	// A rule that retains has no count fields, in either dialect.
	d.readSelection(d.selection, peek(action.Member("type")) == string(Retain))
	d.readAction(action)
	d.warnGuard()
	return d
}

func (d *draft) readAction(v *jsondoc.Value) {
	o, ok := v.Object("type", "targetStorageClass")
	if !ok {
		return
	}
	kind, target := o.Require("type"), o.Get("targetStorageClass")
	switch given := peek(kind); {
	case d.dialect == Extended:
		d.Type, _ = jsondoc.OneOf(kind, Expire, Transition, Retain, Untag)
	case given == string(Retain) || given == string(Untag):
		kind.Problem("%q %s", given, isExtension)
	default:
		d.Type, _ = jsondoc.OneOf(kind, Expire, Transition)
	}
	switch {
	case d.Type == "" || d.refuseCombination(kind):
		jsondoc.OneOf(target, ArchiveClass)
	case d.Type == Transition:
		target = o.RequireBecause("targetStorageClass", `"transition" needs "archive"`)
		d.TargetStorageClass, _ = jsondoc.OneOf(target, ArchiveClass)
	default:
		mustBeAbsent(target, fmt.Sprintf("with action type %q", d.Type))
	}
}

// refuseCombination refuses a type of action that the selection does not allow.
func (d *draft) refuseCombination(kind *jsondoc.Value) bool {
	switch {
	case d.CountType == SinceImagePulled && d.Type == Expire && d.dialect == AWS:
		kind.Problem(`"expire" with "sinceImagePulled" %s; for ECR use "transition" with targetStorageClass "archive"`, isExtension)
	case d.CountType == SinceImageTransitioned && d.Type == Transition:
		kind.Problem(`must be "expire" with countType "sinceImageTransitioned", whose images are in the archive already`)
	case d.Type == Untag && d.listless:
		kind.Problem(`"untag" removes the tags that match a list; use tagStatus "tagged" and a list, such as "tagPatternList": ["dev-*"]`)
	default:
		return false
	}
	return true
}

// peek returns the text of a string, and "" for any other value. It records nothing.
func peek(v *jsondoc.Value) string {
	if !v.IsString() {
		return ""
	}
	s, _ := v.String()
	return s
}

func mustBeAbsent(v *jsondoc.Value, where string) {
	switch {
	case v.IsNull():
		v.Problem("is null; leave the key out %s", where)
	case v != nil:
		v.Problem("must be left out %s", where)
	}
}

func (d *draft) warnGuard() {
	if d.IsGuard() && d.CountNumber <= 1000 {
		d.countNumber.Warn("keeps all images that the rule matches only up to %d of them: beyond that the oldest %s; %s", d.CountNumber,
			map[ActionType]string{Expire: "expire", Transition: "are archived"}[d.Type], GuardRemedy)
	}
}

// GuardRemedy says how to replace a guard with too low a number.
const GuardRemedy = "use a number that no repository reaches, such as 1000000000, " +
	`or the action "retain" in a policy of the cleaner's configuration`

// IsGuard reports whether the rule seems to keep all images that it matches: its
// countNumber is one that people write for "never", such as 9999 or 1000. A list that
// requires a tag without * is no guard, because only one image can have that tag.
func (s *Selection) IsGuard() bool {
	digits := strconv.Itoa(s.CountNumber)
	never := strings.Trim(digits, "9") == "" || strings.Trim(digits, "0") == "1"
	return s.TagStatus == Tagged && s.CountType == ImageCountMoreThan && s.CountNumber >= 999 && never && !s.isBounded()
}

// isBounded reports whether every image that the list matches needs a tag without *.
func (s *Selection) isBounded() bool {
	literals := 0
	for _, p := range s.TagPatternList {
		if !strings.Contains(p.String(), "*") {
			literals++
		}
	}
	return literals > 0 && (!s.TagMatchAny || literals == len(s.TagPatternList))
}
