// Package graph knows the related images of a repository: the children of an index and
// the referrers of a subject, such as signatures. From the wanted action on each image it
// finds the possible action.
//
// The parents of an image are the indexes that list it and the subjects that it refers
// to. Two rules hold for every image:
//
//   - It is deleted or archived only if all its parents are. A child of a kept index is
//     kept, and so is the signature of a kept image.
//   - It follows the last of its parents if only its parents reference it: it is untagged,
//     or all its tags name its subject.
package graph

import (
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// A Graph holds the images of one repository and their relations.
type Graph struct {
	images []evaluator.Image
	places map[string]int // the positions of the images by digest; nil until they are needed
	// parents and children are the listed parents and children of each image.
	parents, children map[int][]int
	indexes           map[int][]int // the parents of each image that list it
	unread            []int         // the indexes whose children are not known
	orphan            map[int]bool  // the referrers none of whose subjects is listed
	// onlyReferrers is true when the repository has no other images. Then the subjects are
	// in another repository.
	onlyReferrers bool
}

// New builds the graph of a repository from all its images and the children of each index.
// An index without an entry in children could not be read.
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
		if child, listed := g.place(digest); listed && child != i {
			g.link(i, child)
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
			if !slices.Contains(g.indexes[parent], i) { // an index is not the referrer of its child
				g.link(parent, i)
			}
		}
	}
	if !listed {
		g.orphan[i] = true
	}
}

func (g *Graph) link(parent, child int) {
	if !slices.Contains(g.children[parent], child) {
		g.children[parent] = append(g.children[parent], child)
		g.parents[child] = append(g.parents[child], parent)
	}
}

// IndexType is the media type of an OCI index.
const IndexType = "application/vnd.oci.image.index.v1+json"

// IsIndex reports whether the image is an index or a manifest list.
func IsIndex(im evaluator.Image) bool {
	return im.ManifestMediaType == IndexType ||
		im.ManifestMediaType == "application/vnd.docker.distribution.manifest.list.v2+json"
}

// Subjects returns the digests of the images that the image refers to, in its manifest or
// by its tags.
func Subjects(im evaluator.Image) []string {
	var digests []string
	if im.SubjectDigest != "" {
		digests = append(digests, im.SubjectDigest)
	}
	for _, tag := range im.Tags {
		if digest := subjectOf(tag); digest != "" {
			digests = append(digests, digest)
		}
	}
	return digests
}

// subjectOf returns the digest of the subject that the tag names, or "". OCI 1.1 has tags
// like sha256-DIGEST, and cosign adds one of three suffixes.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
func subjectOf(tag string) string {
	name, found := strings.CutPrefix(tag, "sha256-")
	if !found {
		return ""
	}
	digits, suffix, hasSuffix := strings.Cut(name, ".")
	if len(digits) != 64 || strings.Trim(digits, "0123456789abcdef") != "" ||
		hasSuffix && suffix != "sig" && suffix != "att" && suffix != "sbom" {
		return ""
	}
	return "sha256:" + digits
}

// nameless reports whether the image is untagged or all its tags name a subject.
func nameless(im evaluator.Image) bool {
	return !slices.ContainsFunc(im.Tags, func(tag string) bool { return subjectOf(tag) == "" })
}

// Ancestors returns the digests of the indexes that list the image, directly or through
// other indexes. Its subjects are not among them.
func (g *Graph) Ancestors(digest string) []string {
	if len(g.indexes) == 0 {
		return nil
	}
	if i, listed := g.place(digest); listed {
		return g.above(i, g.indexes)
	}
	return nil
}

// above returns the digests of the images above image i.
func (g *Graph) above(i int, parents map[int][]int) []string {
	var found []string
	seen := map[int]bool{i: true}
	for queue := []int{i}; len(queue) > 0; queue = queue[1:] {
		for _, parent := range parents[queue[0]] {
			if !seen[parent] {
				seen[parent] = true
				found = append(found, g.images[parent].Digest)
				queue = append(queue, parent)
			}
		}
	}
	return found
}

// Parents returns the listed indexes that list the image and the listed subjects.
func (g *Graph) Parents(digest string) []evaluator.Image {
	if len(g.parents) == 0 {
		return nil
	}
	var parents []evaluator.Image
	if i, listed := g.place(digest); listed {
		for _, parent := range g.parents[i] {
			parents = append(parents, g.images[parent])
		}
	}
	return parents
}

// Release makes an orphan an ordinary image: its subjects have just been deleted.
func (g *Graph) Release(digest string) {
	if i, listed := g.place(digest); listed {
		delete(g.orphan, i)
	}
}

// smallest returns the candidate with the smallest digest for which fits is true, or -1.
func (g *Graph) smallest(candidates []int, fits func(int) bool) int {
	found := -1
	for _, i := range candidates {
		if fits(i) && (found < 0 || g.images[i].Digest < g.images[found].Digest) {
			found = i
		}
	}
	return found
}
