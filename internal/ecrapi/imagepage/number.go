package imagepage

import (
	"math"
	"strconv"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/decimal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// number reads a number, and returns it with its text.
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

// integer reads a number of so many bits. One with a fraction or an exponent
// is none, whatever its value.
func (s *scanner) integer(bitSize int) int64 {
	n, _ := s.number()
	value, ok := n.Int()
	if least := int64(math.MinInt64) >> (64 - bitSize); !ok || !n.Plain() || value < least || value > -(least+1) {
		s.fail("an integer")
	}
	return value
}

// instant reads a time in seconds, exactly. A time outside the range of an Instant
// becomes the first or the last instant, which the checks of an image refuse.
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
