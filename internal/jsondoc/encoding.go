package jsondoc

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// UTF8 returns a text without its byte order mark. It converts UTF-16 with a mark, as
// Windows PowerShell writes it, to UTF-8. It does not change a text that is cut short or
// not valid in that encoding: [Parse] refuses such a text.
func UTF8(text []byte) []byte {
	if rest, ok := bytes.CutPrefix(text, []byte("\ufeff")); ok {
		return rest
	}
	high, low := 1, 0 // little endian
	rest, marked := bytes.CutPrefix(text, []byte("\xff\xfe"))
	if !marked {
		high, low = 0, 1
		rest, marked = bytes.CutPrefix(text, []byte("\xfe\xff"))
	}
	if !marked || len(rest)%2 != 0 {
		return text
	}
	units := make([]uint16, len(rest)/2)
	for i := range units {
		unit := rest[2*i:]
		units[i] = uint16(unit[high])<<8 | uint16(unit[low])
	}
	converted := make([]byte, 0, len(units))
	for _, r := range utf16.Decode(units) {
		if r == utf8.RuneError { // also in place of half a surrogate pair
			return text
		}
		converted = utf8.AppendRune(converted, r)
	}
	return converted
}
