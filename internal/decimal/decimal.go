// Package decimal reads JSON numbers exactly. A float64 keeps 15 digits and silently drops
// the others, which changes times.
package decimal

import "math"

// A Number is a JSON number in any spelling.
type Number struct {
	negative bool
	digits   uint64 // as many significant digits as fit
	power    int64  // of ten, by which the digits are multiplied
	more     bool   // a digit that does not fit is not zero
	plain    bool   // without point and exponent
}

// maxPower bounds the exponent. No text has enough digits for a greater one to matter.
const maxPower = 1 << 40

// Scan reads the JSON number at the start of the text and returns its length, or 0 if there
// is none.
func Scan(text []byte) (Number, int) {
	var n Number
	at := 0
	if at < len(text) && text[at] == '-' {
		n.negative, at = true, 1
	}
	whole := at
	at += n.scanDigits(text[at:], 0)
	if at == whole || text[whole] == '0' && at > whole+1 {
		return n, 0
	}
	n.plain = true
	if at < len(text) && text[at] == '.' {
		n.plain = false
		count := n.scanDigits(text[at+1:], 1)
		if count == 0 {
			return n, 0
		}
		at += 1 + count
	}
	if at < len(text) && text[at]|' ' == 'e' {
		n.plain = false
		count := n.scanExponent(text[at+1:])
		if count == 0 {
			return n, 0
		}
		at += 1 + count
	}
	return n, at
}

// Parse returns the number that is the whole text, and false if it is not one.
func Parse(text string) (n Number, ok bool) {
	n, length := Scan([]byte(text))
	return n, length > 0 && length == len(text)
}

// scanDigits appends the digits at the start of the text and returns their count. Fraction
// is 1 for digits after the decimal point, otherwise 0.
func (n *Number) scanDigits(text []byte, fraction int64) (count int) {
	const fits = (math.MaxUint64 - 9) / 10
	for _, c := range text {
		if c < '0' || c > '9' {
			break
		}
		count++
		if n.digits <= fits {
			n.digits = 10*n.digits + uint64(c-'0')
			n.power -= fraction
		} else {
			n.more = n.more || c != '0'
			n.power += 1 - fraction
		}
	}
	return count
}

// scanExponent adds the exponent at the start of the text, which is after the e, to the
// power. It returns the length of the exponent.
func (n *Number) scanExponent(text []byte) (length int) {
	sign, at := int64(1), 0
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		at = 1
		if text[0] == '-' {
			sign = -1
		}
	}
	first, power := at, int64(0)
	for ; at < len(text) && '0' <= text[at] && text[at] <= '9'; at++ {
		power = min(10*power+int64(text[at]-'0'), maxPower)
	}
	if at == first {
		return 0
	}
	n.power += sign * power
	return at
}

// Plain reports whether the text has no point and no exponent.
func (n Number) Plain() bool { return n.plain }

// Int returns the number if it is an integer that fits into an int64.
func (n Number) Int() (value int64, ok bool) {
	value, exact, ok := n.shift(0)
	return value, ok && exact
}

// Nanoseconds returns a number of seconds in nanoseconds, truncated, if it fits into an
// int64.
func (n Number) Nanoseconds() (value int64, ok bool) {
	value, _, ok = n.shift(9)
	return value, ok
}

// shift returns the number times ten to the power of by, truncated. Exact is true if there
// was no fraction, ok if the value fits into an int64.
func (n Number) shift(by int64) (value int64, exact, ok bool) {
	magnitude, power := n.digits, n.power+by
	exact = !n.more
	for ; power > 0 && magnitude > 0; power-- {
		if magnitude > math.MaxInt64/10 {
			return 0, false, false
		}
		magnitude *= 10
	}
	for ; power < 0 && magnitude > 0; power++ {
		exact = exact && magnitude%10 == 0
		magnitude /= 10
	}
	switch {
	case n.negative && magnitude <= -math.MinInt64:
		return -int64(magnitude), exact, true // also for the least int64
	case magnitude <= math.MaxInt64:
		return int64(magnitude), exact, true
	}
	return 0, false, false
}
