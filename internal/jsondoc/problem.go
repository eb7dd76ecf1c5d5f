package jsondoc

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/nearest"
)

// A Problem is one fault of a document, with its place.
type Problem struct {
	// Path is the path of the value, such as rules[2].selection.countNumber, or empty.
	Path string `json:"path"`
	// Line and Column are 1-based; Column counts characters, not bytes.
	Line   int `json:"line"`
	Column int `json:"column"`
	// Warning is true if the document is valid here but probably a mistake.
	Warning bool `json:"warning"`
	// Message describes the fault and the correction.
	Message string `json:"message"`
}

// String returns "line:column: path: message".
func (p Problem) String() string {
	message := p.Message
	if p.Warning {
		message = "warning: " + message
	}
	if p.Path != "" {
		message = p.Path + ": " + message
	}
	return fmt.Sprintf("%d:%d: %s", p.Line, p.Column, message)
}

// Problems are the faults of one document, ordered by place.
type Problems []Problem

// Refusal returns one problem of the whole text, for a text that is not parsed.
func Refusal(format string, args ...any) Problems {
	return Problems{{Line: 1, Column: 1, Message: fmt.Sprintf(format, args...)}}
}

// Error joins the first twenty problems with "; " on one line.
func (ps Problems) Error() string {
	const most = 20
	var texts []string
	for _, p := range ps[:min(len(ps), most)] {
		texts = append(texts, p.String())
	}
	if more := len(ps) - most; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more problems", more))
	}
	return strings.Join(texts, "; ")
}

// Err returns the problems that are not warnings, as [Problems], or nil if there are none.
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

func list[T ~string](names []T) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = strconv.Quote(string(n))
	}
	return strings.Join(quoted, ", ")
}

// nameHint names the name that differs from got only in case, or is near to it.
func nameHint[T ~string](got string, names []T) string {
	for _, n := range names {
		if string(n) != got && strings.EqualFold(string(n), got) {
			return fmt.Sprintf(" (case counts: %q)", n)
		}
	}
	return nearest.Hint(got, names)
}

// memberPath appends the name of a member to the path of its object. It quotes a name with
// other characters than plainLetters, so that a path is always one line.
func memberPath(parent, name string) string {
	plain := name != "" && len(name) <= maxQuoted && strings.Trim(name, plainLetters) == ""
	switch {
	case !plain:
		return parent + "[" + Quote(name) + "]"
	case parent == "":
		return name
	}
	return parent + "." + name
}

const (
	plainLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$-"
	maxQuoted    = 64
)

// Quote returns s for a message: in quotes, on one line, with control characters escaped,
// and cut after 64 bytes.
func Quote(s string) string { return strconv.Quote(clip(s)) }

func clip(s string) string {
	if len(s) <= maxQuoted {
		return s
	}
	return strings.ToValidUTF8(s[:maxQuoted], "") + "…"
}
