package fakeecr

import (
	"slices"
	"time"
)

// The image statuses of the ECR API.
const (
	statusActive   = "ACTIVE"
	statusArchived = "ARCHIVED"
)

// An Image is one image of a repository. The fields are those of ECR's
// ImageDetail, and the manifest.
type Image struct {
	// Digest identifies the image in its repository. When it is empty, Put
	// takes the SHA-256 of the manifest.
	Digest string
	// Tags may be empty.
	Tags []string
	// PushedAt is the time of Put when it is zero. The zero value of the
	// other times means never; they are then absent from answers.
	PushedAt             time.Time
	LastRecordedPullTime time.Time
	LastArchivedAt       time.Time
	LastActivatedAt      time.Time
	// Status is ACTIVE when it is empty.
	Status string
	// SizeInBytes is answered as given.
	SizeInBytes int64
	// ManifestMediaType, ArtifactMediaType, SubjectDigest and Children are
	// read from Manifest when they are empty. Without a manifest the media
	// type is that of an OCI index when there are children, else of an OCI
	// image, and the artifact media type that of the image's configuration.
	ManifestMediaType string
	ArtifactMediaType string
	SubjectDigest     string
	// Manifest is generated when it is empty. It need not be valid JSON.
	Manifest string
	// Children are the digests that an index lists. They need not be stored.
	Children []string
}

func (im Image) clone() Image {
	im.Tags = slices.Clone(im.Tags)
	im.Children = slices.Clone(im.Children)
	return im
}

// A record is an image in a repository.
type record struct {
	// Image is complete, but for a manifest that can be generated again: a
	// million of them would not fit.
	Image
	// serial tells generated manifests apart; 0 means that the digest does.
	serial uint64
	// removed marks a record that is still in its repository's order.
	removed bool
}

// newRecord completes im as [Server.Put] documents.
func (s *Server) newRecord(im Image) *record {
	rec := &record{Image: im.clone()}
	rec.readManifest()
	rec.setDefaults(s.instant())
	if rec.Digest == "" {
		if rec.Manifest == "" {
			s.serial++
			rec.serial = s.serial
		}
		rec.Digest = digestOf(rec.manifest())
	}
	if !digestPattern.MatchString(rec.Digest) {
		panic("fakeecr: Put: malformed digest " + rec.Digest)
	}
	return rec
}

func (rec *record) setDefaults(now time.Time) {
	if rec.Status == "" {
		rec.Status = statusActive
	}
	if rec.PushedAt.IsZero() {
		rec.PushedAt = now
	}
	if rec.ManifestMediaType == "" {
		rec.ManifestMediaType = mediaTypeFor(rec.Children)
	}
	if rec.ArtifactMediaType == "" {
		rec.ArtifactMediaType = configTypes[rec.ManifestMediaType]
	}
	for _, t := range []*time.Time{&rec.PushedAt, &rec.LastRecordedPullTime, &rec.LastArchivedAt, &rec.LastActivatedAt} {
		*t = milliseconds(*t)
	}
}

// milliseconds returns t in the precision and zone in which it is answered.
func milliseconds(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}

// snapshot returns the image with its manifest, sharing nothing with rec.
func (rec *record) snapshot() Image {
	im := rec.clone()
	im.Manifest = rec.manifest()
	return im
}

func (rec *record) isIndex() bool { return indexTypes[rec.ManifestMediaType] }
