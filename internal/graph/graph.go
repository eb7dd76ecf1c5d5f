package graph

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// A Graph holds the images of one repository and how they belong together.
type Graph struct {
	images []evaluator.Image
	// places leads from digests to images. It is nil before it is needed, which
	// in most repositories is never: see place.
	places map[string]int
	// parents and children lead from images to images, by their places. What is
	// not listed is not in them.
	parents, children map[int][]int
	// indexes are those parents of an image that list it. A tag can make one of
	// them its subject as well.
	indexes map[int][]int
	// unread are the indexes whose children are not known.
	unread []int
	// orphan tells of an image whether it is a referrer of subjects none of
	// which is listed.
	orphan map[int]bool
	// onlyReferrers is true when the repository holds nothing else: then the
	// subjects are in another one.
	onlyReferrers bool
}

// New builds the graph of a repository from the listing of all its images and
// the children of its indexes, by the digest of the index. An index that is
// not in children is one whose manifest could not be read.
func New(images []evaluator.Image, children map[string][]string) *Graph {
	g := &Graph{
		images: images, parents: map[int][]int{}, children: map[int][]int{}, indexes: map[int][]int{},
		orphan: map[int]bool{}, onlyReferrers: true,
	}
	for i := range images {
		g.addChildren(i, children)
	}
	for i := range images {
		g.addSubjects(i)
	}
	return g
}

// place returns the place of the image in the listing.
func (g *Graph) place(digest string) (i int, listed bool) {
	if g.places == nil {
		g.places = make(map[string]int, len(g.images))
		for i := range g.images {
			g.places[g.images[i].Digest] = i
		}
	}
	i, listed = g.places[digest]
	return i, listed
}

func (g *Graph) addChildren(i int, children map[string][]string) {
	im := &g.images[i]
	if !IsIndex(*im) {
		return
	}
	digests, read := children[im.Digest]
	if !read {
		g.unread = append(g.unread, i)
	}
	for _, digest := range digests {
		g.link(i, digest)
		if child, listed := g.place(digest); listed && child != i {
			g.indexes[child] = append(g.indexes[child], i)
		}
	}
}

func (g *Graph) addSubjects(i int) {
	subjects := Subjects(g.images[i])
	if len(subjects) == 0 {
		g.onlyReferrers = false
		return
	}
	listed := false
	for _, digest := range subjects {
		if parent, ok := g.place(digest); ok && parent != i {
			listed = true
			if !slices.Contains(g.indexes[parent], i) { // an index goes before what it lists
				g.link(parent, g.images[i].Digest)
			}
		}
	}
	if !listed {
		g.orphan[i] = true
	}
}

func (g *Graph) link(parent int, digest string) {
	child, listed := g.place(digest)
	if !listed || child == parent || slices.Contains(g.children[parent], child) {
		return
	}
	g.children[parent] = append(g.children[parent], child)
	g.parents[child] = append(g.parents[child], parent)
}

// IndexType is the media type of an OCI index.
const IndexType = "application/vnd.oci.image.index.v1+json"

// IsIndex reports whether the image is a manifest list.
func IsIndex(im evaluator.Image) bool {
	return im.ManifestMediaType == IndexType ||
		im.ManifestMediaType == "application/vnd.docker.distribution.manifest.list.v2+json"
}

// subjectTag is a tag that names the subject of the image that bears it: the
// scheme of cosign, and the fallback of OCI 1.1 for registries without
// referrers.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
var subjectTag = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^sha256-([0-9a-f]{64})(\.(sig|att|sbom))?$`)
})

// Subjects returns the digests that the image refers to, by its subject or by
// its tags. It returns none for an image that is no referrer.
func Subjects(im evaluator.Image) []string {
	var digests []string
	if im.SubjectDigest != "" {
		digests = append(digests, im.SubjectDigest)
	}
	for _, tag := range im.Tags {
		if !strings.HasPrefix(tag, "sha256-") {
			continue // nearly every tag, without an expression
		}
		if m := subjectTag().FindStringSubmatch(tag); m != nil {
			digests = append(digests, "sha256:"+m[1])
		}
	}
	return digests
}

// nameless reports whether nothing but its parents leads to the image: it is
// untagged or has only tags that name a subject.
func nameless(im evaluator.Image) bool {
	return !slices.ContainsFunc(im.Tags, func(tag string) bool {
		return !strings.HasPrefix(tag, "sha256-") || !subjectTag().MatchString(tag)
	})
}

// Ancestors returns the digests of all indexes that list the image, directly
// or through other indexes, not of its subjects.
func (g *Graph) Ancestors(digest string) []string {
	if len(g.indexes) == 0 {
		return nil
	}
	start, listed := g.place(digest)
	if !listed {
		return nil
	}
	var found []string
	seen := map[int]bool{start: true}
	for queue := []int{start}; len(queue) > 0; queue = queue[1:] {
		for _, parent := range g.indexes[queue[0]] {
			if !seen[parent] {
				seen[parent] = true
				found = append(found, g.images[parent].Digest)
				queue = append(queue, parent)
			}
		}
	}
	return found
}

// Parents returns the listed indexes that list the image and the listed
// subjects that it refers to.
func (g *Graph) Parents(digest string) []evaluator.Image {
	if len(g.parents) == 0 {
		return nil
	}
	i, listed := g.place(digest)
	if !listed {
		return nil
	}
	parents := make([]evaluator.Image, len(g.parents[i]))
	for n, parent := range g.parents[i] {
		parents[n] = g.images[parent]
	}
	return parents
}

// Release takes a referrer whose subjects have just been removed for an image
// like any other, and not for an orphan.
func (g *Graph) Release(digest string) {
	if i, listed := g.place(digest); listed {
		delete(g.orphan, i)
	}
}
