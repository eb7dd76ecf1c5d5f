package starter

import (
	"regexp"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

var (
	version  = regexp.MustCompile(`^v?\d+(\.\d+)+([-+_.].*)?$`)
	number   = regexp.MustCompile(`^\d[\d._T-]*$`)
	hash     = regexp.MustCompile(`^[0-9a-f]{7,40}([-_.].*)?$`)
	prefixed = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{0,30}[-_.]`)
	word     = regexp.MustCompile(`^[A-Za-z]{1,31}$`)
)

// patternOf returns the pattern of a tag for people: a tag pattern such as pr-*, a word such as
// latest, or a description.
func patternOf(tag string) string {
	switch {
	case version.MatchString(tag):
		return "versions such as 1.4.2"
	case number.MatchString(tag):
		return "numbers and dates"
	case hash.MatchString(tag):
		return "commit hashes"
	case word.MatchString(tag):
		return tag
	}
	if prefix := prefixed.FindString(tag); prefix != "" {
		return prefix + "*"
	}
	return otherTags
}

const otherTags = "other tags"

// temporary are the patterns of tags that builds of branches and changes get. Only for these
// is a rule proposed. No such tag has another pattern.
var temporary = func() []string {
	var patterns []string
	for _, prefix := range []string{
		"branch", "bugfix", "build", "change", "chore", "ci", "dependabot", "dev", "feat", "feature", "fix", "hotfix",
		"merge", "mr", "nightly", "pr", "preview", "pull", "renovate", "review", "SNAPSHOT", "snapshot", "test", "tmp", "wip",
	} {
		patterns = append(patterns, prefix+"-*", prefix+"_*", prefix+".*")
	}
	return patterns
}()

// released are the tags that keep an image from a proposed rule.
var released = []string{"*.*.*", "release*", "prod*", "stable*"}

var isReleased = func() func([]string) bool {
	var patterns []wildcard.Pattern
	for _, text := range released {
		patterns = append(patterns, wildcard.Compile(text))
	}
	return func(tags []string) bool {
		return slices.ContainsFunc(tags, func(tag string) bool { return wildcard.MatchAny(patterns, tag) })
	}
}()
