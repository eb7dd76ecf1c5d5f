package imagepage

import (
	"math"
	"strconv"
	"time"
)

// A number is one as it is written, and taken apart: digits, which it is
// without point, sign and exponent, times a power of ten.
type number struct {
	text     []byte
	negative bool
	digits   uint64
	power    int
	// exact says that digits and power are right: there are so few digits that
	// a float64 holds them.
	exact bool
	// whole says that it is written without point and exponent.
	whole bool
}

// maxExact is how many digits a float64 holds, whatever they are.
const maxExact = 15

// number reads a number.
func (s *scanner) number() number {
	s.peek()
	start := s.at
	n := number{negative: s.accept('-')}
	zero := s.at
	whole := s.digits(&n.digits)
	end := s.at
	ok := whole == 1 || whole > 1 && s.text[zero] != '0'
	fraction := 0
	if s.accept('.') {
		fraction = s.digits(&n.digits)
		ok = ok && fraction > 0
	}
	power, powerDigits := 0, 1
	if s.accept('e') || s.accept('E') {
		power, powerDigits = s.exponent()
	}
	if !ok || powerDigits == 0 {
		s.at = start
		s.fail("a number")
		return number{}
	}
	n.text = s.text[start:s.at]
	n.whole = s.at == end
	n.power = power - fraction
	n.exact = whole+fraction <= maxExact && powerDigits <= maxExact
	return n
}

// exponent reads the exponent of a number and returns it with the number of
// its digits.
func (s *scanner) exponent() (power, digits int) {
	negative := s.accept('-')
	if !negative {
		s.accept('+')
	}
	var value uint64
	digits = s.digits(&value)
	if negative {
		return -int(value), digits
	}
	return int(value), digits
}

// digits reads digits, adds them to the end of a number, and returns how many
// there are.
func (s *scanner) digits(value *uint64) int {
	n, v := 0, *value
	for _, c := range s.text[s.at:] {
		if c < '0' || c > '9' {
			break
		}
		v = v*10 + uint64(c-'0')
		n++
	}
	s.at += n
	*value = v
	return n
}

// integer reads a number of so many bits. One with a fraction or an exponent
// is none, whatever its value.
func (s *scanner) integer(bitSize int) int64 {
	n := s.number()
	if n.exact && n.whole && bitSize == 64 {
		return n.signed()
	}
	value, err := strconv.ParseInt(string(n.text), 10, bitSize)
	if err != nil {
		s.fail("an integer")
	}
	return value
}

func (n number) signed() int64 {
	if n.negative {
		return -int64(n.digits)
	}
	return int64(n.digits)
}

// epochSeconds reads a time. It is cut to milliseconds in the way of the SDK,
// which loses one where the product falls just below it, and beyond what
// nanoseconds since 1970 hold in 64 bits makes it another time.
func (s *scanner) epochSeconds() time.Time {
	seconds, err := s.number().float()
	if err != nil {
		s.fail("a time in seconds")
		return time.Time{}
	}
	return time.Unix(0, truncated(seconds*1000)*1e6).UTC()
}

// tens are the powers of ten that are quick to find, and exact.
var tens = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// float returns the number as strconv does. One operation with two exact
// operands is rounded once, and so to the nearest.
func (n number) float() (float64, error) {
	value := float64(n.signed())
	switch {
	case n.exact && 0 <= n.power && n.power < len(tens):
		return value * tens[n.power], nil
	case n.exact && -len(tens) < n.power && n.power < 0:
		return value / tens[-n.power], nil
	}
	return strconv.ParseFloat(string(n.text), 64)
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
