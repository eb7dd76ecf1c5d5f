package fakeecr

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
)

type listImageReferrersRequest struct {
	repositoryRef
	paging
	SubjectID *subjectID     `json:"subjectId"`
	Filter    referrerFilter `json:"filter"`
}

type subjectID struct {
	ImageDigest string `json:"imageDigest"`
}

// A referrerFilter is ECR's ListImageReferrersFilter.
type referrerFilter struct {
	ArtifactTypes  []string `json:"artifactTypes"`
	ArtifactStatus string   `json:"artifactStatus"`
}

type listImageReferrersResponse struct {
	Referrers []imageReferrer `json:"referrers"`
	NextToken *string         `json:"nextToken,omitempty"`
}

type imageReferrer struct {
	Digest         string            `json:"digest"`
	MediaType      string            `json:"mediaType"`
	ArtifactType   string            `json:"artifactType,omitempty"`
	Size           int64             `json:"size"`
	Annotations    map[string]string `json:"annotations,omitempty"`
	ArtifactStatus string            `json:"artifactStatus"`
}

func (in *listImageReferrersRequest) check() error {
	return cmp.Or(in.repositoryRef.check(), in.paging.check(maxReferrersPage),
		checkLength("filter.artifactTypes", len(in.Filter.ArtifactTypes), 0, maxArtifactTypes),
		checkStatus("filter.artifactStatus", in.Filter.ArtifactStatus), in.SubjectID.check())
}

func (id *subjectID) check() error {
	if id == nil {
		return checkPresent("subjectId", false)
	}
	if id.ImageDigest == "" {
		return checkPresent("subjectId.imageDigest", false)
	}
	return checkPattern("subjectId.imageDigest", id.ImageDigest, digestPattern, digestRegex)
}

// admits reports whether the referrer passes. Without a status only ACTIVE referrers pass.
func (f referrerFilter) admits(rec *record) bool {
	return admitsStatus(cmp.Or(f.ArtifactStatus, statusActive), rec.Status) &&
		(len(f.ArtifactTypes) == 0 || slices.Contains(f.ArtifactTypes, rec.ArtifactMediaType))
}

// listImageReferrers returns an empty list if the subject does not exist.
func (s *Server) listImageReferrers(r *repository, in *listImageReferrersRequest) (any, error) {
	l := listing[*record]{
		scope: scopeOf("ListImageReferrers", r.name, in.SubjectID.ImageDigest, fmt.Sprint(in.Filter)),
		size:  in.size(defaultReferrersPage),
		key:   func(rec *record) string { return rec.Digest },
	}
	page, next, err := l.page(s, &in.paging, func(after string) iter.Seq[*record] { return r.referrers(in, after) })
	out := listImageReferrersResponse{make([]imageReferrer, len(page)), next}
	for i, rec := range page {
		out.Referrers[i] = rec.referrer()
	}
	return out, err
}

func (r *repository) referrers(in *listImageReferrersRequest, after string) iter.Seq[*record] {
	return func(yield func(*record) bool) {
		for rec := range r.from(after) {
			asked := rec.SubjectDigest == in.SubjectID.ImageDigest && in.Filter.admits(rec)
			if asked && rec.Digest != after && !yield(rec) {
				return
			}
		}
	}
}

func (rec *record) referrer() imageReferrer {
	var m manifest
	_ = json.Unmarshal([]byte(rec.manifest()), &m) // an unreadable manifest has no annotations
	return imageReferrer{
		Digest:         rec.Digest,
		MediaType:      rec.ManifestMediaType,
		ArtifactType:   rec.ArtifactMediaType,
		Size:           rec.SizeInBytes,
		Annotations:    m.Annotations,
		ArtifactStatus: rec.Status,
	}
}
