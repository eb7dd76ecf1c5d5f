package jsondoc

import (
	"fmt"
	"strings"
)

// A Problem is one fault of a document and the place where it stands.
type Problem struct {
	// Path leads to the value, as in rules[2].selection.countNumber. It is
	// empty for the document itself.
	Path string `json:"path"`
	// Line and Column are 1-based; Column counts characters, not bytes.
	Line   int `json:"line"`
	Column int `json:"column"`
	// Warning is true for what is legal but most likely not meant.
	Warning bool `json:"warning"`
	// Message says what is wrong and what would be right.
	Message string `json:"message"`
}

// String returns "line:column: path: message".
func (p Problem) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d:%d: ", p.Line, p.Column)
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	if p.Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Problems are the faults of one document, ordered by place. As an error they
// read as one line.
type Problems []Problem

// Error joins the problems with "; ", the first twenty of many.
func (ps Problems) Error() string {
	const most = 20
	var texts []string
	for i, p := range ps {
		if i == most {
			texts = append(texts, fmt.Sprintf("and %d more problems", len(ps)-most))
			break
		}
		texts = append(texts, p.String())
	}
	return strings.Join(texts, "; ")
}

// Err returns the problems that are not warnings as an error of type
// [Problems], or nil if there are none.
func (ps Problems) Err() error {
	if errs := ps.filter(false); len(errs) > 0 {
		return errs
	}
	return nil
}

// Warnings returns the problems that are warnings.
func (ps Problems) Warnings() Problems { return ps.filter(true) }

func (ps Problems) filter(warning bool) Problems {
	var out Problems
	for _, p := range ps {
		if p.Warning == warning {
			out = append(out, p)
		}
	}
	return out
}
