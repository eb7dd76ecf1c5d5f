package apply

import (
	"context"
	"errors"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// ErrThrottled says that a call was refused for coming too often: nothing was
// done.
var ErrThrottled = errors.New("throttled")

// ErrUnanswered says that a call got no answer, or one that says nothing: it
// may have been carried out.
var ErrUnanswered = errors.New("no answer")

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

// A Deletion is what became of the images of one call of Delete.
type Deletion struct {
	Deleted []string
	Failed  []plan.Failure
}

// An Untagging is what became of the tags of one call of Untag.
type Untagging struct {
	// Removed leads from the tags that were removed to the digests of the
	// images that had them.
	Removed map[string]string
	// Failed leads from the tags that were not removed to why.
	Failed map[string]plan.Failure
}

// Failure codes that are not failures of the run but expected outcomes.
const (
	codeReferenced    = "ImageReferencedByManifestList"
	codeNotArchivable = "ImageStorageClassUpdateNotSupported"
)

func outcomeOf(f plan.Failure) plan.Outcome {
	switch f.Code {
	case codeReferenced, codeNotArchivable:
		return plan.Blocked
	case plan.CodeImageNotFound:
		return plan.Gone
	}
	return plan.Failed
}
