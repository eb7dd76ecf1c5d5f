package lifecycle

import "github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"

// isExtension completes a message about a word of this tool's extended dialect
// in a policy that is in AWS's.
const isExtension = "is an extension of ecrclean, not part of ECR's grammar; " +
	"ECR refuses it: it belongs to the extended dialect, for policies in the configuration, which this version does not apply yet"

// extensionKeys are the members that the extended dialect adds to a selection.
var extensionKeys = map[string]string{
	"keepNewest":            isExtension,
	"tagExcludePatternList": isExtension,
	"tagMatch":              isExtension,
	"tagRegexList":          isExtension,
}

// The action types that the extended dialect adds.
const (
	retain = "retain"
	untag  = "untag"
)

// refuseAction records a problem, and returns true, if the value is an action
// type of the extended dialect.
func refuseAction(v *jsondoc.Value) bool {
	s := peek(v)
	if s != retain && s != untag {
		return false
	}
	v.Problem("%q %s", s, isExtension)
	return true
}

// retains reports whether the action is one that takes no count fields. Their
// absence is then no fault of its own.
func retains(action *jsondoc.Value) bool { return peek(action.Member("type")) == retain }

// hasExtension reports whether the selection has a member of the extended
// dialect. What such a rule selects is unknown here.
func hasExtension(selection *jsondoc.Value) bool {
	for key := range extensionKeys {
		if selection.Member(key) != nil {
			return true
		}
	}
	return false
}

// peek returns the text of a string, and "" for any other value, about which it
// records nothing.
func peek(v *jsondoc.Value) string {
	if !v.IsString() {
		return ""
	}
	s, _ := v.String()
	return s
}
