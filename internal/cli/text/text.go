// Package text has the pieces of text that ecrclean prints: tables, folded lines, counts,
// shortened digests, and JSON. What it makes printable cannot control a terminal.
package text

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/dustin/go-humanize/english"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// Printable replaces control characters: anybody who may push an image chooses its tags.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}

// Line returns the text on one line, printable.
func Line(s string) string { return Printable(strings.Join(strings.Fields(s), " ")) }

// Clip shortens a text to a readable length.
func Clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// ShortDigest returns as much of a digest as tells images apart.
func ShortDigest(digest string) string {
	return Printable(digest[:min(len(digest), len("sha256:")+12)])
}

var digestPattern = regexp.MustCompile(`sha256:[0-9a-f]{64}`)

// ShortDigests shortens the digests in a text.
func ShortDigests(s string) string { return digestPattern.ReplaceAllStringFunc(s, ShortDigest) }

var (
	ageInDays   = regexp.MustCompile(`\b(\d+)d((?: [\d.]+[hms])*) (ago|from now)(?:, limit (\d+)d)?`)
	limitInDays = regexp.MustCompile(`\blimit (\d+)d\b`)
)

// Days writes the ages in a reason of package evaluator in whole days. An age that would then
// look equal to its limit keeps its hours.
func Days(reason string) string {
	if !strings.Contains(reason, " ago") && !strings.Contains(reason, " from now") && !strings.Contains(reason, "limit ") {
		return reason // without the cost of matching each of many images
	}
	reason = ageInDays.ReplaceAllStringFunc(reason, func(age string) string {
		m := ageInDays.FindStringSubmatch(age)
		days, _ := strconv.Atoi(m[1])
		limit, rest := "", ""
		if m[4] != "" {
			limit = ", limit " + m[4] + "d"
		}
		if m[1] == m[4] {
			rest = m[2]
		}
		return Count(days, "day") + rest + " " + m[3] + limit
	})
	return limitInDays.ReplaceAllStringFunc(reason, func(limit string) string {
		days, _ := strconv.Atoi(limitInDays.FindStringSubmatch(limit)[1])
		return "limit " + Count(days, "day")
	})
}

// Tags lists at most three tags, and counts the others.
func Tags(tags []string) string {
	const most = 3
	switch {
	case len(tags) == 0:
		return "-"
	case len(tags) > most:
		return fmt.Sprintf("%s +%d", strings.Join(tags[:most], ","), len(tags)-most)
	}
	return strings.Join(tags, ",")
}

// Time returns a time in UTC, or "-" for the zero time.
func Time(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.UTC().Format(time.RFC3339)
}

// Number returns a number, or "-" for 0.
func Number(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

// Count returns a number with a noun, such as "1 image" and "2 images".
func Count(n int, noun string) string {
	return fmt.Sprintf("%d %s", n, english.PluralWord(n, noun, ""))
}

// Lines collects printable lines.
type Lines struct{ strings.Builder }

// Addf adds a line.
func (l *Lines) Addf(format string, args ...any) {
	l.WriteString(Printable(fmt.Sprintf(format, args...)) + "\n")
}

// JSON returns a function that writes the value as indented JSON.
func JSON(v any) func(io.Writer) error {
	return func(w io.Writer) error {
		encoder := json.NewEncoder(jsondoc.Printable(w))
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(v)
	}
}
