package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/nearest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// position returns the position of the image with the digest, or of the first with the tag.
func (c *contents) position(name string) (i int, listed bool) {
	if c.positions == nil {
		c.positions, c.repeated = make(map[string]int, 2*len(c.images)), map[string][]int{}
		for i := range c.images {
			c.positions[c.images[i].Digest] = i
			for _, tag := range c.images[i].Tags {
				if first, found := c.positions[tag]; !found {
					c.positions[tag] = i
				} else if first != i {
					c.repeated[tag] = append(c.repeated[tag], i)
				}
			}
		}
	}
	i, listed = c.positions[name]
	return i, listed
}

// find is like position, and also takes the beginning of a digest. It returns an error if
// several listed images have the tag, or a digest with this beginning.
func (c *contents) find(name string) (i int, listed bool, err error) {
	i, listed = c.position(name)
	if !listed {
		return c.findPrefix(name)
	}
	if others := len(c.repeated[name]); others > 0 {
		err = fmt.Errorf("repository %s: the tag %s is on %d of the listed images, because it moved while they were listed; run again, or name the image by its digest",
			c.repository, name, others+1)
	}
	return i, listed, err
}

// digestPrefix returns the hexadecimal digits of the beginning of a digest, and the algorithm
// if it has one. At least four digits are needed. Without the algorithm, a number needs twelve,
// because a shorter one is more likely the tag of a build.
func digestPrefix(name string) (algorithm, digits string, ok bool) {
	algorithm, digits, whole := strings.Cut(name, ":")
	least := 4
	if !whole {
		algorithm, digits = "", name
		if strings.Trim(name, "0123456789") == "" {
			least = 12
		}
	}
	return algorithm, digits, len(digits) >= least && strings.Trim(digits, "0123456789abcdef") == ""
}

// findPrefix finds the only image whose digest begins with the prefix.
func (c *contents) findPrefix(prefix string) (i int, listed bool, err error) {
	algorithm, digits, ok := digestPrefix(prefix)
	if !ok {
		return 0, false, nil
	}
	var matching []string
	for j := range c.images {
		of, encoded, _ := strings.Cut(c.images[j].Digest, ":")
		if strings.HasPrefix(encoded, digits) && (algorithm == "" || of == algorithm) {
			i, matching = j, append(matching, c.images[j].Digest)
		}
	}
	if len(matching) > 1 {
		slices.Sort(matching)
		err = fmt.Errorf("repository %s: %d images have a digest that begins with %s: %s; give more digits of it",
			c.repository, len(matching), prefix, strings.Join(words.Few(matching), ", "))
	}
	return i, len(matching) > 0, err
}

// noImage is the error for names that no image has.
func (c *contents) noImage(names []string) error {
	var tags []string
	for i := range c.images {
		tags = append(tags, c.images[i].Tags...)
	}
	hinted := make([]string, len(names))
	for i, name := range names {
		hinted[i] = name + nearest.Hint(name, tags)
	}
	return fmt.Errorf("repository %s has no image with the digest or tag %s", c.repository, strings.Join(hinted, ", "))
}

// withName returns the positions of all images with the digest or tag.
func (c *contents) withName(name string) []int {
	if i, listed := c.position(name); listed {
		return append([]int{i}, c.repeated[name]...)
	}
	return nil
}
