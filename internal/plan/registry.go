package plan

import (
	"context"
	"errors"
	"iter"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// ErrNoPolicy says that a repository has no lifecycle policy attached.
var ErrNoPolicy = errors.New("no lifecycle policy attached")

// ErrRepositoryNotFound says that a repository is not there (any more).
var ErrRepositoryNotFound = errors.New("repository not found")

// A Repository is one repository of the registry.
type Repository struct {
	Name string
	// RegistryID is the account that the registry belongs to.
	RegistryID string
	ARN        string
}

// A Registry reads what a plan needs. Implementations must be safe for
// concurrent use. A sequence ends with its first error.
type Registry interface {
	// Repositories lists the repositories in a stable order.
	Repositories(ctx context.Context) iter.Seq2[Repository, error]
	// PolicyText returns the text of the repository's lifecycle policy, or an
	// error that is ErrNoPolicy.
	PolicyText(ctx context.Context, repository string) (string, error)
	// Images lists the images of the repository whatever their status, each
	// once, in no particular order, some at a time. The slices are the caller's.
	Images(ctx context.Context, repository string) iter.Seq2[[]evaluator.Image, error]
	// Children reads the manifests of at most MaxBatch indexes.
	Children(ctx context.Context, repository string, indexes []string) (Reading, error)
}

// A Reading is ECR's answer to a request for manifests.
type Reading struct {
	// Children are the digests that each index lists, by the digest of the index.
	Children map[string][]string
	// Failed are the other requested indexes and why they could not be read, in the
	// order of the request.
	Failed []Failure
	// At is when ECR may have recorded the reading as a pull. It is zero when the answer
	// does not tell ECR's time.
	At Span
}

// MaxBatch is the number of digests that Describe and Delete take in one call.
const MaxBatch = 100

// CodeImageNotFound is ECR's failure code for an image that does not exist.
const CodeImageNotFound = "ImageNotFound"

// A Failure is one image that was not removed, and why.
type Failure struct {
	Digest string
	// Code is ECR's failure code, such as ImageReferencedByManifestList.
	Code string
	// Message is ECR's own words; it may be empty.
	Message string
}

// Error returns the code and the words.
func (f Failure) Error() string {
	if f.Message == "" {
		return f.Code
	}
	return f.Code + ": " + f.Message
}
