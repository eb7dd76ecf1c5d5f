package imagepage

import (
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// A detail is an image detail with its strings where they stand in the text.
type detail struct {
	digest, status, subject              []byte
	manifestMediaType, artifactMediaType []byte
	pushed, pulled, archived, activated  time.Time
	size                                 int64
	// tags are those of a list, which may be empty, if there is one.
	tags   [][]byte
	tagged bool
}

// imageDetail reads an image detail, or null, which is one that says nothing.
func (d *decoder) imageDetail() {
	d.detail = detail{tags: d.detail.tags[:0]}
	if d.null() {
		return
	}
	for name := range d.members {
		switch string(name) {
		case "imageDigest":
			d.detail.digest = d.str()
		case "imageTags":
			d.imageTags()
		case "imageStatus":
			d.detail.status = d.repeated(&d.memo.status)
		case "imageManifestMediaType":
			d.detail.manifestMediaType = d.repeated(&d.memo.manifestMediaType)
		case "artifactMediaType":
			d.detail.artifactMediaType = d.repeated(&d.memo.artifactMediaType)
		case "subjectManifestDigest":
			d.detail.subject = d.str()
		case "imagePushedAt":
			d.detail.pushed = d.epochSeconds()
		case "lastRecordedPullTime":
			d.detail.pulled = d.epochSeconds()
		case "lastArchivedAt":
			d.detail.archived = d.epochSeconds()
		case "lastActivatedAt":
			d.detail.activated = d.epochSeconds()
		case "imageSizeInBytes":
			d.detail.size = d.integer(64)
		default:
			d.unused(name)
		}
	}
}

func (d *decoder) imageTags() {
	d.detail.tags, d.detail.tagged = d.detail.tags[:0], true
	for range d.elements {
		var tag []byte
		if !d.null() {
			tag = d.str()
		}
		d.detail.tags = append(d.detail.tags, tag)
	}
}

// unused reads a member that says nothing about what an image is. One that
// the API knows must still be of its type.
func (d *decoder) unused(name []byte) {
	switch string(name) {
	case "registryId":
		d.repeated(&d.memo.registryID)
	case "repositoryName":
		d.repeated(&d.memo.repositoryName)
	case "imageScanStatus":
		d.imageScanStatus()
	case "imageScanFindingsSummary":
		d.imageScanFindingsSummary()
	default:
		d.skip()
	}
}

func (d *decoder) imageScanStatus() {
	for name := range d.members {
		switch string(name) {
		case "status", "description":
			d.str()
		default:
			d.skip()
		}
	}
}

func (d *decoder) imageScanFindingsSummary() {
	for name := range d.members {
		switch string(name) {
		case "imageScanCompletedAt", "vulnerabilitySourceUpdatedAt":
			d.epochSeconds()
		case "findingSeverityCounts":
			for range d.members {
				d.integer(32)
			}
		default:
			d.skip()
		}
	}
}

// image makes the image of the detail just read.
func (d *decoder) image() evaluator.Image {
	raw := &d.detail
	im := evaluator.Image{
		Status:               status(raw.status),
		PushedAt:             raw.pushed,
		LastRecordedPullTime: raw.pulled,
		LastArchivedAt:       raw.archived,
		LastActivatedAt:      raw.activated,
		SizeInBytes:          raw.size,
		ManifestMediaType:    again(&d.manifestMediaType, raw.manifestMediaType),
		ArtifactMediaType:    again(&d.artifactMediaType, raw.artifactMediaType),
	}
	d.name(&im)
	return im
}

// name gives the image its digest, tags and subject, which share one string.
func (d *decoder) name(im *evaluator.Image) {
	raw := &d.detail
	d.words = append(append(d.words[:0], raw.digest...), raw.subject...)
	for _, tag := range raw.tags {
		d.words = append(d.words, tag...)
	}
	words := string(d.words)
	next := func(text []byte) (word string) {
		word, words = words[:len(text)], words[len(text):]
		return word
	}
	im.Digest, im.SubjectDigest = next(raw.digest), next(raw.subject)
	if !raw.tagged {
		return
	}
	im.Tags = make([]string, len(raw.tags))
	for i, tag := range raw.tags {
		im.Tags[i] = next(tag)
	}
}

// status returns the status of that name; none means ACTIVE, as from an API
// that knows no archive.
func status(text []byte) evaluator.ImageStatus {
	switch string(text) {
	case "", string(evaluator.Active):
		return evaluator.Active
	case string(evaluator.Archived):
		return evaluator.Archived
	}
	return evaluator.ImageStatus(text)
}

// again returns the text as a string, the last one if that is equal.
func again(last *string, text []byte) string {
	if len(text) == 0 {
		return ""
	}
	if *last != string(text) {
		*last = string(text)
	}
	return *last
}
