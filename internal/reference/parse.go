package reference

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// ErrNotECR says that a text does not point into a private ECR registry, as
// docker.io/library/nginx, public.ecr.aws/nginx/nginx and nginx do not.
var ErrNotECR = errors.New("not a reference to an ECR registry")

// https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests
var digestPattern = expression(`^[a-z][a-z0-9]*([-_+.][a-z][a-z0-9]*)*:[0-9a-f]{32,}$`)

const (
	minRepositoryLength = 2
	maxRepositoryLength = 256
)

// schemes may stand before a reference: tools print them, users copy them.
var schemes = []string{"https://", "docker://", "docker-pullable://", "oci://"}

// Parse reads a reference in any of its spellings: repo, repo:tag, repo@digest
// and repo:tag@digest, each after a registry host.
//
// The error is [ErrNotECR] when the text names no ECR registry. It is any other error
// when the text names an ECR registry and is not a reference, or names the registry in
// the wrong place: then an image is in use, and it is not known which.
func Parse(text string) (Reference, error) {
	rest := withoutScheme(text)
	host, path, _ := strings.Cut(rest, "/")
	host = lower(host)
	r, err := parse(host, path)
	if err != nil && !claimsRegistry(host) && !containsRegistry(lower(text)) {
		return Reference{}, ErrNotECR
	}
	if strings.ContainsFunc(text, unspeakable) {
		err = errors.New("white space or a control character in it")
	}
	if err != nil {
		return Reference{}, fmt.Errorf("image reference %.200q: %w", text, err)
	}
	return r, nil
}

func unspeakable(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

func withoutScheme(text string) string {
	for _, scheme := range schemes {
		if len(text) >= len(scheme) && lower(text[:len(scheme)]) == scheme {
			return text[len(scheme):]
		}
	}
	return text
}

func parse(host, path string) (Reference, error) {
	r, err := parseHost(host)
	if err != nil {
		return Reference{}, err
	}
	name, digest, hasDigest := strings.Cut(path, "@")
	repository, tag, hasTag := strings.Cut(name, ":")
	if n := len(repository); n < minRepositoryLength || n > maxRepositoryLength || !isRepository(repository) {
		return Reference{}, fmt.Errorf("%.80q is not the name of an ECR repository", repository)
	}
	r.Repository = repository
	switch {
	case hasTag && !isTag(tag):
		return Reference{}, fmt.Errorf("%.80q is not a tag", tag)
	case hasTag:
		r.Tag = tag
	case !hasDigest:
		r.Tag = "latest"
	}
	if !hasDigest {
		return r, nil
	}
	return r.WithDigest(digest)
}

// digestLengths are the lengths of digests in hexadecimal digits.
var digestLengths = map[string]int{"sha256": 64, "sha512": 128}

// parseDigest accepts hexadecimal digits in any case, as the ECR API does, and
// returns them as ECR reports them.
func parseDigest(text string) (string, error) {
	digest := lower(text)
	algorithm, encoded, _ := strings.Cut(digest, ":")
	length, usual := digestLengths[algorithm]
	if usual && (len(encoded) != length || !consists(encoded, isHex)) || !usual && !digestPattern().MatchString(digest) {
		return "", fmt.Errorf("%.80q is not a digest", text)
	}
	return digest, nil
}
