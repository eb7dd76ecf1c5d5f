package inuse

import (
	"fmt"
	"iter"
	"strings"
	"sync"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// A Collector gathers the uses of one source. It is safe for concurrent use.
type Collector struct {
	mu   sync.Mutex
	uses []Use
}

// Collect returns the uses that find adds to the collector, and then its error.
func Collect(find func(*Collector) error) iter.Seq2[Use, error] {
	return func(yield func(Use, error) bool) {
		var c Collector
		err := find(&c)
		for _, use := range c.uses {
			if !yield(use, nil) {
				return
			}
		}
		if err != nil {
			yield(Use{}, err)
		}
	}
}

// Add adds a use of the image and of the digest that the service recorded for it. One of
// the two may be empty. If they are different manifests, such as an index and a child, Add
// adds a use of each. Add fails if it cannot read the name of the image.
func (c *Collector) Add(image, digest string, use Use) error {
	refs, err := references(image, digest)
	if err != nil {
		return fmt.Errorf("%s: %w", use.By, err)
	}
	if strings.Contains(image, "@") {
		use.Runs = false // the image is used by its digest, not by its tag
	}
	for _, use.Reference = range refs {
		c.AddKnown(use)
	}
	return nil
}

// AddKnown adds the use as it is.
func (c *Collector) AddKnown(use Use) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.uses = append(c.uses, use)
}

func references(image, digest string) ([]reference.Reference, error) {
	var ref reference.Reference
	var err error
	if image != "" || digest == "" {
		ref, err = reference.ParseAny(image)
	}
	if err != nil {
		return nil, err
	}
	if digest == "" {
		return []reference.Reference{ref}, nil
	}
	recorded, err := ref.WithDigest(digest)
	if err != nil {
		return nil, fmt.Errorf("recorded digest of %.200q: %w", image, err)
	}
	if ref.Digest == "" || ref == recorded {
		return []reference.Reference{recorded}, nil
	}
	return []reference.Reference{ref, recorded}, nil
}
