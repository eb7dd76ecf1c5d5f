package fakeecr

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// A repository has images. The lock of the server guards it.
type repository struct {
	name      string
	createdAt time.Time
	tags      map[string]string // resource tags
	policy    string            // the lifecycle policy, or ""
	// resourcePolicy is the repository policy, or "".
	resourcePolicy string
	// evaluatedAt is the lastEvaluatedAt of the lifecycle policy.
	evaluatedAt time.Time

	images  map[string]*record   // by digest
	byTag   map[string]*record   // all images with tags
	parents map[string][]*record // indexes by the digest of a child
	// order has the records ordered by digest, including removed ones. put sets it to nil.
	order []*record
}

func newRepository(name string, now time.Time) *repository {
	return &repository{
		name:      name,
		createdAt: now,
		images:    map[string]*record{},
		byTag:     map[string]*record{},
		parents:   map[string][]*record{},
	}
}

// put stores rec and replaces an image with the same digest.
func (r *repository) put(rec *record) {
	if old := r.images[rec.Digest]; old != nil {
		r.remove(old)
	}
	tags := rec.Tags
	rec.Tags = nil
	r.images[rec.Digest] = rec
	for _, tag := range tags {
		r.tag(rec, tag)
	}
	for _, child := range rec.children() {
		r.parents[child] = append(r.parents[child], rec)
	}
	r.order = nil
}

func (rec *record) children() []string {
	children := slices.Clone(rec.Children)
	slices.Sort(children)
	return slices.Compact(children)
}

// tag moves the tag to rec.
func (r *repository) tag(rec *record, tag string) {
	if r.byTag[tag] == rec {
		return
	}
	r.untag(tag)
	rec.Tags = append(rec.Tags, tag)
	r.byTag[tag] = rec
}

// untag removes the tag from its image, and keeps the image.
func (r *repository) untag(tag string) {
	rec := r.byTag[tag]
	if rec == nil {
		return
	}
	delete(r.byTag, tag)
	rec.Tags = slices.DeleteFunc(rec.Tags, func(t string) bool { return t == tag })
}

func (r *repository) remove(rec *record) {
	for _, tag := range rec.Tags {
		delete(r.byTag, tag)
	}
	for _, child := range rec.children() {
		r.forgetParent(child, rec)
	}
	delete(r.images, rec.Digest)
	rec.removed = true
	if len(r.order) > 2*len(r.images)+100 {
		r.order = nil
	}
}

func (r *repository) forgetParent(child string, parent *record) {
	left := slices.DeleteFunc(r.parents[child], func(p *record) bool { return p == parent })
	r.parents[child] = left
	if len(left) == 0 {
		delete(r.parents, child)
	}
}

// guards returns the ordered digests of the indexes that list the digest, without archived
// indexes. ECR refuses to delete their children.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
func (r *repository) guards(digest string) []string {
	var digests []string
	for _, parent := range r.parents[digest] {
		if parent.Status != statusArchived {
			digests = append(digests, parent.Digest)
		}
	}
	slices.Sort(digests)
	return digests
}

// from yields the images from the digest on.
func (r *repository) from(digest string) func(yield func(*record) bool) {
	if r.order == nil {
		r.sort()
	}
	start, _ := slices.BinarySearchFunc(r.order, digest, byDigest)
	return func(yield func(*record) bool) {
		for _, rec := range r.order[start:] {
			if !rec.removed && !yield(rec) {
				return
			}
		}
	}
}

func (r *repository) sort() {
	r.order = make([]*record, 0, len(r.images))
	for _, rec := range r.images {
		r.order = append(r.order, rec)
	}
	slices.SortFunc(r.order, func(a, b *record) int { return strings.Compare(a.Digest, b.Digest) })
}

func byDigest(rec *record, digest string) int { return cmp.Compare(rec.Digest, digest) }
