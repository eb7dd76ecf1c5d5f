package inuse

import (
	"errors"
	"fmt"
	"sync"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// A collector gathers the uses that one source names, from many goroutines.
type collector struct {
	mu   sync.Mutex
	uses []Use
}

// add notes that by uses an image. The digest is the one recorded with it, or
// empty. An image of another registry is none of ours; one of an ECR registry
// that cannot be read is an error, since it is in use and not known.
func (c *collector) add(image, digest, by string) error {
	return c.addUse(image, digest, Use{By: by})
}

// addUse is add for a use that is more than by something.
func (c *collector) addUse(image, digest string, use Use) error {
	refs, err := references(image, digest)
	if errors.Is(err, reference.ErrNotECR) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", use.By, err)
	}
	c.note(refs, use)
	return nil
}

// note notes a use of each of the references.
func (c *collector) note(refs []reference.Reference, use Use) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, use.Reference = range refs {
		c.uses = append(c.uses, use)
	}
}

// references returns what an image and its recorded digest refer to. The two
// may name different manifests, an index and one of its children, say: then
// both are in use.
func references(image, digest string) ([]reference.Reference, error) {
	ref, err := reference.Parse(image)
	switch {
	case err != nil:
		return nil, err
	case digest == "":
		return []reference.Reference{ref}, nil
	}
	recorded, err := ref.WithDigest(digest)
	if err != nil {
		return nil, fmt.Errorf("recorded digest of %s: %w", ref, err)
	}
	if ref.Digest == "" || ref == recorded {
		return []reference.Reference{recorded}, nil
	}
	return []reference.Reference{ref, recorded}, nil
}

// yield hands the uses to a consumer and then, unless it is nil, the error.
func (c *collector) yield(err error, yield func(Use, error) bool) {
	for _, use := range c.uses {
		if !yield(use, nil) {
			return
		}
	}
	if err != nil {
		yield(Use{}, err)
	}
}
