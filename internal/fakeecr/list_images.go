package fakeecr

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

type listImagesRequest struct {
	repositoryRef
	paging
	Filter imageFilter `json:"filter"`
}

type listImagesResponse struct {
	ImageIDs  []imageID `json:"imageIds"`
	NextToken *string   `json:"nextToken,omitempty"`
}

func (in *listImagesRequest) check() error {
	return cmp.Or(in.repositoryRef.check(), in.paging.check(maxPage), in.Filter.check())
}

func (s *Server) listImages(r *repository, in *listImagesRequest) (any, error) {
	filter := in.Filter.orActive()
	l := listing[imageID]{
		scope: scopeOf("ListImages", r.name, filter.TagStatus, filter.ImageStatus),
		size:  in.size(defaultPage),
		key:   func(id imageID) string { return id.ImageDigest + "\x00" + id.ImageTag },
	}
	page, next, err := l.page(s, &in.paging, func(after string) iter.Seq[imageID] { return r.identifiers(filter, after) })
	return listImagesResponse{page, next}, err
}

// identifiers yields the identifiers of the images that pass the filter, ordered by digest
// and tag, after the last one.
func (r *repository) identifiers(filter imageFilter, last string) iter.Seq[imageID] {
	digest, tag, _ := strings.Cut(last, "\x00")
	return func(yield func(imageID) bool) {
		for rec := range r.from(digest) {
			if !filter.admits(rec) {
				continue
			}
			for _, id := range sortedByTag(rec.identifiers()) {
				passed := id.ImageDigest == digest && id.ImageTag <= tag
				if !passed && !yield(id) {
					return
				}
			}
		}
	}
}

func sortedByTag(ids []imageID) []imageID {
	slices.SortFunc(ids, func(a, b imageID) int { return strings.Compare(a.ImageTag, b.ImageTag) })
	return ids
}
