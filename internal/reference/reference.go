// Package reference reads the names of images in task definitions, functions, workloads
// and lists, in any spelling, to compare them with the images of a registry. What it cannot
// read with certainty is an error.
package reference

import (
	"cmp"
	"fmt"
	"strings"
)

// A Reference names an image in a registry. Two different References can mean the same
// image, one by its tag and the other by its digest.
type Reference struct {
	// RegistryID is the account of the ECR registry, and Region its Region. Both are empty
	// when the text names no ECR registry.
	RegistryID, Region string
	// Host is the host of another registry, in lower case and with the port. It is empty
	// for an ECR registry, and when the text names no host.
	Host string
	// Repository is the name of the repository. For another host it is the path, which
	// may not be a valid name in ECR.
	Repository string
	// Tag is "latest" when the text names neither tag nor digest. It is empty
	// when the text names a digest only.
	Tag    string
	Digest string // in lower case, or empty; if it is not empty, the tag does not count
}

// String returns the reference with the shortest name of its host. [ParseAny] reads it
// as an equal Reference.
func (r Reference) String() string {
	text := r.Repository
	switch {
	case r.RegistryID != "":
		text = registryName(r.RegistryID, r.Region) + "/" + text
	case r.Host != "":
		text = r.Host + "/" + text
	}
	if r.Tag != "" {
		text += ":" + r.Tag
	}
	if r.Digest != "" {
		text += "@" + r.Digest
	}
	return text
}

// Compare orders references by registry, Region, host, repository, digest and tag.
func (r Reference) Compare(other Reference) int {
	return cmp.Or(
		cmp.Compare(r.RegistryID, other.RegistryID),
		cmp.Compare(r.Region, other.Region),
		cmp.Compare(r.Host, other.Host),
		cmp.Compare(r.Repository, other.Repository),
		cmp.Compare(r.Digest, other.Digest),
		cmp.Compare(r.Tag, other.Tag),
	)
}

// https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests
var digestPattern = expression(`^[a-z][a-z0-9]*([-_+.][a-z][a-z0-9]*)*:[0-9a-f]{32,}$`)

// digestLengths are the lengths of digests in hexadecimal digits.
var digestLengths = map[string]int{"sha256": 64, "sha512": 128}

// WithDigest returns the reference with that digest instead. Like the ECR API it accepts
// upper case. It fails if the digest is invalid.
func (r Reference) WithDigest(digest string) (Reference, error) {
	r.Digest = lower(digest)
	algorithm, encoded, _ := strings.Cut(r.Digest, ":")
	length, known := digestLengths[algorithm]
	if known && (len(encoded) != length || !consists(encoded, isHex)) || !known && !digestPattern().MatchString(r.Digest) {
		return Reference{}, fmt.Errorf("%.80q is not a digest", digest)
	}
	return r, nil
}

// withPath returns the reference with the repository, tag and digest of the path
// REPOSITORY[:TAG][@DIGEST].
func (r Reference) withPath(path string, isName func(string) bool) (Reference, error) {
	name, digest, hasDigest := strings.Cut(path, "@")
	repository, tag, hasTag := strings.Cut(name, ":")
	switch {
	case !isName(repository):
		return Reference{}, fmt.Errorf("%.80q is not the name of an ECR repository", repository)
	case hasTag && !isTag(tag):
		return Reference{}, fmt.Errorf("%.80q is not a tag", tag)
	case !hasTag && !hasDigest:
		tag = "latest"
	}
	r.Repository, r.Tag = repository, tag
	if !hasDigest {
		return r, nil
	}
	return r.WithDigest(digest)
}
