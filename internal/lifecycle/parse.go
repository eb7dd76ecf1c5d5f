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

// Parse reads a policy of up to 1 MiB. It returns all faults and warnings, ordered by
// place. If there is a fault, Err of the problems is not nil and the Policy is zero. For
// a policy that is attached to a repository, use [ParseText].
func Parse(text []byte, dialect Dialect) (Policy, jsondoc.Problems) {
	if len(text) > maxBytes {
		return Policy{}, jsondoc.Refusal("has %d bytes; a policy has at most %d", len(text), maxBytes)
	}
	return read(jsondoc.Parse(text), dialect)
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
	return read(doc, AWS)
}

// FromValue reads a policy that is part of another document, and records the problems
// in that document. It returns the zero Policy if there is a fault or v is nil.
func FromValue(v *jsondoc.Value, dialect Dialect) Policy {
	p := readPolicy(v, dialect)
	if v.Faulty() {
		return Policy{}
	}
	return p
}

func read(doc *jsondoc.Document, dialect Dialect) (Policy, jsondoc.Problems) {
	p := FromValue(doc.Root(), dialect)
	return p, doc.Problems()
}
