package report

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// ReadPlan reads a saved plan. Its errors continue a sentence that begins with the file.
func ReadPlan(text []byte) (*Report, error) {
	var r Report
	if err := json.Unmarshal(text, &r); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			err = fmt.Errorf("%s cannot be a JSON %s", cmp.Or(wrong.Field, "it"), wrong.Value)
		}
		return nil, fmt.Errorf("is not a saved plan: %w; write one with plan --out", err)
	}
	switch {
	case r.Version != Version:
		return nil, fmt.Errorf("is a report of version %d, not %d; plan again", r.Version, Version)
	case r.Mode != config.Plan:
		return nil, fmt.Errorf("is the report of mode %q, not a plan; write one with plan --out", r.Mode)
	case r.Omitted != nil:
		return nil, fmt.Errorf("was shortened and lacks images; write one with plan --out")
	}
	return &r, nil
}

// A PlanError means that a saved plan must not be applied.
type PlanError struct {
	Reason string
	// OtherConfiguration is true if the plan was made with another configuration or policy.
	OtherConfiguration bool
}

func (e *PlanError) Error() string { return "saved plan " + e.Reason }

// Repository returns the report on a repository, or an empty one if there is none.
func (r *Report) Repository(name string) *Repository {
	for i := range r.Repositories {
		if r.Repositories[i].Name == name {
			return &r.Repositories[i]
		}
	}
	return &Repository{}
}

// Removable returns the images that the plan would remove, none in a skipped repository.
func (r *Repository) Removable() []Image {
	if r.Skipped != "" {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(r.Images), func(im Image) bool { return len(im.ProtectedBy) > 0 })
}

// ManifestReads returns the removable images with the time of their manifest reads.
func (r *Repository) ManifestReads() []*plan.Image {
	var images []*plan.Image
	for _, saved := range r.Removable() {
		im := saved.Planned()
		im.Read = plan.Span{From: saved.ManifestReadFrom, To: saved.ManifestReadTo}
		images = append(images, &im)
	}
	return images
}

// Wants reports whether the fresh plan has the same action for the image. Expire and
// Follow count as the same action, because time can turn one into the other.
func (im *Image) Wants(fresh *plan.Image) bool {
	deletes := func(a evaluator.Action) bool { return a == evaluator.Expire || a == plan.Follow }
	same := im.Verdict == fresh.Action || deletes(im.Verdict) && deletes(fresh.Action)
	return same && im.OnExpire == fresh.OnExpire && slices.Equal(im.Untag, fresh.Untag)
}

// Planned returns the planned image, without protection, outcome and manifest read.
func (im *Image) Planned() plan.Image {
	return plan.Image{
		Image: evaluator.Image{
			Digest: im.ImageDigest, Tags: im.ImageTags, Status: im.ImageStatus, PushedAt: evaluator.At(im.ImagePushedAt),
			LastRecordedPullTime: evaluator.At(im.LastRecordedPullTime), LastActivatedAt: evaluator.At(im.LastActivatedAt), SizeInBytes: im.ImageSizeInBytes,
		},
		Action: im.Verdict, OnExpire: im.OnExpire, Untag: im.Untag, Rule: im.AppliedRulePriority, Reason: im.Reason,
	}
}
