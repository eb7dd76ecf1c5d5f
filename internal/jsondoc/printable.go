package jsondoc

import (
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Printable returns a writer for JSON text that passes it on to w and escapes
// what a terminal, or a program that reads lines, might act on and encoding/json
// leaves as it is. Such characters stand in strings only. Each Write must hold
// whole characters and becomes one Write.
func Printable(w io.Writer) io.Writer { return escaper{w} }

type escaper struct{ w io.Writer }

func (e escaper) Write(text []byte) (int, error) {
	if plain(text) {
		return e.w.Write(text)
	}
	escaped := make([]byte, 0, len(text))
	for _, r := range string(text) {
		if r == '\n' || unicode.IsPrint(r) {
			escaped = utf8.AppendRune(escaped, r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			escaped = fmt.Appendf(escaped, `\u%04x`, unit)
		}
	}
	if _, err := e.w.Write(escaped); err != nil {
		return 0, err
	}
	return len(text), nil
}

// plain reports whether all characters are printable ones of ASCII and ends of
// lines, as they mostly are.
func plain(text []byte) bool {
	for _, b := range text {
		if b != '\n' && (b < ' ' || b > '~') {
			return false
		}
	}
	return true
}
