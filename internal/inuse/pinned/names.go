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
	revisionPattern = regexp.MustCompile(`['"]([\w-]+:\d+)['"]`)
)

// namesIn returns the task definitions that a JSON document names, sorted. The document is
// the input of an operation of ECS, or a definition in the Amazon States Language. The
// names are the values of all fields named TaskDefinition, at any depth. In the JSONata
// expression of such a field they are the quoted strings of the form family:revision. ARNs
// count in all fields, because a definition may assign an ARN to a variable.
// https://docs.aws.amazon.com/step-functions/latest/dg/connect-ecs.html
func namesIn(document string) ([]string, error) {
	var v any
	if err := json.Unmarshal([]byte(document), &v); err != nil {
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	names := map[string]bool{}
	addNames(names, "", v)
	return slices.Sorted(maps.Keys(names)), nil
}

func addNames(names map[string]bool, key string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			addNames(names, key, value)
		}
	case []any:
		for _, value := range v {
			addNames(names, key, value)
		}
	case string:
		for _, arn := range arnPattern.FindAllString(v, -1) {
			names[arn] = true
		}
		switch {
		case !strings.EqualFold(key, "TaskDefinition"), strings.HasPrefix(v, "$"):
		case strings.HasPrefix(v, "{%"):
			for _, quoted := range revisionPattern.FindAllStringSubmatch(v, -1) {
				names[quoted[1]] = true
			}
		case v != "":
			names[v] = true
		}
	}
}
