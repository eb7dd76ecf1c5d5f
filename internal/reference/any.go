package reference

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrNoReference says that a text is not a reference to an image in any
// registry.
var ErrNoReference = errors.New("not an image reference")

// ParseAny reads a reference to an image in any registry. For a text that names an ECR
// registry, or only appears to, the result and the error are those of [Parse]. Any
// other reference has no RegistryID. Its Host is the host of the other registry, or
// empty if the text names none. Its Repository is the path on that host. The error for
// text that is not a reference is [ErrNoReference].
func ParseAny(text string) (Reference, error) {
	r, err := Parse(text)
	if !errors.Is(err, ErrNotECR) {
		return r, err
	}
	if r, err = parseOther(withoutScheme(text)); err != nil {
		return Reference{}, fmt.Errorf("%.80q: %w", text, err)
	}
	return r, nil
}

func parseOther(text string) (Reference, error) {
	var r Reference
	path := text
	if first, rest, more := strings.Cut(text, "/"); more && namesHost(first) {
		r.Host, path = lower(first), rest
	}
	name, digest, hasDigest := strings.Cut(path, "@")
	repository, tag, hasTag := strings.Cut(name, ":")
	if r.Host != "" && !isHost(r.Host) || !isPath(repository) || hasTag && !isTag(tag) {
		return Reference{}, ErrNoReference
	}
	r.Repository, r.Tag = repository, tag
	if !hasTag && !hasDigest {
		r.Tag = "latest"
	}
	if !hasDigest {
		return r, nil
	}
	r, err := r.WithDigest(digest)
	if err != nil {
		return Reference{}, ErrNoReference
	}
	return r, nil
}

// namesHost reports whether the first part of a reference is a host and not the
// beginning of a path. The rule is Docker's:
// https://github.com/distribution/reference/blob/main/normalize.go
func namesHost(first string) bool {
	return strings.ContainsAny(first, ".:") || lower(first) == "localhost"
}

// isHost reports whether the text can be the host of a registry, with or without
// a port. It is a name, an IPv4 address or an IPv6 address in brackets.
func isHost(text string) bool {
	name, port, hasPort := text, "", false
	if i := strings.LastIndexByte(text, ':'); i > strings.LastIndexByte(text, ']') {
		name, port, hasPort = text[:i], text[i+1:], true
	}
	if hasPort && (port == "" || !consists(port, isDigit)) {
		return false
	}
	if address, bracket := strings.CutPrefix(name, "["); bracket {
		address, closed := strings.CutSuffix(address, "]")
		return closed && address != "" && strings.Trim(address, "0123456789abcdef:.") == ""
	}
	return isPath(name) && !strings.Contains(name, "/")
}

// publicHosts are well-known public registries. The empty host is Docker Hub.
var publicHosts = []string{
	"", "docker.io", "gcr.io", "ghcr.io", "index.docker.io", "mcr.microsoft.com", "public.ecr.aws", "quay.io",
	"registry-1.docker.io", "registry.k8s.io",
}

// Public reports whether the reference is to a well-known public registry. A reference
// without a host is: most programs read it as Docker Hub.
func (r Reference) Public() bool {
	return r.RegistryID == "" && r.Repository != "" && slices.Contains(publicHosts, r.Host)
}
