package imagepage

import (
	"math"
	"strconv"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// A number is digits times a power of ten.
type number struct {
	digits int64
	power  int
	// exact says that digits and power are right: there are so few digits that
	// a float64 holds them.
	exact bool
	// whole says that the number is written without point and exponent.
	whole bool
}

const (
	// maxExact is how many digits a float64 holds, whatever they are.
	maxExact = 15
	// maxPower is how many digits of an exponent any int holds.
	maxPower = 3
)

// number reads a number, and returns it with its text.
func (s *scanner) number() (number, []byte) {
	s.peek()
	start := s.at
	negative := s.accept('-')
	zero := s.at
	value, whole := s.digits(0)
	end := s.at
	ok := whole == 1 || whole > 1 && s.text[zero] != '0'
	fraction, power, powerDigits := 0, 0, 1
	if s.accept('.') {
		value, fraction = s.digits(value)
		ok = ok && fraction > 0
	}
	if s.accept('e') || s.accept('E') {
		power, powerDigits = s.exponent()
	}
	if !ok || powerDigits == 0 {
		s.at = start
		s.fail("a number")
		return number{}, nil
	}
	if negative {
		value = -value
	}
	exact := whole+fraction <= maxExact && powerDigits <= maxPower
	return number{value, power - fraction, exact, s.at == end}, s.text[start:s.at]
}

// exponent reads the exponent of a number and returns it with the number of
// its digits.
func (s *scanner) exponent() (power, digits int) {
	negative := s.accept('-')
	if !negative {
		s.accept('+')
	}
	value, digits := s.digits(0)
	if negative {
		value = -value
	}
	return int(value), digits
}

// digits reads digits, adds them to the end of value, and returns how many
// there are.
func (s *scanner) digits(value int64) (int64, int) {
	n := 0
	for _, c := range s.text[s.at:] {
		if c < '0' || c > '9' {
			break
		}
		value = value*10 + int64(c-'0')
		n++
	}
	s.at += n
	return value, n
}

// integer reads a number of so many bits. One with a fraction or an exponent
// is none, whatever its value.
func (s *scanner) integer(bitSize int) int64 {
	n, text := s.number()
	if n.exact && n.whole && bitSize == 64 {
		return n.digits
	}
	value, err := strconv.ParseInt(string(text), 10, bitSize)
	if err != nil {
		s.fail("an integer")
	}
	return value
}

// instant reads a time. It is cut to milliseconds in the way of the SDK,
// which loses one where the product falls just below it, and beyond what
// nanoseconds since 1970 hold in 64 bits makes it another time.
func (s *scanner) instant() evaluator.Instant {
	seconds, err := float(s.number())
	if err != nil {
		s.fail("a time in seconds")
		return 0
	}
	return evaluator.At(time.Unix(0, truncated(seconds*1000)*1e6))
}

// tens are the powers of ten that are quick to find, and exact.
var tens = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// float returns the number as strconv does. One operation with two exact
// operands is rounded once, and so to the nearest.
func float(n number, text []byte) (float64, error) {
	switch {
	case n.exact && 0 <= n.power && n.power < len(tens):
		return float64(n.digits) * tens[n.power], nil
	case n.exact && -len(tens) < n.power && n.power < 0:
		return float64(n.digits) / tens[-n.power], nil
	}
	return strconv.ParseFloat(string(text), 64)
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
