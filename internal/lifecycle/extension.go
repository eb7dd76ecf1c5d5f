package lifecycle

import (
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// isExtension completes a message about a word of the extended dialect in a
// policy that is in AWS's.
const isExtension = "is an extension of ecrclean, which ECR refuses; " +
	"it belongs in a policy of the cleaner's configuration, and check --dialect extended accepts it"

// extensionKeys are the members that the extended dialect adds to a selection.
var extensionKeys = map[string]string{
	"keepNewest":            isExtension,
	"tagExcludePatternList": isExtension,
	"tagMatch":              isExtension,
	"tagRegexList":          isExtension,
}

// selectionKeys are the members of a selection in AWS's dialect.
var selectionKeys = []string{
	"tagStatus", "tagPatternList", "tagPrefixList", "storageClass", "countType", "countUnit", "countNumber",
}

// extendedKeys are those of the extended dialect.
var extendedKeys = append(slices.Clip(selectionKeys),
	"tagRegexList", "tagMatch", "tagExcludePatternList", "keepNewest")

// selectionObject checks the members of a selection.
func (d *draft) selectionObject(v *jsondoc.Value) (jsondoc.Object, bool) {
	if d.dialect == Extended {
		return v.Object(extendedKeys...)
	}
	return v.ObjectRefusing(extensionKeys, selectionKeys...)
}

// refuseAction records a problem, and returns true, if the value is an action
// type that only the extended dialect has.
func (d *draft) refuseAction(v *jsondoc.Value) bool {
	s := ActionType(peek(v))
	if d.dialect == Extended || s != Retain && s != Untag {
		return false
	}
	v.Problem("%q %s", s, isExtension)
	return true
}

// retains reports whether the action is one that takes no count fields. Their
// absence is then no fault of its own.
func retains(action *jsondoc.Value) bool { return ActionType(peek(action.Member("type"))) == Retain }

// hasRefused reports whether the selection has a member that only the extended
// dialect has. What such a rule selects is unknown in AWS's.
func (d *draft) hasRefused(selection *jsondoc.Value) bool {
	if d.dialect == Extended {
		return false
	}
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
