package plan

import (
	"context"
	"errors"
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

// A TagReader is a Registry that also knows the tags of its repositories.
type TagReader interface {
	// RepositoryTags returns the tags of a listed repository.
	RepositoryTags(ctx context.Context, repository Repository) (map[string]string, error)
}

// errNoTags says that a registry is no TagReader.
var errNoTags = errors.New("the tags of its repositories cannot be read; select by name")

// EntryFor returns the entry that decides about the repository, or nil. Its
// tags are read only if they matter.
func EntryFor(ctx context.Context, registry Registry, conf *config.Config, repository Repository) (*config.Entry, error) {
	return conf.Entry(repository.Name, func() (map[string]string, error) {
		reader, ok := registry.(TagReader)
		if !ok {
			return nil, errNoTags
		}
		return reader.RepositoryTags(ctx, repository)
	})
}

// FindRepository returns the listed repository of that name.
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
