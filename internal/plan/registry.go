package plan

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// ErrNoPolicy says that no lifecycle policy is attached to a repository.
var ErrNoPolicy = errors.New("no lifecycle policy attached")

// ErrRepositoryNotFound says that a repository does not exist.
var ErrRepositoryNotFound = errors.New("repository not found")

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

// A PolicyReader is a Registry that can read the resource policies of repositories.
type PolicyReader interface {
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

// FindRepository returns the repository with the name, or ErrRepositoryNotFound.
func FindRepository(ctx context.Context, registry Registry, name string) (Repository, error) {
	for repository, err := range registry.Repositories(ctx) {
		if err != nil {
			return Repository{}, err
		}
		if repository.Name == name {
			return repository, nil
		}
	}
	return Repository{}, fmt.Errorf("repository %s: %w; check the name and the region", name, ErrRepositoryNotFound)
}
