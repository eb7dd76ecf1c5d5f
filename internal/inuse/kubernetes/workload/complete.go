package workload

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// A setting is a key and its value, somewhere in an object or a text.
type setting struct {
	key   string // in lower case; in YAML with the keys above it, as in image.repository
	value string // empty if it is not known
}

// complete adds the repositories that are alone in a value, with the tags in the settings.
func (f *finder) complete(settings []setting) {
	for _, s := range settings {
		if base, ok := f.base(s.value); ok && base.repository && base.suffix == "" {
			f.completeBase(s.key, base, settings)
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
		switch item := item.(type) {
		case string:
			texts = append(texts, item)
		case map[string]any:
			for _, name := range members(item, []string{"name"}) {
				values := append(members(item, []string{"value", "default"}), "")
				settings = append(settings, setting{strings.ToLower(name), values[0]})
			}
		}
	}
	if len(texts) > 1 {
		settings = append(settings, textSettings(strings.Join(texts, "\n"))...)
	}
	return settings
}

func memberSettings(object map[string]any) (settings []setting) {
	for key := range object {
		for _, value := range members(object, []string{key}) {
			settings = append(settings, setting{strings.ToLower(key), value})
		}
	}
	return settings
}

var (
	pairPattern = expression(`([\w.-]+)["']?[ \t]*[:=][ \t]*["']?([^\s"',;]*)`) // KEY: VALUE or KEY=VALUE
	flagPattern = expression(`(--[\w.-]+)\s+["']?([^\s"',;]+)`)                 // --KEY VALUE
)

func expression(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// textSettings returns the settings in a text, such as YAML, a script or arguments.
func textSettings(text string) (settings []setting) {
	type parent struct {
		key    string
		indent int
	}
	var parents []parent
	for _, at := range pairPattern().FindAllStringSubmatchIndex(text, -1) {
		key := strings.ToLower(text[at[2]:at[3]])
		before := text[strings.LastIndexByte(text[:at[2]], '\n')+1 : at[2]]
		if strings.Trim(before, " -\"'") == "" {
			for len(parents) > 0 && parents[len(parents)-1].indent >= len(before) {
				parents = parents[:len(parents)-1]
			}
			if len(parents) > 0 {
				key = parents[len(parents)-1].key + "." + key
			}
			parents = append(parents, parent{key, len(before)})
		}
		settings = append(settings, setting{key, text[at[4]:at[5]]})
	}
	for _, at := range flagPattern().FindAllStringSubmatchIndex(text, -1) {
		settings = append(settings, setting{strings.ToLower(text[at[2]:at[3]]), text[at[4]:at[5]]})
	}
	return settings
}
