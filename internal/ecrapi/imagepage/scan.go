package imagepage

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/bits"
)

// maxDepth bounds how deep values lie in each other, as encoding/json does.
const maxDepth = 10_000

// A scanner reads a JSON text from its start, in place. Each method reads the
// next value. The first that finds something else sets err, and from then on
// the text is at its end.
type scanner struct {
	text  []byte
	at    int
	depth int
	err   error
	// leader is the first name of an object, and followers those that came
	// after another one, each where it stood last.
	leader    memo
	followers [32]memo
}

// A memo is a value as it stood in the text, and what it is.
type memo struct{ token, value []byte }

func (s *scanner) fail(want string) {
	if s.err == nil {
		s.err = fmt.Errorf("byte %d of the page: want %s", s.at, want)
	}
	s.text, s.at = nil, 0
}

// peek returns the byte that the next token begins with, or 0 at the end.
func (s *scanner) peek() byte {
	if s.at < len(s.text) && s.text[s.at] > ' ' {
		return s.text[s.at]
	}
	return s.afterSpace()
}

func (s *scanner) afterSpace() byte {
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// accept reads the byte if it is the next.
func (s *scanner) accept(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

// members reads an object. For each member that is not null, it yields the
// name; the caller reads the value.
func (s *scanner) members(yield func(name []byte) bool) {
	s.open('{', "an object")
	m := &s.leader
	for first := true; s.again(m) || s.name(m, first); first = false {
		name := m.value
		if !s.null() && !yield(name) {
			return
		}
		m = s.follower(name)
	}
}

// name reads what comes before the value of a member.
func (s *scanner) name(m *memo, first bool) bool {
	start := s.at
	if !s.more('}', first, "a comma or the end of the object") {
		return false
	}
	name := s.str()
	if s.peek() != ':' {
		s.fail("a colon")
		return false
	}
	s.at++
	*m = memo{s.text[start:s.at], name}
	return true
}

// follower returns where the follower of a name is kept. Names that share a
// place cost time, nothing else.
func (s *scanner) follower(name []byte) *memo {
	place := len(name)
	if place > 0 {
		place += int(name[place-1])
	}
	return &s.followers[place%len(s.followers)]
}

// elements reads a list. The caller reads each element.
func (s *scanner) elements(yield func() bool) {
	s.open('[', "a list")
	for first := true; s.more(']', first, "a comma or the end of the list") && yield(); first = false {
	}
}

func (s *scanner) open(c byte, want string) {
	if s.peek() != c || s.depth == maxDepth {
		s.fail(want)
		return
	}
	s.at++
	s.depth++
}

// more says whether another member or element follows, and reads what is
// before it.
func (s *scanner) more(end byte, first bool, want string) bool {
	switch c := s.peek(); {
	case c == end:
		s.at++
		s.depth--
		return false
	case c == 0 || !first && c != ',':
		s.fail(want)
		return false
	case !first:
		s.at++
	}
	return true
}

// null reads null, if that is next.
func (s *scanner) null() bool {
	if s.peek() != 'n' {
		return false
	}
	s.literal("null")
	return true
}

func (s *scanner) literal(word string) {
	if end := s.at + len(word); end > len(s.text) || string(s.text[s.at:end]) != word {
		s.fail(word)
		return
	}
	s.at += len(word)
}

// str reads a string. The result is part of the text if nothing in it is
// escaped, and then it may be invalid UTF-8.
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

// repeated reads a string that is likely the one in the memo.
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

// again reads what is in the memo, if that is next.
func (s *scanner) again(m *memo) bool {
	if len(m.token) == 0 || !bytes.HasPrefix(s.text[s.at:], m.token) {
		return false
	}
	s.at += len(m.token)
	return true
}

// escaped reads a string that has an escape, or something that strings must
// not have, at i.
func (s *scanner) escaped(i int) []byte {
	for ; i < len(s.text) && s.text[i] != '"'; i++ {
		if s.text[i] == '\\' {
			i++
		}
	}
	var value string
	if i >= len(s.text) || json.Unmarshal(s.text[s.at:i+1], &value) != nil {
		s.fail("a string without faults")
		return nil
	}
	s.at = i + 1
	return []byte(value)
}

// plain returns how many bytes come before a quote, a backslash or a control
// character.
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

// special sets the highest bit of the lowest of eight bytes that is a quote, a
// backslash or a control character. Bits above that one mean nothing.
func special(eight uint64) uint64 {
	const each, highest = 0x0101010101010101, 0x8080808080808080
	quote, backslash := eight^each*'"', eight^each*'\\'
	return ((quote-each)&^quote | (backslash-each)&^backslash | (eight-each*' ')&^eight) & highest
}
