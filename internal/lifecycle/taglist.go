package lifecycle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// readTagLists reads the list of a tagged rule. With a tag status that cannot
// be read, it still looks for faults inside the lists.
func (d *draft) readTagLists(o jsondoc.Object) {
	patterns, prefixes := o.Get("tagPatternList"), o.Get("tagPrefixList")
	if d.TagStatus == Untagged || d.TagStatus == Any {
		where := fmt.Sprintf("with tagStatus %q", d.TagStatus)
		mustBeAbsent(patterns, where)
		mustBeAbsent(prefixes, where)
		return
	}
	d.checkListCount(o, patterns, prefixes)
	for _, text := range readEntries(patterns, checkPattern) {
		d.TagPatternList = append(d.TagPatternList, TagPattern{wildcard.Compile(text)})
	}
	d.TagPrefixList = readEntries(prefixes, checkPrefix)
}

// checkListCount checks that a tagged rule has one list, and makes it the list
// that is compared with those of other rules. A list that is null is a fault
// already, whether it is one too many or the only one.
func (d *draft) checkListCount(o jsondoc.Object, patterns, prefixes *jsondoc.Value) {
	switch {
	case d.TagStatus != Tagged:
	case patterns == nil && prefixes == nil && !mentionsList(o):
		d.tagStatus.Problem(`"tagged" without tagPatternList or tagPrefixList %s; `+
			`for ECR add a list, such as "tagPatternList": ["*"] for every tagged image`, isExtension)
	case patterns == nil:
		d.tagList = prefixes
	case prefixes == nil:
		d.tagList = patterns
	case !patterns.IsNull() && !prefixes.IsNull():
		prefixes.Problem("must be left out beside tagPatternList; a rule takes one of the two lists")
	}
}

// mentionsList reports whether there is a key that has been refused and that is
// most likely there to be the list.
func mentionsList(o jsondoc.Object) bool {
	return slices.ContainsFunc(o.Names(), func(name string) bool {
		return name == "tagRegexList" || strings.EqualFold(name, "tagPatternList") || strings.EqualFold(name, "tagPrefixList")
	})
}

// readEntries reads a list whose entries check finds no fault with. It returns
// nil if there is any fault in the list.
func readEntries(v *jsondoc.Value, check func(*jsondoc.Value, string)) []string {
	items, ok := v.Array()
	if ok && len(items) == 0 {
		v.Problem("must have at least one entry")
	}
	var entries []string
	seen := map[string]bool{}
	for _, item := range items {
		s, ok := item.String()
		switch {
		case !ok:
			continue
		case seen[s]:
			item.Warn("%s stands in the list already; once is enough", jsondoc.Quote(s))
		default:
			check(item, s)
		}
		seen[s] = true
		entries = append(entries, s)
	}
	if v.Faulty() {
		return nil
	}
	return entries
}

func checkPattern(v *jsondoc.Value, s string) {
	if fault := patternFault(s); fault != "" {
		v.Problem("%s", fault)
	}
	first, _, _ := strings.Cut(s, "*")
	warnUnlessTag(v, first, strings.ReplaceAll(s, "*", ""))
}

func checkPrefix(v *jsondoc.Value, s string) {
	switch {
	case s == "":
		v.Problem(`is empty; for every tagged image use "tagPatternList": ["*"]`)
	case strings.Contains(s, "*"):
		v.Warn("matches no tag: * is an ordinary character in a prefix; use tagPatternList for a pattern")
	default:
		warnUnlessTag(v, s, s)
	}
}

// A tag as the registry API takes it:
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
const (
	tagLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
	maxTag     = 128
)

// warnUnlessTag warns if no tag can begin with first or hold all the literals.
func warnUnlessTag(v *jsondoc.Value, first, literals string) {
	if strings.Trim(literals, tagLetters) != "" || strings.IndexAny(first, ".-") == 0 || len(literals) > maxTag {
		v.Warn("matches no tag: a tag has up to %d letters, digits, _, . and -, and begins with none of . and -", maxTag)
	}
}
