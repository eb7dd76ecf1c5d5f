package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// prepared has the answers about one repository.
type prepared struct {
	pages  map[request][]byte
	images map[string]image // by digest
}

// An image has the encoded parts of answers about one image.
type image struct {
	detail  []byte // of DescribeImages
	deleted []byte // of BatchDeleteImage: an identifier for each tag
}

// detailStart is the beginning of an image detail of the embedded registry.
const detailStart = `{"registryId":`

// prepare renders the answers about a repository.
func (s *Server) prepare(repository string) {
	p := &prepared{s.pages(repository), map[string]image{}}
	s.prepared[repository] = p
	for listing, page := range p.pages {
		if listing.imageStatus != "ANY" || listing.tagStatus != "" {
			continue // the other listings have the same images
		}
		details := page[bytes.IndexByte(page, '[')+1 : bytes.LastIndexByte(page, ']')]
		for len(details) > 0 {
			detail := details
			if next := bytes.Index(details[1:], []byte(detailStart)); next >= 0 {
				detail = details[:next] // without the comma
			}
			p.add(detail)
			details = details[min(len(detail)+1, len(details)):]
		}
	}
}

func (p *prepared) add(detail []byte) {
	var im struct {
		ImageDigest string
		ImageTags   []string
	}
	if err := json.Unmarshal(detail, &im); err != nil {
		panic("bench: image detail: " + err.Error())
	}
	ids := []string{fmt.Sprintf(`{"imageDigest":%q}`, im.ImageDigest)}
	for i, tag := range im.ImageTags {
		ids = append(ids[:i], fmt.Sprintf(`{"imageDigest":%q,"imageTag":%q}`, im.ImageDigest, tag))
	}
	p.images[im.ImageDigest] = image{detail, []byte(strings.Join(ids, ","))}
}

// answer answers calls that list, describe and delete images by digest. It returns nil for
// other calls and for calls that would fail for an image.
func (s *Server) answer(operation string, body []byte) []byte {
	switch operation {
	case "DescribeImages":
		if bytes.Contains(body, []byte(`"imageIds"`)) {
			return s.describe(body)
		}
		return s.page(body)
	case "BatchDeleteImage":
		return s.remove(body)
	}
	return nil
}

// A listRequest has the members of a request for a page.
type listRequest struct {
	RepositoryName string
	MaxResults     int
	NextToken      string
	Filter         struct{ TagStatus, ImageStatus string }
}

func (s *Server) page(body []byte) []byte {
	var in listRequest
	if json.Unmarshal(body, &in) != nil || in.MaxResults != pageSize || s.prepared[in.RepositoryName] == nil {
		return nil
	}
	return s.prepared[in.RepositoryName].pages[request{in.NextToken, in.Filter.TagStatus, in.Filter.ImageStatus}]
}

func (s *Server) describe(body []byte) []byte {
	_, images := s.named(body)
	if images == nil {
		return nil
	}
	details := make([][]byte, len(images))
	for i, im := range images {
		details[i] = im.detail
	}
	return join(`{"imageDetails":[`, details, `]}`)
}

// remove also removes the images in the embedded registry. It drops the rendered listings.
func (s *Server) remove(body []byte) []byte {
	repository, images := s.named(body)
	if images == nil {
		return nil
	}
	p := s.prepared[repository]
	p.pages = nil
	ids := make([][]byte, len(images))
	for i, im := range images {
		ids[i] = im.deleted
	}
	digests := digestsIn(body)
	s.registry.Remove(repository, digests...)
	for _, digest := range digests {
		delete(p.images, digest)
	}
	return join(`{"imageIds":[`, ids, `],"failures":[]}`)
}

func join(start string, parts [][]byte, end string) []byte {
	return append(append([]byte(start), bytes.Join(parts, []byte(","))...), end...)
}

// named returns the images that a body names by digest. It returns nil if the body names a
// tag or an image that does not exist.
func (s *Server) named(body []byte) (repository string, images []image) {
	name := member(body, "repositoryName")
	p := s.prepared[name]
	if p == nil || bytes.Contains(body, []byte(`"imageTag"`)) {
		return name, nil
	}
	for _, digest := range digestsIn(body) {
		im, found := p.images[digest]
		if !found {
			return name, nil
		}
		images = append(images, im)
	}
	return name, images
}

// member finds the value of a member without decoding the body, because decoding 100
// identifiers takes longer than the answer. The value must not have escapes.
func member(body []byte, name string) string {
	_, rest, _ := bytes.Cut(body, []byte(`"`+name+`"`))
	_, rest, _ = bytes.Cut(rest, []byte(`"`))
	value, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(value)
}

func digestsIn(body []byte) []string {
	const prefix, length = "sha256:", len("sha256:") + 64
	var digests []string
	for {
		i := bytes.Index(body, []byte(prefix))
		if i < 0 || len(body) < i+length {
			return digests
		}
		digests = append(digests, string(body[i:i+length]))
		body = body[i+length:]
	}
}
