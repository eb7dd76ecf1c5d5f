package images

import (
	"cmp"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/decimal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// timePattern matches RFC 3339 and other spellings that mean one instant only. The other
// spellings have lower-case letters or a space between the parts, no seconds, or an
// offset without a colon or without minutes. A text without an offset is refused, because
// it means another instant in each time zone.
var timePattern = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d(?:[.,]\d+)?)? ?(?:([Zz])|([+-](?:[01]\d|2[0-3])):?([0-5]\d)?)$`)

var errTime = errors.New("must be like 2026-03-01T00:00:00Z, in one of the years 1678 to 2261")

// ParseTime reads a time such as 2026-02-27T18:00:00Z. It cuts off digits below a
// nanosecond.
func ParseTime(s string) (time.Time, error) {
	parts := timePattern.FindStringSubmatch(s)
	if parts == nil {
		return time.Time{}, errTime
	}
	date, minute, second, zulu, hours, minutes := parts[1], parts[2], parts[3], parts[4], parts[5], parts[6]
	offset := "Z"
	if zulu == "" {
		offset = hours + ":" + cmp.Or(minutes, "00")
	}
	at, err := time.Parse(time.RFC3339, date+"T"+minute+cmp.Or(strings.Replace(second, ",", ".", 1), ":00")+offset)
	if err != nil || at.IsZero() || !fits(at) {
		return time.Time{}, errTime
	}
	return at, nil
}

// fits reports whether an evaluator.Instant can hold the time.
func fits(t time.Time) bool { return evaluator.At(t).Time().Equal(t) }

// A timestamp is a time as the AWS CLI prints it: ISO 8601 with an offset, or seconds
// since 1970 in any spelling of a JSON number. The fraction is kept.
type timestamp struct {
	time.Time
	bad string // the text, if it is neither of the two
}

// UnmarshalJSON reads either form. It notes a fault in bad, as that of integer does.
func (t *timestamp) UnmarshalJSON(content []byte) error { //nolint:unparam // the interface asks for the error
	*t = timestamp{}
	var s string
	number, isNumber := decimal.Parse(string(content))
	ok := string(content) == "null"
	switch {
	case ok:
	case isNumber:
		var nanoseconds int64
		nanoseconds, ok = number.Nanoseconds()
		t.Time = time.Unix(0, nanoseconds).UTC()
		ok = ok && fits(t.Time)
	case json.Unmarshal(content, &s) == nil:
		var err error
		t.Time, err = ParseTime(s)
		ok = err == nil
	}
	if !ok {
		t.bad = text.Clip(string(content))
	}
	return nil
}
