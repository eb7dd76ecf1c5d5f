package plan

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config/selected"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/nearest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// ErrNoPolicy says that no lifecycle policy is attached to a repository.
var ErrNoPolicy = errors.New("no lifecycle policy attached")

// ErrRepositoryNotFound says that a repository does not exist.
var ErrRepositoryNotFound = errors.New("repository not found")

// ErrAccessDenied says that the role may not make a call.
var ErrAccessDenied = errors.New("access denied")

// A Registry reads repositories. It is safe for concurrent use. A sequence ends with its
// first error.
type Registry interface {
	// Repositories lists the repositories in a stable order.
	Repositories(ctx context.Context) iter.Seq2[Repository, error]
	// PolicyText returns the attached lifecycle policy, or ErrNoPolicy.
	PolicyText(ctx context.Context, repository string) (string, error)
	// Images lists each image once, of any status, in pages and in any order. The caller may
	// keep and change the slices.
	Images(ctx context.Context, repository string) iter.Seq2[[]evaluator.Image, error]
	// Children reads the manifests of at most MaxBatch indexes.
	Children(ctx context.Context, repository string, indexes []string) (Reading, error)
}

// A TagReader is a Registry that can read the tags of repositories.
type TagReader interface {
	RepositoryTags(ctx context.Context, repository Repository) (map[string]string, error)
}

// A NamedReader is a Registry that can describe repositories by name. A role may be allowed to
// do that, and not to list the registry.
type NamedReader interface {
	// RepositoriesNamed returns those of the repositories that exist, in any order. Each name
	// must be given once.
	RepositoriesNamed(ctx context.Context, names []string) ([]Repository, error)
}

// A PolicyReader is a Registry that can read its resource policies.
type PolicyReader interface {
	// RegistryPolicyText returns "" if the registry has no policy.
	RegistryPolicyText(ctx context.Context) (string, error)
	// RepositoryPolicyText returns "" if the repository has no resource policy.
	RepositoryPolicyText(ctx context.Context, repository string) (string, error)
}

// A Repository is one repository of the registry.
type Repository struct {
	Name       string
	RegistryID string // the account of the registry
	ARN        string
}

// A Reading is ECR's answer to a request for manifests.
type Reading struct {
	Children map[string][]string // the digests that each index lists, by its digest
	Failed   []Failure           // the other indexes, in the order of the request
	At       Span                // when ECR may have recorded the read as a pull; zero if unknown
}

// MaxBatch is the largest number of images in one call.
const MaxBatch = 100

// A Failure says why ECR did not read or remove an image.
type Failure struct {
	Digest  string
	Code    string // one of the codes below, or another code of ECR
	Message string // ECR's text; may be empty
}

// The failure codes that the cleaner knows. The last two are its own, for indexes.
const (
	CodeImageNotFound = "ImageNotFound"
	CodeNoIndex       = "ManifestIsNoIndex"
	CodeNoAnswer      = "NotInTheAnswer" // ECR's answer does not mention the index
)

func (f Failure) Error() string {
	if f.Message == "" {
		return f.Code
	}
	return f.Code + ": " + f.Message
}

// EntryFor returns the entry that selects the repository, or nil. It reads the tags of the
// repository only if an entry needs them.
func EntryFor(ctx context.Context, registry Registry, conf *config.Config, repository Repository) (*config.Entry, error) {
	return conf.Entry(repository.Name, func() (map[string]string, error) {
		if reader, ok := registry.(TagReader); ok {
			return reader.RepositoryTags(ctx, repository)
		}
		return nil, errors.New("this registry cannot read the tags of repositories; select repositories by name")
	})
}

// FindRepository returns the repository with the name, or ErrRepositoryNotFound. With this error
// the repository has no name, and the account of the registry if that is known.
func FindRepository(ctx context.Context, registry Registry, name string) (Repository, error) {
	only := selected.New(config.Repositories{Requested: []wildcard.Pattern{wildcard.Compile(name)}})
	missing, names := Repository{}, []string{}
	for repository, err := range Listed(ctx, registry, only) {
		if err != nil {
			return Repository{}, err
		}
		if repository.Name == name {
			return repository, nil
		}
		missing.RegistryID, names = repository.RegistryID, append(names, repository.Name)
	}
	return missing, fmt.Errorf("repository %s: %w%s; check the name and the region",
		name, ErrRepositoryNotFound, nearest.Hint(name, names))
}

// Listed lists the repositories of the registry. If the role may not list them, Listed describes
// those that the selection names exactly, in the order of their names. It then calls OnlyExact of
// the selection.
func Listed(ctx context.Context, registry Registry, selection *selected.Selection) iter.Seq2[Repository, error] {
	return func(yield func(Repository, error) bool) {
		first := true
		for repository, err := range registry.Repositories(ctx) {
			if first && errors.Is(err, ErrAccessDenied) {
				yieldNamed(ctx, registry, selection, err, yield)
				return
			}
			if first = false; !yield(repository, err) {
				return
			}
		}
	}
}

// yieldNamed yields the repositories that the selection names. Denied is the error of the list.
func yieldNamed(ctx context.Context, registry Registry, selection *selected.Selection, denied error, yield func(Repository, error) bool) {
	reader, able := registry.(NamedReader)
	names := selection.Exact()
	if !able || len(names) == 0 {
		yield(Repository{}, fmt.Errorf("%w; or name each repository, without *, in repositories.include or with --repositories", denied))
		return
	}
	selection.OnlyExact()
	found, err := reader.RepositoriesNamed(ctx, names)
	if err != nil {
		yield(Repository{}, err)
		return
	}
	slices.SortFunc(found, func(a, b Repository) int { return strings.Compare(a.Name, b.Name) })
	for _, repository := range found {
		if !yield(repository, nil) {
			return
		}
	}
}
