// Package reference reads the names of images in task definitions, functions, workloads
// and lists. It takes a name in any spelling and returns its registry, Region, repository,
// tag and digest, to be compared with the images of a registry.
package reference

import (
	"cmp"
	"fmt"
	"strings"
)

// A Reference names an image in a registry. Two different References can mean the same
// image, one by its tag and the other by its digest.
type Reference struct {
	// RegistryID is the account of the ECR registry: twelve digits. It is empty
	// when the text names no ECR registry.
	RegistryID string
	// Region is the Region of the ECR registry, such as eu-west-1, or empty like
	// RegistryID.
	Region string
	// Host is the host of another registry, in lower case and with the port. It is empty
	// for an ECR registry, and when the text names no host.
	Host string
	// Repository is the name of the repository. For another host it is the path, which
	// may not be a valid name in ECR.
	Repository string
	// Tag is "latest" when the text names neither tag nor digest. It is empty
	// when the text names a digest only.
	Tag string
	// Digest is in lower case, or empty. If it is not empty, the tag does not count.
	Digest string
}

// String returns the reference with the shortest name of its host. [ParseAny] reads it
// as an equal Reference.
func (r Reference) String() string {
	var b strings.Builder
	switch {
	case r.RegistryID != "":
		b.WriteString(registryName(r.RegistryID, r.Region) + "/")
	case r.Host != "":
		b.WriteString(r.Host + "/")
	}
	b.WriteString(r.Repository)
	if r.Tag != "" {
		b.WriteString(":" + r.Tag)
	}
	if r.Digest != "" {
		b.WriteString("@" + r.Digest)
	}
	return b.String()
}

// Compare orders references by registry, Region, host, repository, digest and
// tag.
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
