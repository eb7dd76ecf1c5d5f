package imagepage

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math/bits"
)

// A memo is a value and the token, the bytes of the text, from which it was read.
type memo struct{ token, value []byte }

// str reads a string, which may be invalid UTF-8 and a part of the text.
func (s *scanner) str() []byte {
	if s.peek() != '"' {
		s.fail("a string")
		return nil
	}
	start := s.at + 1
	end := start + plain(s.text[start:])
	if end < len(s.text) && s.text[end] == '"' {
		s.at = end + 1
		return s.text[start:end]
	}
	return s.escaped(end)
}

// repeated reads a string that is probably the one in the memo.
func (s *scanner) repeated(m *memo) []byte {
	if s.again(m) {
		return m.value
	}
	s.peek()
	start := s.at
	value := s.str()
	if s.err == nil {
		*m = memo{s.text[start:s.at], value}
	}
	return value
}

// again reports whether the token of the memo is next, and reads it.
func (s *scanner) again(m *memo) bool {
	if len(m.token) == 0 || !bytes.HasPrefix(s.text[s.at:], m.token) {
		return false
	}
	s.at += len(m.token)
	return true
}

// escaped reads a string with an escape, or with an invalid character, at i.
func (s *scanner) escaped(i int) []byte {
	for ; i < len(s.text) && s.text[i] != '"'; i++ {
		if s.text[i] == '\\' {
			i++
		}
	}
	var value string
	if i >= len(s.text) || json.Unmarshal(s.text[s.at:i+1], &value) != nil {
		s.fail("a valid string")
		return nil
	}
	s.at = i + 1
	return []byte(value)
}

// plain counts the bytes before the first quote, backslash or control character.
func plain(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if found := special(binary.LittleEndian.Uint64(b[i:])); found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(b) && b[i] >= ' ' && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

// special sets the highest bit of the lowest byte that is a quote, a backslash or a
// control character. Bits above that bit have no meaning.
func special(eight uint64) uint64 {
	const each, highest = 0x0101010101010101, 0x8080808080808080
	quote, backslash := eight^each*'"', eight^each*'\\'
	return ((quote-each)&^quote | (backslash-each)&^backslash | (eight-each*' ')&^eight) & highest
}
