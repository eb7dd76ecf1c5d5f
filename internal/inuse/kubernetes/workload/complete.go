package workload

import (
	"encoding/json"
	"slices"
	"strings"
)

// A setting is a key and its value, somewhere in an object or a text.
type setting struct {
	key   string // in lower case; in YAML with the keys above it, as in image.repository
	value string // empty if it is not known, or no text or number
}

// complete adds the repositories that are alone in a value, with the tags in the settings.
// Of very many repositories, any tag can be meant.
func (f *finder) complete(settings []setting) {
	most := 100
	for _, s := range settings {
		base, ok := f.base(s.value)
		if !ok || !base.repository || base.suffix != "" {
			continue
		}
		if most--; most >= 0 {
			f.completeBase(s.key, base, settings)
		} else {
			f.add(base, nil, true)
		}
	}
}

// completeBase adds the base with the tags that belong to its key. They have keys that begin
// as it does, such as image.tag or WORKER_TAG. If there are only others, any tag can be meant.
func (f *finder) completeBase(key string, base place, settings []setting) {
	isRepository := strings.HasSuffix(key, "repository")
	var tags []setting
	for _, s := range settings {
		last := s.key[strings.LastIndexAny(s.key, separators)+1:]
		switch {
		case last == "apiversion":
		case isRepository && slices.ContainsFunc(tagMembers, func(name string) bool { return strings.EqualFold(name, last) }),
			!isRepository && (strings.HasSuffix(last, "tag") || strings.HasSuffix(last, "version") || strings.HasSuffix(last, "digest")):
			tags = append(tags, s)
		}
	}
	if len(tags) > 0 || isRepository {
		f.add(base, matching(key, tags), true)
	}
}

// separators are between the words of a key.
const separators = "._-"

// matching returns the values of the tags whose keys have the longest common beginning with
// the key. It returns none if that ends before the last word of the key, or if there are many.
func matching(key string, tags []setting) (values []string) {
	const most = 20
	longest := strings.LastIndexAny(key, separators) + 1
	for _, tag := range tags {
		n := 0
		for n < min(len(key), len(tag.key)) && key[n] == tag.key[n] {
			n++
		}
		if n > longest {
			longest, values = n, nil
		}
		if n == longest && len(values) <= most && !slices.Contains(values, tag.value) {
			values = append(values, tag.value)
		}
	}
	if len(values) > most || slices.Contains(values, "") {
		return nil
	}
	return values
}

// itemSettings returns the settings in a list: the items with a name and a value, such as
// environment variables or parameters, and the texts, such as arguments.
func itemSettings(items []any) (settings []setting) {
	var texts []string
	for _, item := range items {
		text, _ := item.(string)
		object, _ := item.(map[string]any)
		name, _ := object["name"].(string)
		value, isText := object["value"].(string)
		if !isText {
			value, _ = object["default"].(string)
		}
		texts = append(texts, text)
		settings = append(settings, setting{strings.ToLower(name), value})
	}
	return append(settings, textSettings(strings.Join(texts, " "))...)
}

func memberSettings(object map[string]any) (settings []setting) {
	for key, value := range object {
		text, _ := value.(string)
		number, _ := value.(json.Number)
		settings = append(settings, setting{strings.ToLower(key), text + number.String()})
	}
	return settings
}

// textSettings returns the settings in a text, such as YAML, a script or arguments. They are
// KEY: VALUE, KEY=VALUE or --KEY VALUE.
func textSettings(text string) (settings []setting) {
	var parents []setting // the keys above, each with its indentation as the value
	for line := range strings.SplitSeq(text, "\n") {
		indent := line[:len(line)-len(strings.TrimLeft(line, marks))]
		before, waits := len(settings), false
		for _, word := range strings.FieldsFunc(line, isBlank) {
			at := strings.IndexAny(word, ":=")
			switch {
			case waits && (at < 0 || word[at] == ':' && at != len(word)-1):
				settings[len(settings)-1].value, waits = valueOf(word), false
				continue
			case at < 0 && strings.HasPrefix(word, "--"):
				at = len(word)
			case at < 0:
				continue
			}
			key := strings.ToLower(strings.Trim(word[:at], marks))
			if len(settings) == before {
				for len(parents) > 0 && len(parents[len(parents)-1].value) >= len(indent) {
					parents = parents[:len(parents)-1]
				}
				if len(parents) > 0 {
					key = parents[len(parents)-1].key + "." + key
				}
				parents = append(parents, setting{key, indent})
			}
			value := valueOf(strings.TrimLeft(word[at:], ":="))
			settings, waits = append(settings, setting{key, value}), value == ""
		}
	}
	return settings
}

const marks = " -\"'{["

// valueOf returns the value without quotes, and without the end of a list.
func valueOf(word string) string {
	word = strings.Trim(word, `"'`)
	if !strings.Contains(word, "{") {
		word = strings.TrimRight(word, `"'}]`)
	}
	return word
}

func isBlank(r rune) bool { return strings.ContainsRune(" \t\r,;", r) }
