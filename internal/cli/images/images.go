// Package images reads the output of "aws ecr describe-images". It returns images that
// can be evaluated, or an error that says where the text is wrong and what to do.
package images

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/decimal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// MaxBytes is the greatest length of a file of images. A repository of 100,000 images
// has about 60 MB.
const MaxBytes = 1 << 30

// A File is the output of aws ecr describe-images.
type File struct {
	RegistryID, RepositoryName string
	Details                    []evaluator.Image
}

// imageDetail is an element of imageDetails, without the fields that the evaluation does
// not use.
type imageDetail struct {
	RegistryID             string    `json:"registryId"`
	RepositoryName         string    `json:"repositoryName"`
	ImageDigest            string    `json:"imageDigest"`
	ImageTags              []string  `json:"imageTags"`
	ImageSizeInBytes       integer   `json:"imageSizeInBytes"`
	ImagePushedAt          timestamp `json:"imagePushedAt"`
	LastRecordedPullTime   timestamp `json:"lastRecordedPullTime"`
	LastArchivedAt         timestamp `json:"lastArchivedAt"`
	LastActivatedAt        timestamp `json:"lastActivatedAt"`
	ImageStatus            string    `json:"imageStatus"`
	ImageManifestMediaType string    `json:"imageManifestMediaType"`
	SubjectManifestDigest  string    `json:"subjectManifestDigest"`
}

// Parse reads the text of a file.
func Parse(content []byte) (File, error) {
	var document struct {
		ImageDetails *[]imageDetail `json:"imageDetails"`
		NextToken    *string        `json:"nextToken"` // in any case: the AWS CLI writes NextToken
	}
	for _, mark := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(content, []byte(mark)) {
			return File{}, errors.New("begins with a byte order mark, as files from Windows PowerShell do; save it as UTF-8 without one")
		}
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
	file := File{Details: make([]evaluator.Image, len(*document.ImageDetails))}
	seen := make(map[string]bool, len(file.Details))
	for i := range *document.ImageDetails {
		d := &(*document.ImageDetails)[i]
		if err := d.fault(seen); err != nil {
			return file, fmt.Errorf("imageDetails[%d]: %w", i, err)
		}
		seen[d.ImageDigest] = true
		file.RegistryID, file.RepositoryName = d.RegistryID, d.RepositoryName
		file.Details[i] = d.image()
	}
	return file, nil
}

// fault returns why the image cannot be evaluated; seen has the digests before it.
func (d *imageDetail) fault(seen map[string]bool) error {
	switch {
	case d.ImageDigest == "":
		return errors.New("has no imageDigest; describe the images again")
	case seen[d.ImageDigest]:
		return fmt.Errorf("imageDigest %q is there twice; describe the images again", d.ImageDigest)
	}
	for _, t := range []struct {
		name string
		timestamp
	}{
		{"imagePushedAt", d.ImagePushedAt},
		{"lastRecordedPullTime", d.LastRecordedPullTime},
		{"lastArchivedAt", d.LastArchivedAt},
		{"lastActivatedAt", d.LastActivatedAt},
	} {
		if t.bad != "" {
			return fmt.Errorf("%s %s is neither like 2026-03-01T00:00:00+00:00 nor seconds since 1970, in the years 1678 to 2261", t.name, t.bad)
		}
	}
	if size := &d.ImageSizeInBytes; size.bad != "" || size.value < 0 {
		return fmt.Errorf("imageSizeInBytes %s is not a number of bytes; describe the images again", cmp.Or(size.bad, fmt.Sprint(size.value)))
	}
	switch evaluator.ImageStatus(d.ImageStatus) {
	case "", evaluator.Active, evaluator.Archived, evaluator.Activating:
	default:
		return fmt.Errorf("imageStatus %s is not known", strconv.Quote(text.Clip(d.ImageStatus)))
	}
	if d.ImagePushedAt.IsZero() {
		return errors.New("has no imagePushedAt; describe the images again")
	}
	return nil
}

func (d *imageDetail) image() evaluator.Image {
	return evaluator.Image{
		Digest: d.ImageDigest, Tags: d.ImageTags, PushedAt: evaluator.At(d.ImagePushedAt.Time),
		Status:               cmp.Or(evaluator.ImageStatus(d.ImageStatus), evaluator.Active), // an older AWS CLI has no status
		LastRecordedPullTime: evaluator.At(d.LastRecordedPullTime.Time), LastArchivedAt: evaluator.At(d.LastArchivedAt.Time),
		LastActivatedAt: evaluator.At(d.LastActivatedAt.Time), SizeInBytes: d.ImageSizeInBytes.value,
		ManifestMediaType: d.ImageManifestMediaType, SubjectDigest: d.SubjectManifestDigest,
	}
}

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

// An integer is a whole number in any spelling of a JSON number.
type integer struct {
	value int64
	bad   string // the text, if it is not an integer
}

// UnmarshalJSON reads a number. It notes a fault in bad, because an error from here
// could not name the image.
func (i *integer) UnmarshalJSON(content []byte) error { //nolint:unparam // the interface asks for the error
	*i = integer{}
	number, ok := decimal.Parse(string(content))
	if ok {
		i.value, ok = number.Int()
	}
	if !ok && string(content) != "null" {
		i.bad = text.Clip(string(content))
	}
	return nil
}
