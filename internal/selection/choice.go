package selection

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Choice chooses the images that a person wants to remove from one repository.
type Choice struct {
	// Choose returns the chosen images, each once. Again is true after the run has removed
	// some of them.
	Choose func(l *Listing, now time.Time, again bool) ([]Chosen, error)
	// KeepNewest is how many of the newest chosen images are kept. Images that belong to
	// others, such as the platforms of a multi-platform image, do not count.
	KeepNewest int
	// Named is true if a person named each image. Then orphans may be deleted, too.
	Named bool
}

// Chosen is one chosen image.
type Chosen struct {
	Position int
	Reason   string
	Untag    []string // the tags to remove instead of the image, or nil
}

// Named chooses images by digest, the beginning of one, or tag; with tagOnly only their tags,
// which must not be all tags of an image. Its Choose returns an error if a name does not mean
// exactly one listed image. It replaces the beginnings in names by the digests, because a later
// plan could find another image.
func Named(names []string, tagOnly bool) Choice {
	choose := func(l *Listing, _ time.Time, again bool) ([]Chosen, error) {
		positions, err := l.FindAll(names, again)
		if err != nil {
			return nil, err
		}
		var chosen []Chosen
		for at, i := range positions {
			if i < 0 {
				continue
			}
			isTag := slices.Contains(l.Images[i].Tags, names[at])
			if !isTag {
				names[at] = l.Images[i].Digest
			}
			if tagOnly && !isTag {
				return nil, fmt.Errorf("%s is no tag; name the tags to remove", names[at])
			}
			c := Chosen{Position: i, Reason: "named by a person as " + names[at]}
			if tagOnly {
				c.Untag = []string{names[at]}
			}
			chosen = merge(chosen, c)
		}
		if !tagOnly {
			return chosen, nil
		}
		return withoutLastTags(l, chosen, again)
	}
	return Choice{Choose: choose, Named: true}
}

// merge adds an image that may already be chosen by another name.
func merge(chosen []Chosen, c Chosen) []Chosen {
	i := slices.IndexFunc(chosen, func(other Chosen) bool { return other.Position == c.Position })
	if i < 0 {
		return append(chosen, c)
	}
	for _, tag := range c.Untag {
		if !slices.Contains(chosen[i].Untag, tag) {
			chosen[i].Untag = append(chosen[i].Untag, tag)
		}
	}
	chosen[i].Reason = c.Reason
	return chosen
}

// A LastTagError says that the tags to remove are all tags of an image.
type LastTagError struct {
	Digest string
	Tags   []string
}

func (e *LastTagError) Error() string {
	which := "is the only tag"
	if len(e.Tags) > 1 {
		which = "are all tags"
	}
	return fmt.Sprintf("%s %s of %s, and without a tag ECR would delete the image", strings.Join(e.Tags, ", "), which, e.Digest)
}

// withoutLastTags returns a [*LastTagError] if an image would lose all its tags. Again leaves
// it out, because its other tags have disappeared since.
func withoutLastTags(l *Listing, chosen []Chosen, again bool) ([]Chosen, error) {
	var rest []Chosen
	for _, c := range chosen {
		im := &l.Images[c.Position]
		switch {
		case len(im.Tags) > len(c.Untag):
			rest = append(rest, c)
		case !again:
			return nil, &LastTagError{im.Digest, c.Untag}
		}
	}
	return rest, nil
}
