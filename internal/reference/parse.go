package reference

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// ErrNotECR is the error for a text that names no private ECR registry, such as nginx or
// public.ecr.aws/nginx/nginx.
var ErrNotECR = errors.New("not a reference to an ECR registry")

// schemes are prefixes that tools print and users copy.
var schemes = []string{"https://", "docker://", "docker-pullable://", "oci://"}

// Parse reads a reference to an image in an ECR registry: the host and then repo, repo:tag,
// repo@digest or repo:tag@digest.
//
// The error is [ErrNotECR] when the text names no ECR registry. With any other error an
// image of an ECR registry is in use, and it is not known which.
func Parse(text string) (Reference, error) {
	host, path, _ := strings.Cut(withoutScheme(text), "/")
	host = lower(host)
	r, err := parseHost(host)
	if err == nil {
		r, err = r.withPath(path, isRepositoryName)
	}
	if err != nil && !namesRegistry(host, text) {
		return Reference{}, ErrNotECR
	}
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		err = errors.New("white space or a control character in it")
	}
	if err != nil {
		return Reference{}, fmt.Errorf("image reference %.200q: %w", text, err)
	}
	return r, nil
}

func withoutScheme(text string) string {
	for _, scheme := range schemes {
		if len(text) >= len(scheme) && lower(text[:len(scheme)]) == scheme {
			return text[len(scheme):]
		}
	}
	return text
}

// ErrNoReference is the error for a text that is not a reference to any image.
var ErrNoReference = errors.New("not an image reference")

// ParseAny reads a reference to an image in any registry. For a text that names an ECR
// registry it is [Parse]. For another text the error is [ErrNoReference].
func ParseAny(text string) (Reference, error) {
	r, err := Parse(text)
	if !errors.Is(err, ErrNotECR) {
		return r, err
	}
	path := withoutScheme(text)
	first, rest, more := strings.Cut(path, "/")
	// Docker's rule: https://github.com/distribution/reference/blob/main/normalize.go
	if more && (strings.ContainsAny(first, ".:") || lower(first) == "localhost") {
		r.Host, path = lower(first), rest
	}
	r, err = r.withPath(path, isPath)
	if err != nil || r.Host != "" && !isHost(r.Host) {
		return Reference{}, fmt.Errorf("%.80q: %w", text, ErrNoReference)
	}
	return r, nil
}

// publicHosts are well-known public registries. The empty host is Docker Hub.
var publicHosts = []string{
	"", "docker.io", "gcr.io", "ghcr.io", "index.docker.io", "mcr.microsoft.com", "public.ecr.aws", "quay.io",
	"registry-1.docker.io", "registry.k8s.io",
}

// Public reports whether the reference is to a well-known public registry, or has no host:
// most programs read such a reference as one to Docker Hub.
func (r Reference) Public() bool {
	return r.RegistryID == "" && r.Repository != "" && slices.Contains(publicHosts, r.Host)
}
