package apply

import (
	"context"
	"errors"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

var (
	// ErrThrottled means that ECR refused a call because of too many calls, and did
	// nothing.
	ErrThrottled = errors.New("throttled")
	// ErrUnanswered means that a call had no answer, or an unreadable one. ECR may
	// have carried it out.
	ErrUnanswered = errors.New("no answer")
)

// A Remover removes images. Implementations must be safe for concurrent use, and must
// not retry Delete, Untag and Archive themselves. The error is ErrThrottled or
// ErrUnanswered if another attempt may succeed. After any other error ECR has carried
// out only the removals that are returned with the error.
type Remover interface {
	// Describe returns the existing images among the digests.
	Describe(ctx context.Context, repository string, digests []string) ([]evaluator.Image, error)
	// Delete deletes at most MaxBatch images by digest. The state of a digest that is
	// in no part of the answer is unknown.
	Delete(ctx context.Context, repository string, digests []string) (Deletion, error)
	// Untag removes at most MaxBatch tags. The state of a tag that is in no part of
	// the answer is unknown.
	Untag(ctx context.Context, repository string, tags []string) (Untagging, error)
	// Archive moves one image from the standard to the archive class. An error that
	// concerns only this image is a plan.Failure.
	Archive(ctx context.Context, repository, digest string) error
}

// A Deletion is the answer to one call of Delete.
type Deletion struct {
	Deleted []string
	Failed  []plan.Failure
}

// An Untagging is the answer to one call of Untag. Its maps have tags as keys.
type Untagging struct {
	// Removed has the digests of the images that lost the tags.
	Removed map[string]string
	Failed  map[string]plan.Failure
}

// outcomeOf returns Blocked and Gone for ECR's codes that are no failures of the run.
func outcomeOf(f plan.Failure) plan.Outcome {
	switch f.Code {
	case "ImageReferencedByManifestList", "ImageStorageClassUpdateNotSupported":
		return plan.Blocked
	case plan.CodeImageNotFound:
		return plan.Gone
	}
	return plan.Failed
}
