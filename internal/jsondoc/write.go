package jsondoc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Printable returns a writer that writes JSON text to w and escapes all characters that
// are not printable: a terminal acts on some that encoding/json does not escape. Each Write
// must have whole characters and is one Write to w.
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

// plain reports whether the text has printable ASCII characters and line breaks only.
func plain(text []byte) bool {
	for _, b := range text {
		if b != '\n' && (b < ' ' || b > '~') {
			return false
		}
	}
	return true
}

// AppendString is AppendValue for a string. It is faster if nothing must be escaped.
func AppendString(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			b, _ = AppendValue(b, text) // every text has a JSON text
			return b
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// AppendValue appends the JSON text of the value on one line, without escapes for HTML and
// with those of [Printable]. With an error it appends nothing.
func AppendValue(b []byte, value any) ([]byte, error) {
	w := bytes.NewBuffer(b)
	encoder := json.NewEncoder(Printable(w))
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return b, err
	}
	return bytes.TrimSuffix(w.Bytes(), []byte("\n")), nil
}
