package text

import (
	"regexp"
	"strings"

	"github.com/rivo/uniseg"
)

var style = regexp.MustCompile("\x1b\\[[0-9]*m")

// Width returns the number of a terminal's cells that a line takes, without the styles of
// package terminal.
func Width(s string) int {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return uniseg.StringWidth(style.ReplaceAllString(s, ""))
		}
	}
	return len(s)
}

// Shorten cuts a text to a width of at least 1, and marks the cut.
func Shorten(s string, width int) string {
	if Width(s) <= width {
		return s
	}
	used, end := 1, 0 // the mark takes a cell
	for clusters := uniseg.NewGraphemes(s); clusters.Next(); {
		if used += clusters.Width(); used > width {
			break
		}
		_, end = clusters.Positions()
	}
	return s[:end] + "…"
}

// Fold breaks the lines of a text at spaces, so that none is wider than width. A word that is
// wider stays whole, so that it can be copied. A width of 0 folds nothing. The rest of
// a line is indented two cells more, or like the text after its label.
func Fold(s string, width int) string {
	if width <= 0 {
		return s
	}
	lines := strings.SplitAfter(s, "\n")
	for i, line := range lines {
		if Width(strings.TrimSuffix(line, "\n")) > width {
			lines[i] = foldLine(line, width)
		}
	}
	return strings.Join(lines, "")
}

// label matches the beginning of a line that gives the rest its indent: spaces, or one or
// two words before two spaces.
var label = regexp.MustCompile(`^ *(?:\S+(?: \S+)?  +)?`)

func foldLine(line string, width int) string {
	prefix := label.FindString(line)
	indent := Width(prefix)
	if strings.TrimSpace(prefix) == "" {
		indent += 2
	}
	return fill(prefix, strings.TrimSuffix(line[len(prefix):], "\n"), min(indent, width/2), width) + line[len(strings.TrimSuffix(line, "\n")):]
}

// fill puts words after the prefix, and indents the lines after the first one.
func fill(prefix, words string, indent, width int) string {
	var folded strings.Builder
	current, space := prefix, ""
	for word := range strings.FieldsSeq(words) {
		if strings.TrimSpace(current) != "" && Width(current+space+word) > width {
			folded.WriteString(strings.TrimRight(current, " ") + "\n")
			current, space = strings.Repeat(" ", max(0, min(indent, width-Width(word)))), ""
		}
		current += space + word
		space = " "
	}
	return folded.String() + current
}

// Reflow folds paragraphs of a text that already has short lines. Of a paragraph with indented
// lines, it folds each line.
func Reflow(s string, width int) string {
	paragraphs := strings.Split(s, "\n\n")
	for i, p := range paragraphs {
		if strings.ContainsAny(p[:min(1, len(p))], " \t") || strings.Contains(p, "\n ") {
			paragraphs[i] = Fold(p, width)
		} else {
			paragraphs[i] = fill("", p, 0, width)
		}
	}
	return strings.Join(paragraphs, "\n\n")
}
