package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/decimal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// instantPattern matches RFC 3339 and other spellings that mean one instant only. The
// other spellings have lower-case letters or a space between the parts, no seconds, or
// an offset without a colon or without minutes. A text without an offset is refused,
// because it means another instant in each time zone.
var instantPattern = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d(?:[.,]\d+)?)? ?(?:([Zz])|([+-](?:[01]\d|2[0-3])):?([0-5]\d)?)$`)

// parseInstant reads a time such as 2026-02-27T18:00:00Z. Digits below a nanosecond are
// cut off.
func parseInstant(text string) (at time.Time, ok bool) {
	parts := instantPattern.FindStringSubmatch(text)
	if parts == nil {
		return at, false
	}
	date, minute, second, zulu, hours, minutes := parts[1], parts[2], parts[3], parts[4], parts[5], parts[6]
	if second == "" {
		second = ":00"
	}
	if minutes == "" {
		minutes = "00"
	}
	offset := hours + ":" + minutes
	if zulu != "" {
		offset = "Z"
	}
	at, err := time.Parse(time.RFC3339, date+"T"+minute+strings.Replace(second, ",", ".", 1)+offset)
	return at, err == nil && !at.IsZero() && held(at)
}

// held reports whether an evaluator.Instant can hold the time.
func held(t time.Time) bool { return evaluator.At(t).Time().Equal(t) }

// A timestamp is a time as the AWS CLI prints it: ISO 8601 with an offset, or seconds
// since 1970 in any spelling of a JSON number. The fraction is kept.
type timestamp struct {
	time.Time
	bad string // the text, if it is neither of the two
}

// UnmarshalJSON reads either form. It notes an invalid time in bad and returns no
// error, because an error from here could not name the image.
func (t *timestamp) UnmarshalJSON(text []byte) error { //nolint:unparam // the interface asks for the error
	*t = timestamp{}
	var words string
	number, isNumber := decimal.Parse(string(text))
	ok := string(text) == "null"
	switch {
	case ok:
	case isNumber:
		var nanoseconds int64
		nanoseconds, ok = number.Nanoseconds()
		t.Time = time.Unix(0, nanoseconds).UTC()
		ok = ok && held(t.Time)
	case json.Unmarshal(text, &words) == nil:
		t.Time, ok = parseInstant(words)
	}
	if !ok {
		t.bad = clip(string(text))
	}
	return nil
}
