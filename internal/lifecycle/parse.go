package lifecycle

import (
	"fmt"
	"unicode/utf8"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// The length of a policy text in characters, which is what PutLifecyclePolicy
// takes: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutLifecyclePolicy.html
const (
	minCharacters = 100
	maxCharacters = 30_720
)

// maxBytes keeps [Parse] from reading what cannot be a policy. Fifty rules
// printed with all the white space one can wish for stay far below it.
const maxBytes = 1 << 20

// Parse reads a policy in the dialect, however short or long the text is up to
// 1 MiB. Problems hold all its faults and warnings, ordered by place; the
// Policy is the zero Policy when there is a fault, that is, when their Err
// method does not return nil. For a text that ECR holds or shall hold, use
// [ParseText].
func Parse(text []byte, dialect Dialect) (Policy, jsondoc.Problems) {
	if len(text) > maxBytes {
		return refuse("has %d bytes; a policy has at most %d", len(text), maxBytes)
	}
	return read(jsondoc.Parse(text), dialect)
}

// ParseText is [Parse] for a text that stands alone and goes to ECR or comes
// from it: it is in AWS's dialect and must also have the length that ECR takes,
// from 100 to 30,720 characters. A longer text is refused without a look at the rest.
func ParseText(text []byte) (Policy, jsondoc.Problems) {
	n := utf8.RuneCount(text)
	if n > maxCharacters {
		return refuse("has %d characters; ECR takes at most %d: shorten descriptions or take out white space", n, maxCharacters)
	}
	doc := jsondoc.Parse(text)
	if root := doc.Root(); n < minCharacters && root.IsObject() {
		root.Problem("has %d characters; ECR takes no text below %d, and no complete policy is shorter", n, minCharacters)
	}
	return read(doc, AWS)
}

// FromValue reads a policy in the dialect that stands inside another document.
// Its problems are recorded in that document. It returns the zero Policy if one
// of them is a fault, or if v is nil.
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

func refuse(format string, args ...any) (Policy, jsondoc.Problems) {
	return Policy{}, jsondoc.Problems{{Line: 1, Column: 1, Message: fmt.Sprintf(format, args...)}}
}
