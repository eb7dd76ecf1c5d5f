package jsondoc

import (
	"strings"
	"unicode/utf8"
)

// WithoutComments returns the text with a space for each character of a comment. A comment
// begins with // outside a string and ends before the end of the line. The lines and columns
// of [Problem] stay those of the text. A text that is not UTF-8 does not change: [Parse]
// refuses it.
func WithoutComments(text []byte) []byte {
	if !strings.Contains(string(text), "//") || !utf8.Valid(text) {
		return text
	}
	plain := make([]byte, 0, len(text))
	inString, inComment, escaped := false, false, false
	for i, r := range string(text) {
		switch {
		case inComment:
			inComment = r != '\n' && r != '\r'
		case escaped:
			escaped = false
		case inString:
			inString, escaped = r != '"' && r != '\n', r == '\\'
		default:
			inString = r == '"'
			inComment = r == '/' && text[min(i+1, len(text)-1)] == '/' && i+1 < len(text)
		}
		if inComment {
			r = ' '
		}
		plain = utf8.AppendRune(plain, r)
	}
	return plain
}
