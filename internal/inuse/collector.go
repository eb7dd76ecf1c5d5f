package inuse

import (
	"fmt"
	"strings"
	"sync"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// A collector gathers the uses that one source names, from many goroutines.
type collector struct {
	mu   sync.Mutex
	uses []Use
}

// add notes that by uses an image. The digest is the one recorded with it, or empty. An
// unreadable name is an error, because the image in use is then unknown.
func (c *collector) add(image, digest, by string) error {
	return c.addUse(image, digest, Use{By: by})
}

// addUse is add for a use with further fields than By.
func (c *collector) addUse(image, digest string, use Use) error {
	refs, err := references(image, digest)
	if err != nil {
		return fmt.Errorf("%s: %w", use.By, err)
	}
	if strings.Contains(image, "@") {
		use.Runs = false // the digest in its name decides, even if the tag moves
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

// references returns the references of an image and of its recorded digest. The
// two may name different manifests, for example an index and one of its
// children: then both are in use. A digest without an image is a reference to it
// in any repository.
func references(image, digest string) ([]reference.Reference, error) {
	var ref reference.Reference
	var err error
	if image != "" || digest == "" {
		ref, err = reference.ParseAny(image)
	}
	switch {
	case err != nil:
		return nil, err
	case digest == "":
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
