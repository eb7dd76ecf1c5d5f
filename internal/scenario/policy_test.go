package scenario_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// policy returns the lifecycle policy that the words mean: rules in the order
// of their priorities, separated by semicolons, such as
//
//	archive any pulled>90; expire archived transitioned>365
//	expire untagged pushed>1; expire prod*,v* count>3
//	retain prod*; untag pr-* pushed>7; expire any pulled>90
//
// Each is an action, the images (any, untagged, archived or patterns of which
// an image must match all) and, unless it retains, a count type with its number.
func policy(words string) string {
	var rules []map[string]any
	for i, text := range strings.Split(words, ";") {
		rules = append(rules, rule(i+1, strings.Fields(text)))
	}
	text, err := json.Marshal(map[string]any{"rules": rules})
	if err != nil {
		panic(err)
	}
	return string(text)
}

func rule(priority int, words []string) map[string]any {
	if len(words) != 3 && words[0] != "retain" {
		panic(fmt.Sprintf("policy: %q is no rule", words))
	}
	selection := map[string]any{"tagStatus": words[1]}
	switch words[1] {
	case "any", "untagged":
	case "archived":
		selection = map[string]any{"tagStatus": "any", "storageClass": "archive"}
	default:
		selection = map[string]any{"tagStatus": "tagged", "tagPatternList": strings.Split(words[1], ",")}
	}
	if words[0] == "retain" {
		return map[string]any{"rulePriority": priority, "selection": selection, "action": map[string]string{"type": "retain"}}
	}
	count, number, _ := strings.Cut(words[2], ">")
	countTypes := map[string]string{
		"count": "imageCountMoreThan", "pushed": "sinceImagePushed", "pulled": "sinceImagePulled", "transitioned": "sinceImageTransitioned",
	}
	selection["countType"] = countTypes[count]
	if count != "count" {
		selection["countUnit"] = "days"
	}
	selection["countNumber"], _ = strconv.Atoi(number)
	actions := map[string]any{
		"expire": map[string]string{"type": "expire"}, "untag": map[string]string{"type": "untag"}, "archive": map[string]string{"type": "transition", "targetStorageClass": "archive"},
	}
	return map[string]any{"rulePriority": priority, "selection": selection, "action": actions[words[0]]}
}
