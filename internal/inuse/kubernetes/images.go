package kubernetes

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/kubernetes/workload"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// object yields the images of an object of a built-in kind.
func (s *scan) object(r resource, text []byte) error {
	name, images, err := workload.Images(r.kind, text)
	if err != nil {
		return err
	}
	by := s.by(strings.ToLower(r.kind), name)
	for _, image := range images {
		if image.Problem != "" {
			s.unresolved.add(by + ": " + image.Problem)
		}
		if err := s.image(by, image); err != nil {
			return err
		}
	}
	if !workload.Searched(r.kind) {
		return nil
	}
	found, err := s.references(text)
	found = slices.DeleteFunc(found, func(r workload.Reference) bool {
		return !r.AnyTag && slices.ContainsFunc(images, func(i workload.Image) bool { return i.Name == r.Text })
	})
	return cmp.Or(err, s.found(by, found))
}

// by returns the user of an image, such as "pod default/web-1 (EKS cluster prod)".
func (s *scan) by(kind, name string) string { return fmt.Sprintf("%s %s (%s)", kind, name, s.Name) }

// image yields an image of a container. If its name is not a reference, a recorded digest
// is in use in any repository.
func (s *scan) image(by string, image workload.Image) error {
	ref, err := reference.ParseAny(image.Name)
	switch {
	case errors.Is(err, reference.ErrNoReference):
		s.unreadable.add(fmt.Sprintf("%s: its image is %.200q, which is not a reference", by, image.Name))
		if image.Digest == "" {
			return nil
		}
		ref, image.Runs = reference.Reference{}, false
	case err != nil:
		return fmt.Errorf("%s: %w; correct or delete the object", by, err)
	}
	use := inuse.Use{Reference: ref, By: by, Runs: image.Runs && ref.Digest == ""}
	if image.Digest != "" {
		if use.Reference, err = ref.WithDigest(image.Digest); err != nil {
			return fmt.Errorf("%s: recorded digest of %.200q: %w", by, image.Name, err)
		}
	}
	return s.use(use)
}

// use yields the use, unless there were MaxUses of its image.
func (s *scan) use(use inuse.Use) error {
	if s.yielded[use.Reference] == MaxUses {
		return nil
	}
	s.yielded[use.Reference]++
	if !s.yield(use, nil) {
		return errStopped
	}
	return nil
}

// customObject yields the images in an object of any other kind.
func (s *scan) customObject(r resource, text []byte) error {
	found, err := s.references(text)
	if err != nil || len(found) == 0 {
		return err
	}
	var object struct {
		Metadata struct{ Namespace, Name string }
	}
	_ = json.Unmarshal(text, &object) // it is JSON, and the name is for messages only
	name := strings.TrimPrefix(object.Metadata.Namespace+"/"+object.Metadata.Name, "/")
	return s.found(s.by(strings.TrimSuffix(strings.ToLower(r.kind)+"."+r.group, "."), name), found)
}

func (s *scan) references(text []byte) ([]workload.Reference, error) {
	return workload.References(text, slices.Sorted(maps.Keys(s.Aliases)))
}

// found yields the images of the references in an object.
func (s *scan) found(by string, references []workload.Reference) error {
	for _, f := range references {
		ref, err := reference.ParseAny(strings.Clone(f.Text)) // the text can be a part of a long script
		if f.Problem == "" && err != nil {
			f.Problem = err.Error()
		}
		if f.Problem != "" {
			s.unreadable.add(fmt.Sprintf("%s: %.200q: %s", by, f.Text, f.Problem))
			continue
		}
		if f.AnyTag {
			ref.Tag, ref.Digest = "", "" // no use of a tag is equal, of which there may be MaxUses already
		}
		if err := s.use(inuse.Use{Reference: ref, By: by, AllImages: f.AnyTag}); err != nil {
			return err
		}
	}
	return nil
}

// examples are the first of many texts.
type examples struct {
	first []string
	count int
}

func (e *examples) add(text string) {
	const most = 5
	if e.count++; e.count <= most {
		e.first = append(e.first, text)
	}
}

// findings yields the findings about the cluster.
func (s *scan) findings() error {
	var all []finding.Finding
	if len(s.notListed) > 0 {
		all = append(all, finding.Finding{Kind: finding.NotListed, Message: s.notListedMessage()})
	}
	if len(s.down) > 0 {
		all = append(all, finding.Finding{Kind: finding.NotListed, Message: fmt.Sprintf(
			"%s: the server of the API group %s does not answer, and the cleaner does not know the kinds in it; repair or delete its APIService", s.Name, strings.Join(s.down, " and of "))})
	}
	if n := s.unresolved.count; n > 0 {
		all = append(all, finding.Finding{Kind: finding.UnresolvedDigest, Message: fmt.Sprintf(
			"%s: no digest of a manifest is recorded for %s, such as %s", s.Name,
			words.Count(n, "container", "containers"), strings.Join(s.unresolved.first, "; "))})
	}
	if n := s.unreadable.count; n > 0 {
		all = append(all, finding.Finding{Kind: finding.UnreadableReference, Message: fmt.Sprintf(
			"%s: %s an image that the cleaner cannot identify, such as %s", s.Name,
			words.Count(n, "object names", "objects name"), strings.Join(s.unreadable.first, "; "))})
	}
	for _, f := range all {
		if !s.yield(inuse.Use{Finding: f}, nil) {
			return errStopped
		}
	}
	return nil
}
