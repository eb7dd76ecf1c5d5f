package lifecycle

import (
	"unicode/utf8"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// The length of a policy text in characters that PutLifecyclePolicy accepts:
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutLifecyclePolicy.html
const (
	minCharacters = 100
	maxCharacters = 30_720
)

// maxBytes is far more than 50 rules need with any amount of white space.
const maxBytes = 1 << 20

// Parse reads a policy of up to 1 MiB. If there is a fault, Err of the problems is not nil
// and the Policy is zero. A text in the extended dialect may have comments, see
// [jsondoc.WithoutComments]. For a policy that is attached to a repository, use [ParseText].
func Parse(text []byte, dialect Dialect) (Policy, jsondoc.Problems) {
	if len(text) > maxBytes {
		return Policy{}, jsondoc.Refusal("has %d bytes; a policy has at most %d", len(text), maxBytes)
	}
	if dialect == Extended {
		text = jsondoc.WithoutComments(text)
	}
	doc := jsondoc.Parse(text)
	return FromValue(doc.Root(), dialect), doc.Problems()
}

// ParseText is [Parse] for a policy in AWS's dialect whose text ECR stores. The text
// must have 100 to 30,720 characters. A longer text has only that problem.
func ParseText(text []byte) (Policy, jsondoc.Problems) {
	n := utf8.RuneCount(text)
	if n > maxCharacters {
		return Policy{}, jsondoc.Refusal("has %d characters; ECR takes at most %d: shorten descriptions or take out white space",
			n, maxCharacters)
	}
	doc := jsondoc.Parse(text)
	if root := doc.Root(); n < minCharacters && root.IsObject() {
		root.Problem("has %d characters; ECR takes no text below %d, and no complete policy is shorter", n, minCharacters)
	}
	policy, problems := FromValue(doc.Root(), AWS), doc.Problems()
	if doc.Root() == nil && jsondoc.Parse(jsondoc.WithoutComments(text)).Root() != nil {
		problems[0].Message = "begins a comment, which ECR does not accept in a policy; remove the comments"
	}
	return policy, problems
}

// FromValue reads a policy and records the problems in its document. It returns the zero
// Policy if there is a fault or v is nil.
func FromValue(v *jsondoc.Value, dialect Dialect) Policy {
	drafts := readRules(v, dialect)
	if v.Faulty() {
		return Policy{}
	}
	var p Policy
	for _, d := range drafts {
		p.Rules = append(p.Rules, Rule{d.RulePriority, d.Description, d.Selection, d.Action})
	}
	return p
}
