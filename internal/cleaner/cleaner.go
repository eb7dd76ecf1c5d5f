// Package cleaner is the use case: it plans what goes from one repository,
// carries such a plan out, and runs both over a registry. It knows the registry
// only through the small interfaces below and no AWS type at all.
//
// Planning and applying are two functions. [Plan] is given nothing that could
// remove an image; [Apply] decides nothing, it only leaves out what has changed
// since the plan. Whatever is in doubt stays: a repository that cannot be read
// whole is not touched, and the report says so.
package cleaner

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

// ErrThrottled says that a call was refused for coming too often: nothing was
// done.
var ErrThrottled = errors.New("throttled")

// ErrUnanswered says that a call got no answer, or one that says nothing: it
// may have been carried out.
var ErrUnanswered = errors.New("no answer")

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

// A Remover removes images. Implementations must be safe for concurrent use, and must
// not retry Delete, Untag and Archive themselves. The error is ErrThrottled or
// ErrUnanswered if another attempt may succeed. After any other error ECR has carried
// out only the removals that are returned with the error.
type Remover interface {
	// Describe returns those of the digests that are still there.
	Describe(ctx context.Context, repository string, digests []string) ([]evaluator.Image, error)
	// Delete deletes images by digest and says of each what became of it.
	// Digests that are in no part of the answer are in an unknown state. An
	// error comes together with what was done before it.
	Delete(ctx context.Context, repository string, digests []string) (Deletion, error)
	// Untag removes at most MaxBatch tags, in one attempt. A tag that is in no
	// part of the answer is in an unknown state.
	Untag(ctx context.Context, repository string, tags []string) (Untagging, error)
	// Archive moves one image of the standard class to the archive class. What
	// concerns the image and not the call is an error of type Failure.
	Archive(ctx context.Context, repository, digest string) error
}

// MaxBatch is the number of digests that Describe and Delete take in one call.
const MaxBatch = 100

// A Deletion is what became of the images of one call of Delete.
type Deletion struct {
	Deleted []string
	Failed  []Failure
}

// A Failure is one image that was not removed, and why.
type Failure struct {
	Digest string
	// Code is ECR's failure code, such as ImageReferencedByManifestList.
	Code string
	// Message is ECR's own words; it may be empty.
	Message string
}

// Failure codes that are not failures of the run but expected outcomes.
const (
	codeReferenced    = "ImageReferencedByManifestList"
	codeNotArchivable = "ImageStorageClassUpdateNotSupported"
	codeImageNotFound = "ImageNotFound"
)

// Error returns the code and the words.
func (f Failure) Error() string {
	if f.Message == "" {
		return f.Code
	}
	return f.Code + ": " + f.Message
}

func outcomeOf(f Failure) Outcome {
	switch f.Code {
	case codeReferenced, codeNotArchivable:
		return Blocked
	case codeImageNotFound:
		return Gone
	}
	return Failed
}
