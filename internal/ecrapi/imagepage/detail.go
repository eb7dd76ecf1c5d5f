package imagepage

import (
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// words are the strings of an image that it has for itself.
type words struct {
	digest, subject []byte
	// tags are those of a list, which may be empty, if there is one.
	tags   [][]byte
	tagged bool
}

// imageDetail reads an image detail, or null, which is one that says nothing,
// into an image that is zero.
func (d *decoder) imageDetail(im *evaluator.Image) {
	im.Status = evaluator.Active // as from an API that knows no archive
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

// unused reads a member that says nothing about what an image is. One that
// the API knows must still be of its type.
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

// setWords gives the image its digest, tags and subject. Their texts, and the
// lists of tags, share memory with those of a few images beside it, so that one
// that is kept does not keep many.
func (d *decoder) setWords(im *evaluator.Image) {
	w := &d.words
	size := len(w.digest) + len(w.subject)
	for _, tag := range w.tags {
		size += len(tag)
	}
	if d.texts.Cap()-d.texts.Len() < size {
		d.texts = strings.Builder{}
		d.texts.Grow(max(size, textsRoom))
	}
	im.Digest, im.SubjectDigest = d.kept(w.digest), d.kept(w.subject)
	if !w.tagged {
		return
	}
	n := len(w.tags)
	if d.lists == nil || len(d.lists) < n { // no tags are a list, too
		d.lists = make([]string, max(n, listsRoom))
	}
	im.Tags, d.lists = d.lists[:n:n], d.lists[n:]
	for i, tag := range w.tags {
		im.Tags[i] = d.kept(tag)
	}
}

// kept returns the text as a string, for which there is room.
func (d *decoder) kept(text []byte) string {
	from := d.texts.Len()
	d.texts.Write(text)
	return d.texts.String()[from:]
}

// status returns the status of that name; "" means none.
func status(text []byte) evaluator.ImageStatus {
	switch string(text) {
	case "", string(evaluator.Active):
		return evaluator.Active
	case string(evaluator.Archived):
		return evaluator.Archived
	}
	return evaluator.ImageStatus(text)
}

// mediaType returns the text as a string that images share.
func (d *decoder) mediaType(text []byte) string {
	for _, known := range d.mediaTypes {
		if known == string(text) {
			return known
		}
	}
	fresh := string(text)
	if len(d.mediaTypes) < maxMediaTypes {
		d.mediaTypes = append(d.mediaTypes, fresh)
	}
	return fresh
}
