package imagepage

import (
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// A Page is one answer of DescribeImages.
type Page struct {
	// Images are in ECR's order. If Refused is not nil, it says why [Check]
	// does not take the image detail after the last of them; what follows that
	// one is left out.
	Images  []evaluator.Image
	Refused error
	// NextToken is empty on the last page.
	NextToken string
}

// Decode reads a page. It returns an error if the text is not one JSON object,
// or if a member that the API knows is not of its type. Nothing of the page
// refers to the text.
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
	// leastDetail is the least length of an image detail in which ECR says all
	// that it says of each image.
	leastDetail = 250
	// mostDetails is how many ECR gives at most.
	mostDetails = 1000
	// textsRoom and listsRoom are for about 16 images, in bytes and in tags.
	textsRoom = 2 << 10
	listsRoom = 32
	// maxMediaTypes is how many media types are looked for; ECR knows fewer.
	maxMediaTypes = 16
)

type decoder struct {
	scanner
	page Page
	// words are the strings of one image while it is read, as they stand in the
	// text; texts and lists are room for them and for lists of tags.
	words words
	texts strings.Builder
	lists []string
	// what is mostly the same as in the image before
	registryID, repositoryName, status, manifest, artifact memo
	// mediaTypes are those that the images share.
	mediaTypes []string
}

// imageDetails reads the images. Those of a list that came before it, in the
// same page, do not count.
func (d *decoder) imageDetails() {
	d.page.Images, d.page.Refused = d.page.Images[:0], nil
	if n := min((len(d.text)-d.at)/leastDetail, mostDetails); cap(d.page.Images) < n {
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

// skip reads any value.
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
