package apply

import (
	"context"
	"errors"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

var (
	// ErrThrottled means that ECR did nothing because of too many calls.
	ErrThrottled = errors.New("throttled")
	// ErrUnanswered means that ECR may have carried out a call: it had no answer, or an
	// unreadable one.
	ErrUnanswered = errors.New("no answer")
)

// A Remover removes images. It must be safe for concurrent use, and must not retry
// Delete, Untag and Archive. Their error is ErrThrottled or ErrUnanswered if another
// attempt may succeed. After any other error ECR has carried out only the removals that
// are returned with the error. The state of an image or tag without an answer is unknown.
type Remover interface {
	// Describe returns the existing images among the digests.
	Describe(ctx context.Context, repository string, digests []string) ([]evaluator.Image, error)
	// Delete deletes at most MaxBatch images.
	Delete(ctx context.Context, repository string, digests []string) (Deletion, error)
	// Untag removes at most MaxBatch tags.
	Untag(ctx context.Context, repository string, tags []string) (Untagging, error)
	// Archive moves one image to the archive class. An error that concerns only this
	// image is a plan.Failure.
	Archive(ctx context.Context, repository, digest string) error
}

// A Deletion is the answer to one call of Delete.
type Deletion struct {
	Deleted []string
	Failed  []plan.Failure
}

// An Untagging is the answer to one call of Untag. Its maps have tags as keys.
type Untagging struct {
	Removed map[string]string // digests of the images that lost the tags
	Failed  map[string]plan.Failure
}

func outcomeOf(f plan.Failure) plan.Outcome {
	switch f.Code {
	case "ImageReferencedByManifestList", "ImageStorageClassUpdateNotSupported":
		return plan.Blocked
	case plan.CodeImageNotFound:
		return plan.Gone
	}
	return plan.Failed
}
