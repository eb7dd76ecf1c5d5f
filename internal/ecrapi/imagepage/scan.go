package imagepage

import "fmt"

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
