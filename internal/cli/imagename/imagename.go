// Package imagename reads the images that a command line names. In come arguments such as
// team/app:v1, or team/app and v1, or the whole reference with the host of the registry. Out
// come the registry, the repository, and the tags and digests.
package imagename

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// Images are the images of one repository that a command line names.
type Images struct {
	Registry   reference.Registry // zero if no argument has the host of an ECR registry
	Repository string
	Names      []string // each is a tag, a digest or the beginning of one; may be empty
}

// Parse reads the arguments of a command. The first one names a repository, and may name an
// image of it: REPOSITORY, REPOSITORY:TAG or REPOSITORY@DIGEST, each perhaps with a host. The
// others name images of the same repository, in the same forms or by tag or digest alone.
// Parse resolves the aliases of registries.
func Parse(args []string, aliases reference.Aliases) (Images, error) {
	var all Images
	for i, arg := range args {
		if i > 0 && !namesRepository(arg) {
			all.Names = append(all.Names, arg)
			continue
		}
		one, err := parse(arg, aliases)
		switch {
		case err != nil:
			return Images{}, err
		case i == 0:
			all = one
			continue
		case len(one.Names) == 0:
			return Images{}, fmt.Errorf("%s names no image; add its tag or digest, such as %s:TAG", arg, arg)
		case one.Repository != all.Repository || one.Registry != all.Registry:
			return Images{}, fmt.Errorf("%s is in another repository than %s; name the images of one repository at a time", arg, args[0])
		}
		all.Names = append(all.Names, one.Names...)
	}
	return all, nil
}

// namesRepository reports whether an argument is more than a tag or a digest.
func namesRepository(arg string) bool {
	before, _, colon := strings.Cut(arg, ":")
	return strings.ContainsAny(arg, "/@") || colon && !isAlgorithm(before)
}

func isAlgorithm(text string) bool { return text == "sha256" || text == "sha512" }

func parse(arg string, aliases reference.Aliases) (Images, error) {
	path := arg
	if _, rest, scheme := strings.Cut(arg, "://"); scheme {
		path = rest
	}
	path, digest, hasDigest := strings.Cut(path, "@")
	var one Images
	host, rest, _ := strings.Cut(path, "/")
	registry, err := reference.ParseRegistry(host)
	switch {
	case err == nil:
		one.Registry, path = registry, rest
	case strings.Contains(host, ".dkr.ecr") || strings.Contains(host, ".dkr-ecr"):
		return Images{}, fmt.Errorf("%s: %w", arg, err)
	case rest != "" && strings.Contains(host, ":"):
		return Images{}, fmt.Errorf("%s is an image of another registry, %s; name an image of an ECR registry", arg, host)
	}
	repository, tag, hasTag := strings.Cut(path, ":")
	resolved := aliases.Resolve(reference.Reference{RegistryID: one.Registry.ID, Repository: repository})
	if one.Registry.ID == "" && resolved.RegistryID != "" {
		one.Registry = reference.Registry{ID: resolved.RegistryID, Region: resolved.Region}
	}
	one.Repository = resolved.Repository
	switch {
	case one.Repository == "" || isAlgorithm(repository) && hasTag:
		return Images{}, fmt.Errorf("%s names no repository; write REPOSITORY@DIGEST, REPOSITORY:TAG, or the repository first", arg)
	case hasDigest && digest == "" || hasTag && tag == "":
		return Images{}, fmt.Errorf("%s ends before its tag or digest; add it", arg)
	case hasDigest: // then the tag does not count
		one.Names = []string{digest}
	case hasTag:
		one.Names = []string{tag}
	}
	return one, nil
}

// Hint adds to the error of a repository that was not found that its name may begin with the
// host of another registry.
func (i Images) Hint(err error) error {
	first, _, more := strings.Cut(i.Repository, "/")
	if more && strings.Contains(first, ".") && errors.Is(err, plan.ErrRepositoryNotFound) {
		return fmt.Errorf("%w; if %s is the host of another registry, name an image of an ECR registry, "+
			"or map the host to one with protect.registryAliases", err, first)
	}
	return err
}
