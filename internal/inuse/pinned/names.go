package pinned

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

func definitions(names []string, by string) []Definition {
	found := make([]Definition, len(names))
	for i, name := range names {
		found[i] = Definition{name, by}
	}
	return found
}

var (
	arnPattern      = regexp.MustCompile(`arn:[\w-]+:ecs:[\w-]+:\d+:task-definition/[\w-]+(?::\d+)?`)
	revisionPattern = regexp.MustCompile(`(?:^|['"])([\w-]+:\d{1,9})(?:$|['"])`)
	quotedPattern   = regexp.MustCompile(`['"]([\w-]+)['"]`)
	fieldPattern    = regexp.MustCompile(`(?i)['"]TaskDefinition['"]\s*:\s*['"]([\w-]+)['"]`)
)

// namesIn returns the task definitions that a JSON document names, sorted. The document is
// the input of an operation of ECS, or a definition in the Amazon States Language. A name is
//
//   - the value of a field named TaskDefinition, at any depth;
//   - a quoted string in the JSONata expression of such a field;
//   - an ARN in any string;
//   - a whole or quoted string family:revision of a document with such a field, because a
//     definition may assign a name to a variable, or choose between several.
//
// A string that is no task definition may be among the names.
// https://docs.aws.amazon.com/step-functions/latest/dg/connect-ecs.html
func namesIn(document string) ([]string, error) {
	var v any
	if err := json.Unmarshal([]byte(document), &v); err != nil {
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	found := names{}
	patterns := []*regexp.Regexp{arnPattern}
	if strings.Contains(strings.ToLower(document), "taskdefinition") {
		patterns = append(patterns, revisionPattern, fieldPattern)
	}
	found.add("", v, patterns)
	return slices.Sorted(maps.Keys(found)), nil
}

type names map[string]bool

func (n names) add(key string, v any, patterns []*regexp.Regexp) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			n.add(key, value, patterns)
		}
	case []any:
		for _, value := range v {
			n.add(key, value, patterns)
		}
	case string:
		n.match(v, patterns...)
		switch {
		case !strings.EqualFold(key, "TaskDefinition"), strings.HasPrefix(v, "$"), v == "":
		case strings.HasPrefix(v, "{%"):
			n.match(v, quotedPattern)
		default:
			n[v] = true
		}
	}
}

// match adds the text of the last group of each match.
func (n names) match(text string, patterns ...*regexp.Regexp) {
	for _, pattern := range patterns {
		for _, match := range pattern.FindAllStringSubmatch(text, -1) {
			n[match[len(match)-1]] = true
		}
	}
}
