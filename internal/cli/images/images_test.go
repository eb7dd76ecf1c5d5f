package images

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

func TestTheSizeOfAnImageIsReadOrRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"0": 0, "null": 0, "150000000": 150000000, "1.5e8": 150000000, "1.5E+08": 150000000, "150000000.0": 150000000, "9223372036854775807": 9223372036854775807,
		"1.5": -1, "-1": -1, "1e-1": -1, "9223372036854775808": -1, "1e19": -1, "1e400": -1, `"150"`: -1, "true": -1, "[]": -1,
	} {
		file, err := Parse([]byte(`{"imageDetails": [{"imageDigest": "a", "imagePushedAt": 1, "imageSizeInBytes": ` + text + `}]}`))
		switch {
		case want < 0:
			if err == nil || !strings.HasPrefix(err.Error(), "imageDetails[0]: imageSizeInBytes ") {
				t.Errorf("%s: %v", text, err)
			}
		case err != nil || file.Details[0].SizeInBytes != want:
			t.Errorf("%s: %+v, %v", text, file, err)
		}
	}
}

// FuzzImages: each image of a file that is read can be evaluated, and once.
func FuzzImages(f *testing.F) {
	f.Add([]byte(`{"imageDetails": []}`))
	f.Add([]byte(`{"imageDetails": [{"imageDigest": "sha256:a", "imageTags": ["v1"], "imagePushedAt": "2026-01-01T00:00:00.123456+02:00", "imageStatus": "ARCHIVED"},
		{"imageDigest": "sha256:b", "imagePushedAt": 1767225599.999999, "lastRecordedPullTime": 1e9, "lastActivatedAt": -1.5}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Parse(text)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for i := range file.Details {
			im := &file.Details[i]
			if im.Digest == "" || seen[im.Digest] || im.PushedAt.IsZero() || im.StorageClass() == "" && im.Status != evaluator.Activating {
				t.Errorf("image %+v", im)
			}
			seen[im.Digest] = true
		}
	})
}

// What lies too deep in itself is an error and not the end of the process.
func TestAFileOfImagesMayNotBeTooDeep(t *testing.T) {
	t.Parallel()
	for _, text := range []string{strings.Repeat("[", 5_000_000), `{"imageDetails": ` + strings.Repeat(`{"a":`, 1_000_000)} {
		if _, err := Parse([]byte(text)); err == nil || len(err.Error()) > 1_000 {
			t.Errorf("%.30s…: %.300v", text, err)
		}
	}
}

// unread is the expectation for a time that is refused.
const unread = "refused"

// timesInWords are texts for --now and --images, each with the time that it means.
var timesInWords = map[string]string{
	"2026-02-27T18:00:00Z":                   "2026-02-27T18:00:00Z",
	"2026-02-27T18:00:00+00:00":              "2026-02-27T18:00:00Z",
	"2026-02-27T18:00:00-00:00":              "2026-02-27T18:00:00Z",
	"2026-02-27T20:00:00.512000+02:00":       "2026-02-27T18:00:00.512Z",
	"2026-02-27T10:00:00.512-08:00":          "2026-02-27T18:00:00.512Z",
	"2026-02-27T23:30:00+05:30":              "2026-02-27T18:00:00Z",
	"2026-02-27t18:00:00z":                   "2026-02-27T18:00:00Z",
	"2026-02-27 18:00:00Z":                   "2026-02-27T18:00:00Z",
	"2026-02-27 20:00:00+02:00":              "2026-02-27T18:00:00Z",
	"2026-02-27 20:00:00 +0200":              "2026-02-27T18:00:00Z",
	"2026-02-27T20:00:00+0200":               "2026-02-27T18:00:00Z",
	"2026-02-27T20:00:00+02":                 "2026-02-27T18:00:00Z",
	"2026-02-27T18:00Z":                      "2026-02-27T18:00:00Z",
	"2026-02-27T18:00:00,5Z":                 "2026-02-27T18:00:00.5Z",
	"2026-02-27T18:00:00.123456789Z":         "2026-02-27T18:00:00.123456789Z",
	"2026-02-27T18:00:00.1234567899999Z":     "2026-02-27T18:00:00.123456789Z",
	"2028-02-29T00:00:00Z":                   "2028-02-29T00:00:00Z",
	"2026-02-27T23:59:59+23:59":              "2026-02-27T00:00:59Z",
	"1678-01-01T00:00:00Z":                   "1678-01-01T00:00:00Z",
	"2261-12-31T23:59:59Z":                   "2261-12-31T23:59:59Z",
	"2026-02-27T18:00:00":                    unread, // without an offset
	"2026-02-27 18:00:00":                    unread,
	"2026-02-27T18:00:00.512":                unread,
	"2026-02-27":                             unread,
	"2026-02-27Z":                            unread,
	"2026-02-27T18Z":                         unread,
	"20260227T180000Z":                       unread,
	"27.02.2026 18:00:00Z":                   unread,
	"02/27/2026 18:00:00Z":                   unread,
	"2026-02-27T18:00:00 UTC":                unread,
	"2026-02-27T18:00:00 CET":                unread,
	"2026-02-27T18:00:00Europe/Berlin":       unread,
	"2026-02-27T18:00:00+02:00[Europe/Rome]": unread,
	"2026-02-27T18:00:00+24:00":              unread,
	"2026-02-27T18:00:00+99:99":              unread,
	"2026-02-27T18:00:00+02:60":              unread,
	"2026-02-27T18:00:00+2":                  unread,
	"2026-02-27T18:00:00+2:00":               unread,
	"2026-02-27T8:00:00Z":                    unread,
	"2026-2-27T18:00:00Z":                    unread,
	"26-02-27T18:00:00Z":                     unread,
	"+2026-02-27T18:00:00Z":                  unread,
	"-2026-02-27T18:00:00Z":                  unread,
	"2026-02-27T24:00:00Z":                   unread,
	"2026-02-27T18:60:00Z":                   unread,
	"2026-02-27T18:00:60Z":                   unread,
	"2026-02-29T18:00:00Z":                   unread,
	"2026-02-30T18:00:00Z":                   unread,
	"2026-13-01T18:00:00Z":                   unread,
	"2026-00-01T18:00:00Z":                   unread,
	"2026-02-27T18:00:00.Z":                  unread,
	"2026-02-27T18:00.5Z":                    unread,
	"2026-02-27T18:00:00ZZ":                  unread,
	" 2026-02-27T18:00:00Z":                  unread,
	"2026-02-27T18:00:00Z\n":                 unread,
	"2026-02-27TT18:00:00Z":                  unread,
	"２０２６-02-27T18:00:00Z":                   unread,
	"0001-01-01T00:00:00Z":                   unread,
	"0000-00-00T00:00:00Z":                   unread,
	"1677-12-31T23:59:59Z":                   "1677-12-31T23:59:59Z", // an instant holds it
	"1677-01-01T00:00:00Z":                   unread,
	"2262-12-31T00:00:00Z":                   unread,
	"9999-12-31T23:59:59Z":                   unread,
	"1772215200":                             unread, // no time in words
	"now":                                    unread,
}

// epochs are numbers that --images reads as times. The tests of package decimal cover
// the spellings of numbers.
var epochs = map[string]string{
	"1.772215200512E9":                 "2026-02-27T18:00:00.512Z",
	"1772215200.512":                   "2026-02-27T18:00:00.512Z",
	"1772215200512e-3":                 "2026-02-27T18:00:00.512Z",
	"1772215200":                       "2026-02-27T18:00:00Z",
	"1772215200.0":                     "2026-02-27T18:00:00Z",
	"1772215200.123456789":             "2026-02-27T18:00:00.123456789Z",
	"1772215200.1234567899999":         "2026-02-27T18:00:00.123456789Z",
	"1.7722152001234567891E+09":        "2026-02-27T18:00:00.123456789Z",
	"0":                                "1970-01-01T00:00:00Z",
	"-0.5":                             "1969-12-31T23:59:59.5Z",
	"-5e-1":                            "1969-12-31T23:59:59.5Z",
	"1772215200512":                    unread, // milliseconds
	"1.772215200512E12":                unread,
	"1e400":                            unread,
	"-1e400":                           unread,
	"9223372037":                       unread,
	"18448515073710":                   unread,
	"true":                             unread,
	"{}":                               unread,
	"[1772215200]":                     unread,
	`"1772215200"`:                     unread,
	`""`:                               unread,
	`"yesterday"`:                      unread,
	`"2026-02-27T18:00:00\u002B00:00"`: "2026-02-27T18:00:00Z", // as PowerShell escapes it
	`"\u0032026-02-27T18:00:00.512\u002b00:00"`: "2026-02-27T18:00:00.512Z",
}

func wantInstant(t *testing.T, what string, got time.Time, err error, want string) {
	t.Helper()
	switch {
	case want == unread:
		if err == nil {
			t.Errorf("%s is read as %s, want it refused", what, got.Format(time.RFC3339Nano))
		}
	case err != nil || got.UTC().Format(time.RFC3339Nano) != want:
		t.Errorf("%s is read as %s, %v; want %s", what, got.UTC().Format(time.RFC3339Nano), err, want)
	}
}

func TestTimesInWordsAreReadOrRefused(t *testing.T) {
	t.Parallel()
	for text, want := range timesInWords {
		at, err := ParseTime(text)
		wantInstant(t, "--now "+text, at, err, want)
		if err != nil && !strings.Contains(err.Error(), "must be like 2026-03-01T00:00:00Z") {
			t.Errorf("--now %s: %v", text, err)
		}
	}
}

func TestEveryTimeOfAnImageIsReadOrRefused(t *testing.T) {
	t.Parallel()
	all := map[string]string{}
	for text, want := range timesInWords {
		all[fmt.Sprintf("%q", text)] = want
	}
	maps.Copy(all, epochs)
	for name, read := range map[string]func(evaluator.Image) evaluator.Instant{
		"imagePushedAt":        func(im evaluator.Image) evaluator.Instant { return im.PushedAt },
		"lastRecordedPullTime": func(im evaluator.Image) evaluator.Instant { return im.LastRecordedPullTime },
		"lastArchivedAt":       func(im evaluator.Image) evaluator.Instant { return im.LastArchivedAt },
		"lastActivatedAt":      func(im evaluator.Image) evaluator.Instant { return im.LastActivatedAt },
	} {
		for text, want := range all {
			file, err := Parse(fmt.Appendf(nil, `{"imageDetails": [{"imageDigest": "a", "imagePushedAt": 1, %q: %s}]}`, name, text))
			var at time.Time
			if err == nil {
				at = read(file.Details[0]).Time()
			} else if !strings.HasPrefix(err.Error(), "imageDetails[0]: "+name+" ") || !strings.Contains(err.Error(), "like 2026-03-01T00:00:00+00:00") {
				t.Errorf("%s %s: %v", name, text, err)
			}
			wantInstant(t, name+" "+text, at, err, want)
		}
	}
}
