// Package place finds the places of a text in the file that spells it, for example as a string
// with escapes or as a heredoc. So the problems of a policy in another document have the lines
// and columns of that file.
package place

import (
	"bytes"
	"slices"
	"sort"
	"unicode/utf8"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// A Spelling is a text, and how a file spells it. Without marks, the text is the whole file.
type Spelling struct {
	Text  []byte
	marks []Mark
}

// A Mark is the place of a byte of a text in its file. The bytes up to the next mark follow
// there without a gap.
type Mark struct {
	Line, Column int
	offset       int // in the text
}

// After returns the place of the end of a text that begins at the mark.
func (m Mark) After(text []byte) Mark {
	if newline := bytes.LastIndexByte(text, '\n'); newline >= 0 {
		m.Line += bytes.Count(text, []byte{'\n'})
		m.Column, text = 1, text[newline+1:]
	}
	m.Column += utf8.RuneCount(text)
	return m
}

// InFile returns problems of the text with the lines and columns of the file.
func (s *Spelling) InFile(problems jsondoc.Problems) jsondoc.Problems {
	if s.marks == nil {
		return problems
	}
	placed := slices.Clone(problems)
	for i, p := range placed {
		m := s.At(Offset(s.Text, p.Line, p.Column))
		placed[i].Line, placed[i].Column = m.Line, m.Column
	}
	return placed
}

// At returns the place of a byte of the text. The text must have marks.
func (s *Spelling) At(offset int) Mark {
	next := sort.Search(len(s.marks), func(m int) bool { return s.marks[m].offset > offset })
	m := s.marks[max(next-1, 0)]
	return m.After(s.Text[m.offset:offset])
}

// Offset returns the offset of a place in a text, both from 1. Columns count characters.
func Offset(text []byte, line, column int) int {
	offset := 0
	for ; line > 1; line-- {
		offset += bytes.IndexByte(text[offset:], '\n') + 1
	}
	for ; column > 1 && offset < len(text); column-- {
		_, n := utf8.DecodeRune(text[offset:])
		offset += n
	}
	return offset
}

// Write appends a text that has one place.
func (s *Spelling) Write(at Mark, text string) {
	at.offset = len(s.Text)
	s.marks = append(s.marks, at)
	s.Text = append(s.Text, text...)
}

// Find finds the places of a text in its source, which begins at a place. The source is a
// string in quotes, a heredoc, a YAML block, or plain. It may have indentation, folded lines
// and, if escapes is true, escapes with a backslash. Places of white space are not exact.
func Find(text string, source []byte, at Mark, escapes bool) Spelling {
	a := aligner{spelling: Spelling{Text: []byte(text)}, source: source, at: at}
	switch {
	case len(source) == 0:
	case source[0] == '"' || source[0] == '\'':
		a.skip(1)
	case source[0] == '|' || source[0] == '>' || bytes.HasPrefix(source, []byte("<<")):
		a.skip(bytes.IndexByte(source, '\n') + 1)
	}
	a.align(escapes)
	return a.spelling
}

// An aligner is at one byte of the text, and at the same one in the rest of the source.
type aligner struct {
	spelling Spelling
	offset   int
	source   []byte
	at       Mark // of the source
	exact    bool // the next byte needs no mark
}

func (a *aligner) align(escapes bool) {
	const near = 64 // more than any language puts between two characters of a text on one line
	text := a.spelling.Text
	for a.offset < len(text) && len(a.source) > 0 {
		r, n := utf8.DecodeRune(text[a.offset:])
		_, width := utf8.DecodeRune(a.source)
		next := text[a.offset : a.offset+n]
		switch {
		case escapes && bytes.HasPrefix(a.source, []byte("\\\n")):
			a.skip(2)
		case escapes && a.source[0] == '\\':
			a.take(n, escapeWidth(a.source, r), false)
		case bytes.HasPrefix(a.source, next):
			a.take(n, n, true)
		case space(a.source[0]) || !space(next[0]) && bytes.Contains(a.source[:min(near, len(a.source))], next):
			a.skip(width)
		default: // a character that the language has added or changed
			a.take(n, 0, false)
		}
	}
	a.take(0, 0, false)
}

// skip leaves out bytes of the source that are not in the text.
func (a *aligner) skip(n int) {
	n = min(n, len(a.source))
	a.at, a.source = a.at.After(a.source[:n]), a.source[n:]
	a.exact = false
}

// take goes on by n bytes of the text, which the source spells in so many bytes.
func (a *aligner) take(n, spelled int, plain bool) {
	if !a.exact || !plain {
		a.at.offset = a.offset
		a.spelling.marks = append(a.spelling.marks, a.at)
	}
	a.offset += n
	a.skip(spelled)
	a.exact = plain
}

func space(b byte) bool { return b == ' ' || b == '\t' || b == '\r' || b == '\n' }

// escapeWidth returns the length of the escape that spells a character in HCL, JSON or YAML.
func escapeWidth(escape []byte, r rune) int {
	if len(escape) < 2 {
		return 1
	}
	switch escape[1] {
	case 'x':
		return 4
	case 'u':
		if r > 0xffff {
			return 12 // two surrogates
		}
		return 6
	case 'U':
		return 10
	}
	return 2
}
