package convert

import (
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// guards returns the rules that keep from the i-th rule the images with tags
// that it excludes.
func (c *conversion) guards(i int) []lifecycle.Rule {
	r := &c.rules[i]
	list := r.member("tagExcludePatternList")
	if list != nil && r.counts() {
		list.Problem(`has no equivalent with "imageCountMoreThan", where the excluded images would take places; ` +
			"give the rule a list that does not match them, or an age")
		return nil
	}
	items, _ := list.Array()
	if len(items) > maxCompared {
		list.Problem("has no equivalent: it makes %d rules, and a policy of ECR's has at most %d", len(items), maxRules)
		return nil
	}
	var guards []lifecycle.Rule
	for k, tag := range r.Selection.TagExcludePatternList {
		excluded := lifecycle.Selection{
			TagStatus: lifecycle.Tagged, TagPatternList: []lifecycle.TagPattern{tag}, StorageClass: r.Selection.StorageClass,
		}
		if c.decided(i, &excluded) || !c.unclaimed(i, tag, &excluded, items[k]) || r.retains() {
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

// decided reports whether an earlier rule decides about all these images.
func (c *conversion) decided(i int, images *lifecycle.Selection) bool {
	for _, earlier := range c.rules[:i] {
		if earlier.Selection.Covers(images) {
			return true
		}
	}
	return false
}

// unclaimed reports whether all images with such a tag are kept, as far as the
// rules after the i-th are concerned. Otherwise it records a problem.
func (c *conversion) unclaimed(i int, tag lifecycle.TagPattern, images *lifecycle.Selection, place *jsondoc.Value) bool {
	for _, later := range c.rules[i+1:] {
		s := &later.Selection
		switch {
		case s.StorageClass != images.StorageClass || s.TagStatus == lifecycle.Untagged || s.Excludes(tag):
		case !later.retains():
			place.Problem("has no equivalent: in ECR's grammar the excluded images would be shielded from %s too, "+
				"which may match them; give them a rule of their own above this one", later.value.Path())
			return false
		case s.Covers(images):
			return true
		}
	}
	return true
}
