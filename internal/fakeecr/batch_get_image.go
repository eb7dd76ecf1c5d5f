package fakeecr

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"
)

type batchGetImageRequest struct {
	repositoryRef
	ImageIDs           []imageID `json:"imageIds"`
	AcceptedMediaTypes []string  `json:"acceptedMediaTypes"`
}

type batchGetImageResponse struct {
	Images   []pulledImage `json:"images"`
	Failures []failure     `json:"failures"`
}

// A pulledImage is ECR's Image.
type pulledImage struct {
	RegistryID             string  `json:"registryId"`
	RepositoryName         string  `json:"repositoryName"`
	ImageID                imageID `json:"imageId"`
	ImageManifest          string  `json:"imageManifest"`
	ImageManifestMediaType string  `json:"imageManifestMediaType"`
}

func (in *batchGetImageRequest) check() error {
	if err := cmp.Or(in.repositoryRef.check(), checkPresent("imageIds", in.ImageIDs != nil)); err != nil {
		return err
	}
	if in.AcceptedMediaTypes != nil {
		if err := checkLength("acceptedMediaTypes", len(in.AcceptedMediaTypes), 1, maxBatch); err != nil {
			return err
		}
	}
	return checkImageIDs(in.ImageIDs)
}

// accepts reports whether the request takes manifests of the type. One that
// names no types takes all but indexes.
func (in *batchGetImageRequest) accepts(mediaType string) bool {
	if in.AcceptedMediaTypes == nil {
		return !indexTypes[mediaType]
	}
	return slices.Contains(in.AcceptedMediaTypes, mediaType)
}

func (s *Server) batchGetImage(in *batchGetImageRequest) (any, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	r, err := s.find("BatchGetImage", in.repositoryRef)
	if err != nil {
		return nil, err
	}
	out := batchGetImageResponse{[]pulledImage{}, []failure{}}
	for _, id := range in.ImageIDs {
		asked, served, failed := r.pull(in, id)
		if failed != nil {
			out.Failures = append(out.Failures, *failed)
			continue
		}
		if !s.pullExcluded {
			s.recordPull(asked)
		}
		out.Images = append(out.Images, s.pulled(r, id, asked, served)...)
	}
	return out, nil
}

// pull returns the image that was asked for and the one whose manifest is the
// answer, which differ when an index is not accepted.
func (r *repository) pull(in *batchGetImageRequest, id imageID) (asked, served *record, failed *failure) {
	asked, failed = r.resolve(id)
	if failed != nil {
		return nil, nil, failed
	}
	served = asked
	if asked.isIndex() && !in.accepts(asked.ManifestMediaType) {
		served = r.child(asked)
	}
	if served == nil || asked.Status != statusActive || !in.accepts(served.ManifestMediaType) {
		return nil, nil, id.failure("ImageNotFound")
	}
	return asked, served, nil
}

// child returns the child of an index for which linux/amd64 is named or, when
// there is none, the first; nil when none can be pulled.
func (r *repository) child(index *record) *record {
	var m manifest
	if json.Unmarshal([]byte(index.manifest()), &m) != nil {
		return nil
	}
	var first *record
	for _, d := range m.Manifests {
		rec := r.images[d.Digest]
		if rec == nil || rec.Status != statusActive {
			continue
		}
		if d.Platform != nil && *d.Platform == (platform{"amd64", "linux"}) {
			return rec
		}
		if first == nil {
			first = rec
		}
	}
	return first
}

// pullRefresh is the age of a recorded pull from which the next pull is recorded.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageDetail.html
const pullRefresh = 24 * time.Hour

// recordPull records a pull now, unless a pull of the last 24 hours is recorded.
func (s *Server) recordPull(rec *record) {
	if now := s.instant(); now.Sub(rec.LastRecordedPullTime) >= pullRefresh {
		rec.LastRecordedPullTime = now
	}
}

// pulled answers with the tag that was asked for, or else with each tag.
func (s *Server) pulled(r *repository, id imageID, asked, served *record) []pulledImage {
	ids := asked.identifiers()
	if id.ImageTag != "" {
		ids = []imageID{id}
	}
	text := served.manifest()
	images := make([]pulledImage, len(ids))
	for i, id := range ids {
		id.ImageDigest = served.Digest
		images[i] = pulledImage{s.account, r.name, id, text, served.ManifestMediaType}
	}
	return images
}
