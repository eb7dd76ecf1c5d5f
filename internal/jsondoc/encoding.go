package jsondoc

import (
	"bytes"
	"encoding/binary"
	"slices"
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
	var order binary.ByteOrder = binary.LittleEndian
	rest, marked := bytes.CutPrefix(text, []byte("\xff\xfe"))
	if !marked {
		order = binary.BigEndian
		rest, marked = bytes.CutPrefix(text, []byte("\xfe\xff"))
	}
	if !marked || len(rest)%2 != 0 {
		return text
	}
	units := make([]uint16, 0, len(rest)/2)
	for unit := range slices.Chunk(rest, 2) {
		units = append(units, order.Uint16(unit))
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
