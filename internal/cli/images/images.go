// Package images reads the output of "aws ecr describe-images". It returns images that
// can be evaluated, or an error that says what to do.
package images

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/decimal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// MaxBytes bounds a file of images. A repository of 100,000 images has about 60 MB.
const MaxBytes = 1 << 30

// A File is the output of aws ecr describe-images.
type File struct {
	RegistryID, RepositoryName string
	Details                    []evaluator.Image
}

// imageDetail has raw times and numbers, so that an error can name the image.
type imageDetail struct {
	RegistryID             string          `json:"registryId"`
	RepositoryName         string          `json:"repositoryName"`
	ImageDigest            string          `json:"imageDigest"`
	ImageTags              []string        `json:"imageTags"`
	ImageSizeInBytes       json.RawMessage `json:"imageSizeInBytes"`
	ImagePushedAt          json.RawMessage `json:"imagePushedAt"`
	LastRecordedPullTime   json.RawMessage `json:"lastRecordedPullTime"`
	LastArchivedAt         json.RawMessage `json:"lastArchivedAt"`
	LastActivatedAt        json.RawMessage `json:"lastActivatedAt"`
	ImageStatus            string          `json:"imageStatus"`
	ImageManifestMediaType string          `json:"imageManifestMediaType"`
	SubjectManifestDigest  string          `json:"subjectManifestDigest"`
}

// Parse reads the text of a file.
func Parse(content []byte) (File, error) {
	var document struct {
		ImageDetails []imageDetail `json:"imageDetails"`
		NextToken    *string       `json:"nextToken"` // in any case: the AWS CLI writes NextToken
	}
	if err := json.Unmarshal(content, &document); err != nil {
		return File{}, located(content, err)
	}
	if document.ImageDetails == nil {
		return File{}, errors.New(`lacks "imageDetails"; ` + remedy)
	}
	if document.NextToken != nil {
		return File{}, errors.New("is cut short: it has a nextToken; list without --max-items and --no-paginate")
	}
	file := File{Details: make([]evaluator.Image, len(document.ImageDetails))}
	seen := make(map[string]bool, len(file.Details))
	for i, d := range document.ImageDetails {
		var err error
		if file.Details[i], err = d.image(); err == nil && seen[d.ImageDigest] {
			err = fmt.Errorf("imageDigest %q is there twice; describe the images again", d.ImageDigest)
		}
		if err != nil {
			return file, fmt.Errorf("imageDetails[%d]: %w", i, err)
		}
		seen[d.ImageDigest] = true
		file.RegistryID, file.RepositoryName = d.RegistryID, d.RepositoryName
	}
	return file, nil
}

func (d *imageDetail) image() (evaluator.Image, error) {
	im := evaluator.Image{
		Digest: d.ImageDigest, Tags: d.ImageTags, ManifestMediaType: d.ImageManifestMediaType, SubjectDigest: d.SubjectManifestDigest,
		Status: cmp.Or(evaluator.ImageStatus(d.ImageStatus), evaluator.Active), // an older AWS CLI has no status
	}
	if im.Digest == "" {
		return im, errors.New("has no imageDigest; describe the images again")
	}
	for _, t := range []struct {
		name string
		raw  json.RawMessage
		at   *evaluator.Instant
	}{
		{"imagePushedAt", d.ImagePushedAt, &im.PushedAt},
		{"lastRecordedPullTime", d.LastRecordedPullTime, &im.LastRecordedPullTime},
		{"lastArchivedAt", d.LastArchivedAt, &im.LastArchivedAt},
		{"lastActivatedAt", d.LastActivatedAt, &im.LastActivatedAt},
	} {
		at, ok := timestamp(t.raw)
		if !ok {
			return im, fmt.Errorf("%s %s is neither like 2026-03-01T00:00:00+00:00 nor seconds since 1970, in the years 1678 to 2261",
				t.name, text.Clip(string(t.raw)))
		}
		*t.at = evaluator.At(at)
	}
	if im.PushedAt.IsZero() {
		return im, errors.New("has no imagePushedAt; describe the images again")
	}
	if !isNull(d.ImageSizeInBytes) {
		number, isNumber := decimal.Parse(string(d.ImageSizeInBytes))
		size, fits := number.Int()
		if im.SizeInBytes = size; !isNumber || !fits || size < 0 {
			return im, fmt.Errorf("imageSizeInBytes %s is not a number of bytes; describe the images again", text.Clip(string(d.ImageSizeInBytes)))
		}
	}
	if !slices.Contains([]evaluator.ImageStatus{evaluator.Active, evaluator.Archived, evaluator.Activating}, im.Status) {
		return im, fmt.Errorf("imageStatus %q is not known", text.Clip(d.ImageStatus))
	}
	return im, nil
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

const remedy = "give the output of aws ecr describe-images"

// located adds the line, the column and the remedy to an error of package json.
func located(content []byte, err error) error {
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("%s: is not JSON: %w; %s", position(content, e.Offset), e, remedy)
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s: %s cannot be a JSON %s; %s", position(content, e.Offset), cmp.Or(e.Field, "the document"), e.Value, remedy)
	}
	return err
}

// position returns line and column of the byte before the offset.
func position(content []byte, offset int64) string {
	before := content[:max(0, min(int(offset), len(content))-1)]
	line := 1 + bytes.Count(before, []byte("\n"))
	return fmt.Sprintf("%d:%d", line, 1+utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]))
}

// timePattern matches RFC 3339, and variants with lower-case letters or a space between the
// parts, without seconds, or with an offset without colon or minutes. The offset is
// required, because the time means another instant in each time zone.
var timePattern = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d(?:[.,]\d+)?)? ?(?:([Zz])|([+-](?:[01]\d|2[0-3])):?([0-5]\d)?)$`)

var errTime = errors.New("must be like 2026-03-01T00:00:00Z, in one of the years 1678 to 2261")

// ParseTime reads a time such as 2026-02-27T18:00:00Z, to the nanosecond.
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

func fits(t time.Time) bool { return evaluator.At(t).Time().Equal(t) }

// timestamp reads a time of the AWS CLI: ISO 8601 with an offset, or seconds since 1970.
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
