package fakeecr

import (
	"cmp"
	"iter"
)

type describeImagesRequest struct {
	repositoryRef
	paging
	ImageIDs []imageID   `json:"imageIds"`
	Filter   imageFilter `json:"filter"`
}

func (in *describeImagesRequest) check() error {
	if err := cmp.Or(in.repositoryRef.check(), in.paging.check(maxPage), in.Filter.check()); err != nil {
		return err
	}
	if in.ImageIDs == nil {
		return nil
	}
	return cmp.Or(checkImageIDs(in.ImageIDs), in.checkAbsent("imageIds"))
}

func (s *Server) describeImages(r *repository, in *describeImagesRequest) (any, error) {
	if in.ImageIDs != nil {
		return s.describeNamed(r, in)
	}
	filter := in.Filter.orActive()
	l := listing[*record]{
		scope: scopeOf("DescribeImages", r.name, filter.TagStatus, filter.ImageStatus),
		size:  in.size(defaultPage),
		key:   func(rec *record) string { return rec.Digest },
	}
	page, next, err := l.page(s, &in.paging, func(after string) iter.Seq[*record] { return r.admitted(filter, after) })
	return s.encodeDetails(r, page, next), err
}

// describeNamed returns each image once. If an image does not exist, the call fails. It
// applies the filter only if the request has one.
func (s *Server) describeNamed(r *repository, in *describeImagesRequest) (any, error) {
	var named []*record
	seen := map[*record]bool{}
	for _, id := range in.ImageIDs {
		rec, err := s.lookUp(r, id)
		if err != nil {
			return nil, err
		}
		if !seen[rec] && in.Filter.admits(rec) {
			named = append(named, rec)
		}
		seen[rec] = true
	}
	return s.encodeDetails(r, named, nil), nil
}

// admitted yields the images that pass the filter and come after the digest.
func (r *repository) admitted(filter imageFilter, after string) iter.Seq[*record] {
	return func(yield func(*record) bool) {
		for rec := range r.from(after) {
			if rec.Digest != after && filter.admits(rec) && !yield(rec) {
				return
			}
		}
	}
}
