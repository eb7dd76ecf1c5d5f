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

// accepts reports whether the request accepts the media type. Without a list it accepts
// all types except indexes.
func (in *batchGetImageRequest) accepts(mediaType string) bool {
	if in.AcceptedMediaTypes == nil {
		return !indexTypes[mediaType]
	}
	return slices.Contains(in.AcceptedMediaTypes, mediaType)
}

func (s *Server) batchGetImage(r *repository, in *batchGetImageRequest) (any, error) {
	out := batchGetImageResponse{[]pulledImage{}, []failure{}}
	for _, id := range in.ImageIDs {
		requested, served, failed := r.pull(in, id)
		if failed != nil {
			out.Failures = append(out.Failures, *failed)
			continue
		}
		if !s.pullExcluded {
			s.recordPull(requested)
		}
		out.Images = append(out.Images, s.pulled(r, id, requested, served)...)
	}
	return out, nil
}

// pull returns the requested image and the image whose manifest is the answer: a child,
// if the request does not accept the requested index.
func (r *repository) pull(in *batchGetImageRequest, id imageID) (requested, served *record, failed *failure) {
	requested, failed = r.resolve(id)
	if failed != nil {
		return nil, nil, failed
	}
	served = requested
	if requested.isIndex() && !in.accepts(requested.ManifestMediaType) {
		served = r.child(requested)
	}
	if served == nil || requested.Status != statusActive || !in.accepts(served.ManifestMediaType) {
		return nil, nil, id.failure("ImageNotFound")
	}
	return requested, served, nil
}

// child returns the linux/amd64 child of an index, or else its first child. It returns nil
// if no child can be pulled.
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

// ECR records at most one pull in pullRefresh.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageDetail.html
const pullRefresh = 24 * time.Hour

func (s *Server) recordPull(rec *record) {
	if now := s.instant(); now.Sub(rec.LastRecordedPullTime) >= pullRefresh {
		rec.LastRecordedPullTime = now
	}
}

// pulled returns one image for the requested tag, or for each tag if the request has no
// tag.
func (s *Server) pulled(r *repository, id imageID, requested, served *record) []pulledImage {
	ids := requested.identifiers()
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
