package imagepage

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/decimal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

const maxDepth = 10_000

// A scanner reads a JSON text in place. Each method reads the next value. A method that
// finds another value sets err, and later calls find the end of the text.
type scanner struct {
	text      []byte
	at        int
	depth     int
	err       error
	leader    memo     // the first name of an object as last read
	followers [32]memo // the names last read after other names
}

func (s *scanner) fail(want string) {
	if s.err == nil {
		s.err = fmt.Errorf("byte %d of the page: want %s", s.at, want)
	}
	s.text, s.at = nil, 0
}

// peek returns the first byte of the next token, or 0 at the end.
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

// members reads an object. The caller reads the values, each of which is not null.
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

// name reads the name of a member and the colon into m.
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

// follower returns the place of the follower of a name. Sharing a place only costs time.
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

// more reports whether another member or element follows, and reads the comma before it.
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

// null reports whether the next value is null, and reads it.
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

func (s *scanner) number() (decimal.Number, []byte) {
	s.peek()
	n, length := decimal.Scan(s.text[s.at:])
	if length == 0 {
		s.fail("a number")
		return n, nil
	}
	s.at += length
	return n, s.text[s.at-length : s.at]
}

// integer reads an integer of this many bits. A number with a fraction or an exponent is
// not an integer, whatever its value.
func (s *scanner) integer(bitSize int) int64 {
	n, _ := s.number()
	value, ok := n.Int()
	if least := int64(math.MinInt64) >> (64 - bitSize); !ok || !n.Plain() || value < least || value > -(least+1) {
		s.fail("an integer")
	}
	return value
}

// instant reads a time in seconds. A time outside the range of an Instant becomes the
// first or last Instant, which [Check] refuses.
func (s *scanner) instant() evaluator.Instant {
	n, text := s.number()
	nanoseconds, ok := n.Nanoseconds()
	if ok {
		return evaluator.At(time.Unix(0, nanoseconds))
	}
	seconds, err := strconv.ParseFloat(string(text), 64)
	if err != nil { // as in the SDK
		s.fail("a time in seconds")
	}
	if seconds < 0 {
		return evaluator.At(time.Unix(0, math.MinInt64))
	}
	return evaluator.At(time.Unix(0, math.MaxInt64))
}
