package lifecycle

import (
	"regexp"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// readList reads a list of tags. It returns nil if the list has a fault.
func readList[E any](v *jsondoc.Value, parse func(item *jsondoc.Value, text string) E) []E {
	items, ok := v.Array()
	if ok && len(items) == 0 {
		v.Problem("must have at least one entry")
	}
	var entries []E
	parsed := map[string]E{}
	for _, item := range items {
		text, ok := item.String()
		if !ok {
			continue
		}
		entry, repeated := parsed[text]
		if repeated {
			item.Warn("%s is in the list already; once is enough", jsondoc.Quote(text))
		} else {
			entry = parse(item, text)
		}
		parsed[text] = entry
		entries = append(entries, entry)
	}
	if v.Faulty() {
		return nil
	}
	return entries
}

func parsePattern(item *jsondoc.Value, text string) TagPattern {
	pattern, err := ParseTagPattern(text)
	if err != nil {
		item.Problem("%s", err)
	}
	first, _, _ := strings.Cut(text, "*")
	warnUnlessTag(item, first, strings.ReplaceAll(text, "*", ""))
	return pattern
}

func parsePrefix(item *jsondoc.Value, text string) string {
	switch {
	case text == "":
		item.Problem(`is empty; for every tagged image use "tagPatternList": ["*"]`)
	case strings.Contains(text, "*"):
		item.Warn("matches no tag: * is an ordinary character in a prefix; use tagPatternList for a pattern")
	case !warnUnlessTag(item, text, text) && EndsInNumber(text):
		item.Warn("matches %s too; add the character after the number, as in %s, or use tagPatternList, where %s matches that tag only",
			jsondoc.Quote(text+"0"), jsondoc.Quote(text+"."), jsondoc.Quote(text))
	}
	return text
}

func parseRegex(item *jsondoc.Value, text string) TagRegex {
	x, err := ParseTagRegex(text)
	if err != nil {
		item.Problem("%s", err)
	}
	return x
}

var endsInNumber = regexp.MustCompile(`[^0-9][0-9]{1,2}$`)

// EndsInNumber reports whether the prefix ends in a number of one or two digits, such as
// v1, which also matches v10. Years and bare digits do not count.
func EndsInNumber(prefix string) bool { return endsInNumber.MatchString(prefix) }

// The tags that the registry API accepts:
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
const (
	tagLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
	maxTag     = 128
)

// warnUnlessTag warns if no tag can begin with first and contain the literals.
func warnUnlessTag(v *jsondoc.Value, first, literals string) bool {
	if strings.Trim(literals, tagLetters) == "" && strings.IndexAny(first, ".-") != 0 && len(literals) <= maxTag {
		return false
	}
	hint := ""
	if strings.Contains(literals, "(?") {
		hint = "; a regular expression belongs in tagRegexList of a policy of the cleaner's configuration; to except tags, list them in tagExcludePatternList there"
	}
	v.Warn("matches no tag: a tag has up to %d letters, digits, _, . and -, and does not begin with . or -%s", maxTag, hint)
	return true
}
