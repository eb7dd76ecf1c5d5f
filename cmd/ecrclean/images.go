package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/ecr-cleaner/ecr-cleaner/internal/decimal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// maxImageFile is the greatest length of a file of images. A repository of
// 100,000 images makes about 60 MB.
const maxImageFile = 1 << 30

// An imageFile is the output of aws ecr describe-images.
type imageFile struct {
	RegistryID, RepositoryName string
	Details                    []evaluator.Image
}

// imageDetail is an element of imageDetails; what is not named here plays no
// part in the evaluation.
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

// readImages reads the output of describe-images.
func (s *setup) readImages(name string) (imageFile, error) {
	text, err := s.readInput(name, maxImageFile)
	if err != nil {
		return imageFile{}, err
	}
	file, err := parseImages(text)
	if err != nil {
		return file, usageError(fmt.Errorf("images %s: %w", name, err))
	}
	return file, nil
}

func parseImages(text []byte) (imageFile, error) {
	var document struct {
		ImageDetails *[]imageDetail `json:"imageDetails"`
		NextToken    *string        `json:"nextToken"` // in any case: the AWS CLI writes NextToken
	}
	for _, mark := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(text, []byte(mark)) {
			return imageFile{}, errors.New("begins with a byte order mark, as files from Windows PowerShell do; save it as UTF-8 without one")
		}
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return imageFile{}, placed(text, err)
	}
	if document.ImageDetails == nil {
		return imageFile{}, errors.New(`lacks "imageDetails"; give the output of aws ecr describe-images`)
	}
	if document.NextToken != nil {
		return imageFile{}, errors.New("is cut short: it has a nextToken; list without --max-items and --no-paginate")
	}
	file := imageFile{Details: make([]evaluator.Image, len(*document.ImageDetails))}
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

// fault says why the image cannot be evaluated together with the others.
func (d *imageDetail) fault(seen map[string]bool) error {
	switch {
	case d.ImageDigest == "":
		return errors.New("has no imageDigest; describe the images again")
	case seen[d.ImageDigest]:
		return fmt.Errorf("imageDigest %s is there twice; describe the images again", strconv.Quote(d.ImageDigest))
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
			return fmt.Errorf("%s %s is neither like 2026-03-01T00:00:00+00:00 nor seconds since 1970, of the years 1678 to 2261", t.name, t.bad)
		}
	}
	if size := &d.ImageSizeInBytes; size.bad != "" || size.value < 0 {
		return fmt.Errorf("imageSizeInBytes %s is no number of bytes; describe the images again", cmp.Or(size.bad, fmt.Sprint(size.value)))
	}
	switch evaluator.ImageStatus(d.ImageStatus) {
	case "", evaluator.Active, evaluator.Archived, evaluator.Activating:
	default:
		return fmt.Errorf("imageStatus %s is not known", strconv.Quote(clip(d.ImageStatus)))
	}
	if d.ImagePushedAt.IsZero() {
		return errors.New("has no imagePushedAt; describe the images again")
	}
	return nil
}

func (d *imageDetail) image() evaluator.Image {
	status := evaluator.ImageStatus(d.ImageStatus)
	if status == "" { // from a tool that does not know the archive
		status = evaluator.Active
	}
	return evaluator.Image{
		Digest: d.ImageDigest, Tags: d.ImageTags, Status: status, PushedAt: evaluator.At(d.ImagePushedAt.Time),
		LastRecordedPullTime: evaluator.At(d.LastRecordedPullTime.Time), LastArchivedAt: evaluator.At(d.LastArchivedAt.Time),
		LastActivatedAt: evaluator.At(d.LastActivatedAt.Time), SizeInBytes: d.ImageSizeInBytes.value,
		ManifestMediaType: d.ImageManifestMediaType, SubjectDigest: d.SubjectManifestDigest,
	}
}

// placed says where and how a text is not what the AWS CLI prints.
func placed(text []byte, err error) error {
	const remedy = "give the output of aws ecr describe-images"
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("%s: is not JSON: %w; %s", place(text, e.Offset), e, remedy)
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		what := e.Field
		if what == "" {
			what = "the document"
		}
		return fmt.Errorf("%s: %s cannot be a JSON %s; %s", place(text, e.Offset), what, e.Value, remedy)
	}
	return err
}

// place returns line and column of the byte before the offset.
func place(text []byte, offset int64) string {
	before := text[:max(0, min(int(offset), len(text))-1)]
	line := 1 + bytes.Count(before, []byte("\n"))
	return fmt.Sprintf("%d:%d", line, 1+utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]))
}

// An integer is one however it is written.
type integer struct {
	value int64
	bad   string // the text, if it is none
}

// UnmarshalJSON reads a number. What is wrong it only notes.
func (i *integer) UnmarshalJSON(text []byte) error { //nolint:unparam // the interface asks for the error
	*i = integer{}
	number, ok := decimal.Parse(string(text))
	if ok {
		i.value, ok = number.Int()
	}
	if !ok && string(text) != "null" {
		i.bad = clip(string(text))
	}
	return nil
}
