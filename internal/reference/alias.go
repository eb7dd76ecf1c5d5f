package reference

import (
	"errors"
	"fmt"
	"strings"
)

// A Registry is an ECR registry, or the part of it below a prefix.
type Registry struct {
	ID, Region string
	// Prefix is the beginning of repository names, without the slash that follows it;
	// empty for the whole registry.
	Prefix string
}

// ParseRegistry reads the host of an ECR registry, with or without a prefix, such as
// 123456789012.dkr.ecr.eu-west-1.amazonaws.com/team.
func ParseRegistry(text string) (Registry, error) {
	host, prefix, hasPrefix := strings.Cut(text, "/")
	r, err := parseHost(lower(host))
	if err != nil {
		return Registry{}, err
	}
	if hasPrefix && !isRepositoryPrefix(prefix) {
		return Registry{}, fmt.Errorf("%.80q is not the beginning of names of ECR repositories", prefix)
	}
	return Registry{r.RegistryID, r.Region, prefix}, nil
}

// String returns the registry as [ParseRegistry] reads it.
func (r Registry) String() string {
	return strings.TrimSuffix(registryName(r.ID, r.Region)+"/"+r.Prefix, "/")
}

// MarshalText returns the text of String.
func (r Registry) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Aliases map other names of ECR registries, such as the host of a proxy, to the
// registries. A name is a host in lower case, or a host and the beginning of a path.
type Aliases map[string]Registry

// ParseAlias reads a name of [Aliases].
func ParseAlias(text string) (string, error) {
	host, path, hasPath := strings.Cut(text, "/")
	name := lower(host)
	switch {
	case namesRegistry(name, text):
		return "", errors.New("names an ECR registry itself, which needs no alias")
	case !isHost(name) || hasPath && !isPath(path):
		return "", errors.New("is not like proxy.example.com or proxy.example.com/prefix: leave out the scheme, the tag and the last slash")
	case hasPath:
		name += "/" + path
	}
	return name, nil
}

// Resolve replaces the longest alias at the beginning of the reference by its ECR
// registry. Without an alias it returns the reference unchanged.
func (a Aliases) Resolve(r Reference) Reference {
	if len(a) == 0 || r.RegistryID != "" {
		return r
	}
	name := r.Repository
	if r.Host != "" {
		name = r.Host + "/" + name
	}
	for end := strings.LastIndexByte(name, '/'); end > 0; end = strings.LastIndexByte(name[:end], '/') {
		if registry, known := a[name[:end]]; known {
			r.RegistryID, r.Region, r.Host = registry.ID, registry.Region, ""
			r.Repository = strings.TrimPrefix(registry.Prefix+name[end:], "/")
			break
		}
	}
	return r
}
