package images

import (
	"cmp"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/decimal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// timePattern matches RFC 3339, and variants with lower-case letters or a space between the
// parts, without seconds, or with an offset without colon or minutes. The offset is
// required, because the time means another instant in each time zone.
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

// timestamp reads a time as the AWS CLI prints it: ISO 8601 with an offset, or seconds
// since 1970, with their fraction.
func timestamp(raw json.RawMessage) (at time.Time, ok bool) {
	if isNull(raw) {
		return at, true
	}
	if number, ok := decimal.Parse(string(raw)); ok {
		nanoseconds, ok := number.Nanoseconds()
		at = time.Unix(0, nanoseconds).UTC()
		return at, ok && fits(at)
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return at, false
	}
	at, err := ParseTime(s)
	return at, err == nil
}
