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
	// Digest identifies the image in its repository. If it is empty, Put sets the SHA-256
	// of the manifest.
	Digest string
	Tags   []string
	// If PushedAt is zero, Put sets the time of the clock. The zero value of the other
	// times means never; answers do not have them then.
	PushedAt             time.Time
	LastRecordedPullTime time.Time
	LastArchivedAt       time.Time
	LastActivatedAt      time.Time
	Status               string // "" is ACTIVE
	SizeInBytes          int64
	// If ManifestMediaType, ArtifactMediaType, SubjectDigest or Children is empty, Put
	// reads it from Manifest. Without a manifest, the media type is OCI index for an image
	// with children, else OCI image, and the artifact media type is OCI configuration.
	ManifestMediaType string
	ArtifactMediaType string
	SubjectDigest     string
	// If Manifest is empty, Put generates it. It may be invalid JSON.
	Manifest string
	// Children are the digests in an index. The repository may lack these images.
	Children []string
}

func (im Image) clone() Image {
	im.Tags = slices.Clone(im.Tags)
	im.Children = slices.Clone(im.Children)
	return im
}

// A record is an image in a repository.
type record struct {
	// Image has no generated manifest, because a million manifests need too much memory.
	Image
	// serial makes a generated manifest unique; 0 means that the digest does.
	serial uint64
	// removed is true for a removed image that is still in the order of its repository.
	removed bool
}

// newRecord sets the empty fields of im as [Image] documents.
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

// milliseconds returns t in milliseconds and UTC, as answers have it.
func milliseconds(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}

// snapshot returns a deep copy of the image with its manifest.
func (rec *record) snapshot() Image {
	im := rec.clone()
	im.Manifest = rec.manifest()
	return im
}

func (rec *record) isIndex() bool { return indexTypes[rec.ManifestMediaType] }
