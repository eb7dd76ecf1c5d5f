package imagepage

import (
	"math"
	"strconv"
	"time"
)

// number reads a number and returns it as it is written.
func (s *scanner) number() []byte {
	s.peek()
	start := s.at
	s.accept('-')
	zero := s.at
	whole := s.digits()
	ok := whole == 1 || whole > 1 && s.text[zero] != '0'
	if s.accept('.') {
		ok = s.digits() > 0 && ok
	}
	if s.accept('e') || s.accept('E') {
		_ = s.accept('+') || s.accept('-')
		ok = s.digits() > 0 && ok
	}
	if !ok {
		s.at = start
		s.fail("a number")
		return nil
	}
	return s.text[start:s.at]
}

// digits reads digits and returns how many there are.
func (s *scanner) digits() int {
	start := s.at
	for s.at < len(s.text) && '0' <= s.text[s.at] && s.text[s.at] <= '9' {
		s.at++
	}
	return s.at - start
}

// integer reads a number of so many bits. One with a fraction or an exponent
// is none, whatever its value.
func (s *scanner) integer(bitSize int) int64 {
	n, err := strconv.ParseInt(string(s.number()), 10, bitSize)
	if err != nil {
		s.fail("an integer")
	}
	return n
}

// epochSeconds reads a time. It is cut to milliseconds in the way of the SDK,
// which loses one where the product falls just below it, and beyond what
// nanoseconds since 1970 hold in 64 bits makes it another time.
func (s *scanner) epochSeconds() time.Time {
	seconds, err := strconv.ParseFloat(string(s.number()), 64)
	if err != nil {
		s.fail("a time in seconds")
		return time.Time{}
	}
	return time.Unix(0, truncated(seconds*1000)*1e6).UTC()
}

// truncated returns the integer that is nearest to f towards zero.
func truncated(f float64) int64 {
	switch {
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}
