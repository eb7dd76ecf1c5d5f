package workload

import (
	"encoding/json"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// A registry or a repository in one member of an object can be completed by others.
var (
	repositoryMembers = []string{"repository", "image", "chart"}
	tagMembers        = []string{"tag", "newTag", "imageTag", "version", "imageVersion", "targetRevision", "semver", "digest", "imageDigest"}
)

// base returns the registry or repository that is alone in a string.
func (f *finder) base(value any) (base place, ok bool) {
	text, _ := value.(string)
	text = strings.TrimRight(strings.TrimSpace(text), "/")
	if _, rest, found := strings.Cut(text, "://"); found {
		text = rest
	}
	for _, p := range f.places(text) {
		if p.name == text && p.problem == "" {
			return p, true
		}
	}
	return place{}, false
}

// combine adds the references that the base, in a member of the object, is a part of. The
// base itself is also an image unless the member says that it is a registry or repository.
func (f *finder) combine(object map[string]any, key string, base place) {
	key = strings.ToLower(key)
	isRegistry, isRepository := strings.Contains(key, "registry"), strings.HasSuffix(key, "repository")
	tags := members(object, tagMembers)
	if ref, ok := object["ref"].(map[string]any); ok { // of an OCIRepository of Flux
		tags = append(tags, members(ref, tagMembers)...)
	}
	before := len(f.found)
	if isRegistry || strings.Contains(key, "repo") {
		for _, name := range members(object, repositoryMembers) {
			if r, err := reference.ParseAny(name); err == nil && r.RegistryID == "" && r.Host == "" {
				f.add(follow(base.name+"/"+name, 0, len(base.name)), tags, true)
			}
		}
	}
	if base.repository && !isRegistry {
		f.add(base, tags, isRepository)
		if base.suffix == "" && len(tags) == 0 {
			f.completeBase(key, base, memberSettings(object))
		}
	} else if len(f.found) == before {
		base.problem = noRepository
		f.found = append(f.found, base.reference())
	}
}

// add adds the place with each of the tags. Without its own tag, an image has the default
// tag, but a part of a name can have any tag.
func (f *finder) add(p place, tags []string, isPart bool) {
	if p.suffix != "" || !isPart {
		f.found = append(f.found, p.reference())
	}
	if p.suffix != "" {
		return
	}
	for _, tag := range tags {
		separator := ":"
		if strings.Contains(tag, ":") {
			separator = "@"
		}
		tagged := follow(p.name+separator+tag, 0, strings.Index(p.name, "/"))
		tagged.anyTag = tagged.anyTag || tagged.suffix != separator+tag
		f.found = append(f.found, tagged.reference())
	}
	if isPart && len(tags) == 0 {
		p.anyTag = true
		f.found = append(f.found, p.reference())
	}
}

// members returns the strings and numbers in those members that are not empty.
func members(object map[string]any, keys []string) (texts []string) {
	for _, key := range keys {
		switch value := object[key].(type) {
		case string:
			if value != "" {
				texts = append(texts, value)
			}
		case json.Number:
			texts = append(texts, value.String())
		}
	}
	return texts
}
