package convert

import (
	"cmp"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

func (r *rule) retains() bool { return r.Action.Type == lifecycle.Retain }

func (r *rule) counts() bool { return r.Selection.CountType == lifecycle.ImageCountMoreThan }

// member returns the value of a member of the selection.
func (r *rule) member(name string) *jsondoc.Value { return r.value.Member("selection").Member(name) }

// refuse records the parts that have no equivalent with any other rules.
func (r *rule) refuse() {
	kind := r.value.Member("action").Member("type")
	switch {
	case r.Action.Type == lifecycle.Untag:
		kind.Problem(`"untag" has no equivalent: ECR removes images, no single tags`)
	case r.Action.Type == lifecycle.Expire && r.Selection.CountType == lifecycle.SinceImagePulled:
		kind.Problem(`"expire" with "sinceImagePulled" has no equivalent: by last pull ECR only archives, ` +
			`with "transition" and targetStorageClass "archive"`)
	case r.retains() && r.Selection.StorageClass == lifecycle.ArchiveClass:
		kind.Problem(`"retain" of archived images has no equivalent: ECR does not count them, and has only ages; ` +
			`"expire" with "sinceImageTransitioned" and a large countNumber keeps them that many days`)
	}
	if r.Selection.KeepNewest > 0 {
		r.member("keepNewest").Problem("has no equivalent: ECR would need two rules, and the first would decide all images of the second; " +
			`use the age alone, or countType "imageCountMoreThan" instead of it`)
	}
}

// plain returns the rule with its list, but without other extensions.
func (r *rule) plain() lifecycle.Rule {
	p := r.Rule
	p.Selection.TagMatchAny, p.Selection.TagExcludePatternList, p.Selection.KeepNewest = false, nil, 0
	if r.retains() {
		p = guard(p)
		p.Description = cmp.Or(p.Description, "Keeps all of them: the number is never reached")
	}
	return p
}

// guard returns a rule that keeps all images that the rule matches.
func guard(r lifecycle.Rule) lifecycle.Rule {
	r.Action = lifecycle.Action{Type: lifecycle.Expire}
	r.Selection.CountType, r.Selection.CountNumber = lifecycle.ImageCountMoreThan, Never
	return r
}

// guards returns the guards for the tags that the i-th rule excludes.
func (c *conversion) guards(i int) []lifecycle.Rule {
	r := &c.rules[i]
	list := r.member("tagExcludePatternList")
	if list != nil && r.counts() {
		list.Problem(`has no equivalent with "imageCountMoreThan", which would count the excluded images; ` +
			"give the rule a list that does not match them, or an age")
		return nil
	}
	items, _ := list.Array()
	if len(items) > maxCompared {
		list.Problem(tooManyRules, len(items), maxRules)
		return nil
	}
	var guards []lifecycle.Rule
	for k, tag := range r.Selection.TagExcludePatternList {
		excluded := lifecycle.Selection{
			TagStatus: lifecycle.Tagged, TagPatternList: []lifecycle.TagPattern{tag}, StorageClass: r.Selection.StorageClass,
		}
		if c.decided(i, &excluded) || !c.keptLater(i, tag, &excluded, items[k]) || r.retains() {
			continue
		}
		if excluded.StorageClass == lifecycle.ArchiveClass {
			items[k].Problem(`has no equivalent for archived images, which no rule of ECR's can keep from a later one`)
			continue
		}
		guards = append(guards, guard(lifecycle.Rule{Description: "Keeps what the rule after it excludes", Selection: excluded}))
	}
	return guards
}

// decided reports whether one earlier rule decides all these images.
func (c *conversion) decided(i int, images *lifecycle.Selection) bool {
	return slices.ContainsFunc(c.rules[:i], func(earlier rule) bool { return earlier.Selection.Covers(images) })
}

// keptLater reports whether the rules after the i-th keep all images with such a tag.
func (c *conversion) keptLater(i int, tag lifecycle.TagPattern, images *lifecycle.Selection, place *jsondoc.Value) bool {
	for _, later := range c.rules[i+1:] {
		s := &later.Selection
		switch {
		case s.StorageClass != images.StorageClass || s.TagStatus == lifecycle.Untagged || s.Excludes(tag):
		case !later.retains():
			place.Problem("has no equivalent: in ECR's grammar the excluded images would be kept from %s too, "+
				"which may match them; put a rule for them above this one", later.value.Path())
			return false
		case s.Covers(images):
			return true
		}
	}
	return true
}
