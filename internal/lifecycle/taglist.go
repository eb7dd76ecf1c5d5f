package lifecycle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// readTagLists reads the list of a tagged rule. With a tag status that cannot
// be read, it still looks for faults inside the lists.
func (d *draft) readTagLists(o jsondoc.Object) {
	lists := listKeys[d.dialect]
	if d.TagStatus == Untagged || d.TagStatus == Any {
		d.listless = true
		for _, key := range lists {
			mustBeAbsent(o.Get(key), fmt.Sprintf("with tagStatus %q", d.TagStatus))
		}
		return
	}
	if d.TagStatus == Tagged {
		d.checkListCount(o, lists)
	}
	d.TagPatternList = readPatterns(o.Get("tagPatternList"))
	d.TagPrefixList = readEntries(o.Get("tagPrefixList"), checkPrefix)
	if d.dialect == Extended {
		d.TagRegexList = readRegexes(o.Get("tagRegexList"))
	}
}

// listKeys are the lists of which a tagged rule has one at most.
var listKeys = [...][]string{
	AWS:      {"tagPatternList", "tagPrefixList"},
	Extended: {"tagPatternList", "tagPrefixList", "tagRegexList"},
}

// checkListCount checks that a tagged rule has no more than one list, and makes
// it what is compared with other rules. A list that is null is a fault already,
// whether it is one too many or the only one.
func (d *draft) checkListCount(o jsondoc.Object, keys []string) {
	var given, other []string // other is without null
	for _, key := range keys {
		if v := o.Get(key); v != nil {
			given = append(given, key)
			if !v.IsNull() {
				other = append(other, key)
			}
		}
	}
	switch {
	case len(given) == 1:
		d.tagList = o.Get(given[0])
	case len(given) == 0 && !mentionsList(o):
		d.readNoList()
	case len(other) > 1:
		for _, key := range other[1:] {
			o.Get(key).Problem("must be left out beside %s; a rule takes one list", other[0])
		}
	}
}

func (d *draft) readNoList() {
	if d.dialect == AWS {
		d.tagStatus.Problem(`"tagged" without tagPatternList or tagPrefixList %s; `+
			`for ECR add a list, such as "tagPatternList": ["*"] for every tagged image`, isExtension)
		return
	}
	d.listless, d.tagList = true, d.tagStatus
}

// mentionsList reports whether there is a key that has been refused and that is
// most likely there to be the list.
func mentionsList(o jsondoc.Object) bool {
	return slices.ContainsFunc(o.Names(), func(name string) bool {
		return slices.ContainsFunc(listKeys[Extended], func(key string) bool { return strings.EqualFold(name, key) })
	})
}

// The values of tagMatch.
const (
	matchAll = "all"
	matchAny = "any"
)

func (d *draft) readTagMatch(o jsondoc.Object) {
	v := o.Get("tagMatch")
	if d.listless {
		mustBeAbsent(v, "without a list of tags")
		return
	}
	match, _ := v.OneOf(matchAll, matchAny)
	d.TagMatchAny = match == matchAny
}

func (d *draft) readExcludes(o jsondoc.Object) {
	v := o.Get("tagExcludePatternList")
	if d.TagStatus == Untagged {
		mustBeAbsent(v, `with tagStatus "untagged"; an untagged image has no tag to exclude`)
		return
	}
	d.TagExcludePatternList = readPatterns(v)
	d.excluding = v != nil
	if d.TagStatus == Any {
		d.tagList = v
	}
}
