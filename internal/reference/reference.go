// Package reference reads the names of images in Amazon ECR from task definitions,
// functions, workloads and lists. It reduces every spelling of a name to a registry, a
// Region, a repository and a tag or a digest, so that images in use can be compared
// with the images of a registry.
package reference

import (
	"cmp"
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
	// Host is the host of a registry that is not an ECR registry by its name, in lower
	// case and with the port. It is empty for an ECR registry, and when the text names
	// no host.
	Host string
	// Repository is the name of the repository, without the registry. For another host
	// it is the path, which ECR may not allow as a name.
	Repository string
	// Tag is "latest" when the text names neither tag nor digest. It is empty
	// when the text names a digest only.
	Tag string
	// Digest is empty when the text names none. Otherwise it alone decides
	// which image is meant; the tag may have moved on. It is in lower case.
	Digest string
}

// String returns the reference in its shortest host form. [ParseAny] reads it
// back as an equal Reference.
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

// WithDigest returns the reference with that digest in place of its own. The error says
// why the digest is invalid.
func (r Reference) WithDigest(digest string) (Reference, error) {
	digest, err := parseDigest(digest)
	if err != nil {
		return Reference{}, err
	}
	r.Digest = digest
	return r, nil
}
