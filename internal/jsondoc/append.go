package jsondoc

import (
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// AppendString appends the text as a JSON string, of which a terminal shows
// every character as it is. What is no UTF-8 becomes U+FFFD.
func AppendString(b []byte, text string) []byte {
	b = append(b, '"')
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return append(appendEscaped(append(b, text[:i]...), text[i:]), '"')
		}
	}
	return append(append(b, text...), '"')
}

func appendEscaped(b []byte, text string) []byte {
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case unicode.IsPrint(r):
			b = utf8.AppendRune(b, r)
		default:
			b = appendUnits(b, r)
		}
	}
	return b
}

// appendUnits appends the UTF-16 code units of the character as escapes.
func appendUnits(b []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	for _, unit := range utf16.Encode([]rune{r}) {
		b = append(b, '\\', 'u', digits[unit>>12], digits[unit>>8&15], digits[unit>>4&15], digits[unit&15])
	}
	return b
}
