package jsondoc

import (
	"fmt"
	"strconv"
	"strings"
)

func list(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = strconv.Quote(n)
	}
	return strings.Join(quoted, ", ")
}

// caseHint points at the name that differs from got only in case.
func caseHint(got string, names []string) string {
	for _, n := range names {
		if n != got && strings.EqualFold(n, got) {
			return fmt.Sprintf(" (case counts: %q)", n)
		}
	}
	return ""
}

// memberPath appends a member's name to the path of its object. A name that
// is not plain is quoted, so that a path is always one line.
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

// Quote returns s in quotes, on one line, with control characters escaped and
// cut after 64 bytes, fit for a message.
func Quote(s string) string { return strconv.Quote(clip(s)) }

func clip(s string) string {
	if len(s) <= maxQuoted {
		return s
	}
	return strings.ToValidUTF8(s[:maxQuoted], "") + "…"
}
