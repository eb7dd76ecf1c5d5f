package inuse

import (
	"fmt"
	"iter"
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
func (c *Collector) Add(image, digest string, use Use) (err error) {
	if image != "" || digest == "" {
		if use.Reference, err = reference.ParseAny(image); err != nil {
			return fmt.Errorf("%s: %w", use.By, err)
		}
	}
	named := use.Reference
	if digest != "" {
		if use.Reference, err = named.WithDigest(digest); err != nil {
			return fmt.Errorf("%s: recorded digest of %.200q: %w", use.By, image, err)
		}
	}
	if named.Digest != "" {
		use.Runs = false // the image is used by its digest, not by its tag
	}
	c.AddKnown(use)
	if named.Digest != "" && named != use.Reference {
		use.Reference = named
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
