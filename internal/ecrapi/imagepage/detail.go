package imagepage

import (
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// words are the strings that differ between images.
type words struct {
	digest, subject []byte
	tags            [][]byte
	tagged          bool // the image detail has a list of tags, which may be empty
}

// imageDetail reads an image detail, or null, into an image that is zero.
func (d *decoder) imageDetail(im *evaluator.Image) {
	im.Status = evaluator.Active // unless the detail has another
	if d.null() {
		return
	}
	d.words = words{tags: d.words.tags[:0]}
	for name := range d.members {
		switch string(name) {
		case "imageDigest":
			d.words.digest = d.str()
		case "imageTags":
			d.imageTags()
		case "imageStatus":
			im.Status = status(d.repeated(&d.status))
		case "imageManifestMediaType":
			im.ManifestMediaType = d.mediaType(d.repeated(&d.manifest))
		case "subjectManifestDigest":
			d.words.subject = d.str()
		case "imagePushedAt":
			im.PushedAt = d.instant()
		case "lastRecordedPullTime":
			im.LastRecordedPullTime = d.instant()
		case "lastArchivedAt":
			im.LastArchivedAt = d.instant()
		case "lastActivatedAt":
			im.LastActivatedAt = d.instant()
		case "imageSizeInBytes":
			im.SizeInBytes = d.integer(64)
		default:
			d.unused(name)
		}
	}
	d.setWords(im)
}

func (d *decoder) imageTags() {
	d.words.tags, d.words.tagged = d.words.tags[:0], true
	for range d.elements {
		var tag []byte
		if !d.null() {
			tag = d.str()
		}
		d.words.tags = append(d.words.tags, tag)
	}
}

// unused reads a member without an effect on the image. A member that the API defines
// must still have its type.
func (d *decoder) unused(name []byte) {
	switch string(name) {
	case "artifactMediaType":
		d.repeated(&d.artifact)
	case "registryId":
		d.repeated(&d.registryID)
	case "repositoryName":
		d.repeated(&d.repositoryName)
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
			d.instant()
		case "findingSeverityCounts":
			for range d.members {
				d.integer(32)
			}
		default:
			d.skip()
		}
	}
}

// setWords sets the digest, tags and subject of the image. They share memory with those
// of a few neighbours only, so that one image in use does not hold a whole page in memory.
func (d *decoder) setWords(im *evaluator.Image) {
	w := &d.words
	size := len(w.digest) + len(w.subject)
	for _, tag := range w.tags {
		size += len(tag)
	}
	if d.texts.Cap()-d.texts.Len() < size {
		d.texts = strings.Builder{}
		d.texts.Grow(max(size, textsSize))
	}
	im.Digest, im.SubjectDigest = d.copied(w.digest), d.copied(w.subject)
	if !w.tagged {
		return
	}
	n := len(w.tags)
	if d.lists == nil || len(d.lists) < n { // an empty list of tags is not nil
		d.lists = make([]string, max(n, listsSize))
	}
	im.Tags, d.lists = d.lists[:n:n], d.lists[n:]
	for i, tag := range w.tags {
		im.Tags[i] = d.copied(tag)
	}
}

// copied returns a copy of the text. The capacity of d.texts must suffice.
func (d *decoder) copied(text []byte) string {
	from := d.texts.Len()
	d.texts.Write(text)
	return d.texts.String()[from:]
}

// status returns the status with this name, without an allocation for the usual ones.
func status(text []byte) evaluator.ImageStatus {
	switch string(text) {
	case "", string(evaluator.Active):
		return evaluator.Active
	case string(evaluator.Archived):
		return evaluator.Archived
	}
	return evaluator.ImageStatus(text)
}

// mediaType returns a copy that images share.
func (d *decoder) mediaType(text []byte) string {
	for _, known := range d.mediaTypes {
		if known == string(text) {
			return known
		}
	}
	added := string(text)
	if len(d.mediaTypes) < maxMediaTypes {
		d.mediaTypes = append(d.mediaTypes, added)
	}
	return added
}
