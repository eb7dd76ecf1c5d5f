package source

import (
	"bytes"
	"sort"
	"unicode/utf8"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// A mark is the place of a byte of a policy's text in its file. The bytes up to the next
// mark follow there without a gap.
type mark struct{ offset, line, column int }

// after returns the place of the end of a text that begins at the mark.
func (m mark) after(text []byte) mark {
	if newline := bytes.LastIndexByte(text, '\n'); newline >= 0 {
		m.line += bytes.Count(text, []byte{'\n'})
		m.column, text = 1, text[newline+1:]
	}
	m.column += utf8.RuneCount(text)
	return m
}

// InFile returns problems of the text, or those of the policy, with the lines and columns of
// the file.
func (p *Policy) InFile(problems jsondoc.Problems) jsondoc.Problems {
	placed := append(jsondoc.Problems{}, problems...)
	for i := range placed {
		if p.marks == nil { // the problems are of the file itself
			break
		}
		m := p.place(offsetOf(p.Text, placed[i].Line, placed[i].Column))
		placed[i].Line, placed[i].Column = m.line, m.column
	}
	return placed
}

// place returns the place of a byte of the text. The text must have marks.
func (p *Policy) place(offset int) mark {
	next := sort.Search(len(p.marks), func(m int) bool { return p.marks[m].offset > offset })
	m := p.marks[max(next-1, 0)]
	return m.after(p.Text[m.offset:offset])
}

// offsetOf returns the offset of a place in a text, both from 1. Columns count characters.
func offsetOf(text []byte, line, column int) int {
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

// align finds the places of a text in its source, which begins at a place. The source may
// have quotes, indentation and folded lines and, if escapes is true, escapes with a backslash.
// Places of white space are not exact.
func align(text, source []byte, at mark, escapes bool) []mark {
	var marks []mark
	const near = 64 // more than any language puts between two characters of a text on one line
	exact := false
	i, j := 0, 0
	skip := func(n int) {
		n = min(n, len(source)-j)
		at = at.after(source[j : j+n])
		j += n
	}
	take := func(n, spelled int, plain bool) {
		if !exact || !plain {
			marks = append(marks, mark{i, at.line, at.column})
		}
		exact = plain
		i += n
		skip(spelled)
	}
	for i < len(text) && j < len(source) {
		r, n := utf8.DecodeRune(text[i:])
		_, width := utf8.DecodeRune(source[j:])
		switch {
		case escapes && bytes.HasPrefix(source[j:], []byte("\\\n")):
			skip(2)
			exact = false
		case escapes && source[j] == '\\':
			take(n, escapeWidth(source[j:], r), false)
		case bytes.HasPrefix(source[j:], text[i:i+n]):
			take(n, n, true)
		case space(source[j]) || !space(text[i]) && bytes.Contains(source[j:min(j+near, len(source))], text[i:i+n]):
			skip(width)
			exact = false
		default: // a character that the language has added or changed
			take(n, 0, false)
		}
	}
	return append(marks, mark{i, at.line, at.column})
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

// A writer writes JSON text with its places.
type writer struct {
	out   []byte
	marks []mark
}

// write writes a text that has one place.
func (w *writer) write(place mark, text string) {
	place.offset = len(w.out)
	w.marks = append(w.marks, place)
	w.out = append(w.out, text...)
}

// separate writes a comma before all items except the first one.
func (w *writer) separate(i int) {
	if i > 0 {
		w.out = append(w.out, ',')
	}
}

func quote(text string) string { return string(jsondoc.AppendString(nil, text)) }
