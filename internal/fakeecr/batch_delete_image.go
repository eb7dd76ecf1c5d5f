package fakeecr

import (
	"cmp"
	"slices"
	"strings"
)

type batchDeleteImageRequest struct {
	repositoryRef
	ImageIDs []imageID `json:"imageIds"`
}

type batchDeleteImageResponse struct {
	ImageIDs []imageID `json:"imageIds"`
	Failures []failure `json:"failures"`
}

func (in *batchDeleteImageRequest) check() error {
	return cmp.Or(in.repositoryRef.check(), checkPresent("imageIds", in.ImageIDs != nil), checkImageIDs(in.ImageIDs))
}

// A deletion is one identifier of a request, resolved before the call deletes anything.
type deletion struct {
	id     imageID
	rec    *record
	guards []string // see [repository.guards]
	failed *failure
}

func (s *Server) batchDeleteImage(r *repository, in *batchDeleteImageRequest) (any, error) {
	deletions := make([]deletion, len(in.ImageIDs))
	for i, id := range in.ImageIDs {
		deletions[i] = s.plan(r, id)
	}
	out := batchDeleteImageResponse{[]imageID{}, []failure{}}
	for _, d := range deletions {
		deleted, failed := r.delete(d)
		out.ImageIDs = append(out.ImageIDs, deleted...)
		if failed != nil {
			out.Failures = append(out.Failures, *failed)
		}
	}
	return out, nil
}

func (s *Server) plan(r *repository, id imageID) deletion {
	rec, failed := r.resolve(id)
	if failed != nil {
		return deletion{id: id, failed: failed}
	}
	if code := cmp.Or(s.refused[rec.Digest], s.injection.refuses()); code != "" {
		return deletion{id: id, failed: id.failure(code)}
	}
	return deletion{id: id, rec: rec, guards: r.guards(rec.Digest)}
}

// delete carries out a deletion and returns the deleted identifiers. It returns none if
// an earlier deletion of the same call deleted them.
func (r *repository) delete(d deletion) ([]imageID, *failure) {
	switch {
	case d.failed != nil:
		return nil, d.failed
	case d.rec.removed, d.id.ImageTag != "" && !slices.Contains(d.rec.Tags, d.id.ImageTag):
		return nil, nil
	case d.id.ImageTag != "" && len(d.rec.Tags) > 1:
		r.untag(d.id.ImageTag)
		return []imageID{{d.rec.Digest, d.id.ImageTag}}, nil
	case len(d.guards) > 0:
		return nil, &failure{d.id, "ImageReferencedByManifestList", guardReason(d.guards)}
	}
	ids := d.rec.identifiers()
	r.remove(d.rec)
	return ids, nil
}

// guardReason is the message of ECR.
func guardReason(indexes []string) string {
	return "Requested image referenced by manifest list: [" + strings.Join(indexes, ", ") + "]"
}
