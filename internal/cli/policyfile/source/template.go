package source

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/place"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// The types of resources that have a policy.
const (
	repositoryType       = "AWS::ECR::Repository"
	creationTemplateType = "AWS::ECR::RepositoryCreationTemplate"
)

// A cfnTemplate is a CloudFormation template, also one of SAM or the CDK.
type cfnTemplate struct {
	name     string
	content  []byte
	policies []Policy
}

// template returns the policies of a CloudFormation template in YAML or JSON.
func template(name string, content []byte) []Policy {
	if bytes.HasPrefix(bytes.TrimSpace(content), []byte("{")) { // JSON is YAML except for its tabs
		content = bytes.ReplaceAll(content, []byte("\t"), []byte(" "))
	}
	t := &cfnTemplate{name: name, content: content}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var root yaml.Node
		switch err := decoder.Decode(&root); {
		case errors.Is(err, io.EOF):
			return t.policies
		case err != nil:
			return append(t.policies, Policy{File: name, Problems: jsondoc.Refusal("is not a template in YAML or JSON: %v", err)})
		case len(root.Content) > 0:
			t.resources(member(root.Content[0], "Resources"))
		}
	}
}

// resources adds the policies of resources.
func (t *cfnTemplate) resources(resources *yaml.Node) {
	for m := range members(resources) {
		id, r := m[0], target(m[1])
		switch kind := member(r, "Type"); {
		case strings.HasPrefix(id.Value, "Fn::") || id.Value == "<<":
			t.policies = append(t.policies, t.reason(id.Value, id).policy(t.name, id.Value, id.Line, id.Column))
		case kind == nil:
		case kind.Value == repositoryType:
			t.property(id.Value, r, "Properties", "LifecyclePolicy", "LifecyclePolicyText")
		case kind.Value == creationTemplateType:
			t.property(id.Value, r, "Properties", "LifecyclePolicy")
		}
	}
}

// property adds the policy at a path of members, if there is one.
func (t *cfnTemplate) property(id string, v *yaml.Node, path ...string) {
	for _, name := range path {
		if function(v) != "" {
			break
		}
		if v = member(v, name); v == nil {
			return
		}
	}
	p := Policy{File: t.name, Address: id}
	text := substituted(v)
	switch {
	case text == nil:
		p = t.dependency(v).policy(t.name, id, v.Line, v.Column)
	case text.Kind != yaml.ScalarNode:
		p.Problems = jsondoc.Problems{{Line: v.Line, Column: v.Column, Message: "must be the JSON text of the policy, in a string"}}
	default:
		p.Spelling = t.spelled(text)
	}
	t.policies = append(t.policies, p)
}

// substituted returns the node with the text of a value. It is nil if the value is a
// function, except for Fn::Sub without a variable.
func substituted(v *yaml.Node) *yaml.Node {
	f := function(v)
	switch f {
	case "":
		return v
	case "!Sub":
	case "Fn::Sub":
		v = member(v, f)
	default:
		return nil
	}
	if v.Kind == yaml.SequenceNode && len(v.Content) > 0 {
		v = target(v.Content[0])
	}
	if v.Kind != yaml.ScalarNode || strings.Contains(v.Value, "${") {
		return nil
	}
	return v
}

// spelled returns the text of a scalar with its places.
func (t *cfnTemplate) spelled(n *yaml.Node) place.Spelling {
	source := t.content[place.Offset(t.content, n.Line, n.Column):]
	return place.Find(n.Value, source, place.Mark{Line: n.Line, Column: n.Column}, n.Style&yaml.DoubleQuotedStyle != 0)
}

func (t *cfnTemplate) reason(what string, n *yaml.Node) *reason { return &reason{what, t.name, n.Line} }

var variable = regexp.MustCompile(`\$\{[^}]*\}`)

// dependency names a function in the arguments of a function, if there is one, or the
// function with its first argument. It returns nil for a node without a function.
func (t *cfnTemplate) dependency(n *yaml.Node) *reason {
	name := function(n)
	if !strings.HasSuffix(name, "If") { // a condition chooses between its other arguments
		for _, inner := range n.Content {
			if found := t.dependency(inner); found != nil {
				return found
			}
		}
	}
	argument := n
	if inner := member(n, name); inner != nil {
		argument = inner
	}
	if argument.Kind == yaml.SequenceNode && len(argument.Content) > 0 {
		argument = argument.Content[0]
	}
	switch at := variable.FindStringIndex(argument.Value); {
	case name == "":
		return nil
	case at != nil && strings.HasSuffix(name, "Sub"):
		spelling := t.spelled(argument)
		return &reason{name + " " + argument.Value[at[0]:at[1]], t.name, spelling.At(at[0]).Line}
	}
	return t.reason(strings.TrimSpace(name+" "+argument.Value), n)
}

// function returns the name of the intrinsic function that a node calls, or "".
func function(n *yaml.Node) string {
	if n.Tag != "" && !strings.HasPrefix(n.Tag, "!!") {
		return n.Tag
	}
	for m := range members(n) {
		if name := m[0].Value; name == "<<" || strings.HasPrefix(name, "Fn::") || name == "Ref" && len(n.Content) == 2 {
			return name
		}
	}
	return ""
}

// target returns the node that an alias names.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// members returns the keys of a mapping with their values. Another node has none.
func members(n *yaml.Node) iter.Seq[[]*yaml.Node] {
	if n == nil || n.Kind != yaml.MappingNode {
		n = &yaml.Node{}
	}
	return slices.Chunk(n.Content, 2)
}

// member returns the member with the name, the last one if it is repeated, or nil.
func member(n *yaml.Node, name string) (found *yaml.Node) {
	for m := range members(n) {
		if m[0].Value == name {
			found = target(m[1])
		}
	}
	return found
}
