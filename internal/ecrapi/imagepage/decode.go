// Package imagepage reads one answer of DescribeImages, a page of up to 1,000 image
// details, into [evaluator.Image] values, faster than the SDK's decoder. It also refuses
// text that is not JSON, text after the JSON, and times in words, and reads times exactly.
package imagepage

import (
	"fmt"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// A Page is one answer of DescribeImages.
type Page struct {
	// Images are in ECR's order, or nil if the page has no list of them. If [Check] refuses
	// an image, Refused is its error, and Images ends before that image.
	Images    []evaluator.Image
	Refused   error
	NextToken string // "" on the last page
}

// Decode reads a page. It returns an error if the text is not one JSON object, or if a
// member that the API defines has another type. The page does not refer to the text.
func Decode(text []byte) (Page, error) {
	d := decoder{scanner: scanner{text: text}}
	for name := range d.members {
		switch string(name) {
		case "imageDetails":
			d.imageDetails()
		case "nextToken":
			d.page.NextToken = string(d.str())
		default:
			d.skip()
		}
	}
	if d.err == nil && (d.peek() != 0 || d.at < len(d.text)) {
		d.fail("the end")
	}
	if d.err != nil {
		return Page{}, d.err
	}
	return d.page, nil
}

const (
	leastDetail   = 250     // the least length in bytes of an image detail from ECR
	mostDetails   = 1000    // in a page
	textsSize     = 2 << 10 // bytes, enough for about 16 images
	listsSize     = 32      // tags, enough for about 16 images
	maxMediaTypes = 16      // ECR knows fewer
)

type decoder struct {
	scanner
	page Page
	// words are the strings of the current image, as parts of the text. The page's
	// strings share the memory of texts, and its lists of tags that of lists.
	words words
	texts strings.Builder
	lists []string
	// Most images repeat these values of the image before.
	registryID, repositoryName, status, manifest, artifact memo
	mediaTypes                                             []string
}

// imageDetails reads the images. A second list in a page replaces the first one.
func (d *decoder) imageDetails() {
	d.page.Images, d.page.Refused = d.page.Images[:0], nil
	if n := min((len(d.text)-d.at)/leastDetail, mostDetails); d.page.Images == nil || cap(d.page.Images) < n {
		d.page.Images = make([]evaluator.Image, 0, n)
	}
	var unused evaluator.Image
	for range d.elements {
		if d.page.Refused != nil {
			d.imageDetail(&unused)
			continue
		}
		n := len(d.page.Images)
		d.page.Images = append(d.page.Images, evaluator.Image{})
		im := &d.page.Images[n]
		d.imageDetail(im)
		if d.page.Refused = Check(im); d.page.Refused != nil {
			d.page.Images = d.page.Images[:n]
		}
	}
}

func (d *decoder) skip() {
	switch d.peek() {
	case '{':
		for range d.members {
			d.skip()
		}
	case '[':
		for range d.elements {
			d.skip()
		}
	case '"':
		d.str()
	case 't':
		d.literal("true")
	case 'f':
		d.literal("false")
	case 'n':
		d.literal("null")
	default:
		d.number()
	}
}

// Check returns an error if the image cannot be evaluated. Without its digest and push
// time, the position of the image and of others in a count is unknown.
func Check(im *evaluator.Image) error {
	if im.Digest == "" {
		return fmt.Errorf("image without imageDigest (tags %q); check the endpoint", im.Tags)
	}
	if im.PushedAt.IsZero() {
		return fmt.Errorf("image %s without imagePushedAt; check the endpoint", im.Digest)
	}
	for _, i := range [...]evaluator.Instant{im.PushedAt, im.LastRecordedPullTime, im.LastArchivedAt, im.LastActivatedAt} {
		if i < 0 || i >= year2262 {
			return fmt.Errorf("image %s has a time before the year 1970 or after 2261; check the endpoint", im.Digest)
		}
	}
	switch im.Status {
	case evaluator.Active, evaluator.Archived, evaluator.Activating:
		return nil
	}
	return fmt.Errorf("image %s has the unknown imageStatus %q; update the cleaner", im.Digest, im.Status)
}

var year2262 = evaluator.At(time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC))
