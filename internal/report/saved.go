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

// ReadPlan reads a report that was saved in order to be applied later.
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

// A PlanError says why a saved plan must not be applied.
type PlanError struct{ Reason string }

func (e *PlanError) Error() string { return "saved plan " + e.Reason }

// Repository returns what the report says of a repository; the zero report
// when it says nothing.
func (r *Report) Repository(name string) *Repository {
	i := slices.IndexFunc(r.Repositories, func(rr Repository) bool { return rr.Name == name })
	if i < 0 {
		return &Repository{}
	}
	return &r.Repositories[i]
}

// ManifestReads returns the images that the saved plan would remove, each with the time at which
// its manifest was read.
func (r *Repository) ManifestReads() []*plan.Image {
	var images []*plan.Image
	for _, saved := range r.Removable() {
		im := saved.Planned()
		im.Read = plan.Span{From: saved.ManifestReadFrom, To: saved.ManifestReadTo}
		images = append(images, &im)
	}
	return images
}

// Removable returns the images of the repository that the plan would remove.
func (r *Repository) Removable() []Image {
	if r.Skipped != "" {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(r.Images), func(im Image) bool { return len(im.ProtectedBy) > 0 })
}

// Wants reports whether the fresh plan would do with the image what the saved one
// would. One that followed another may be marked itself by now, or the other way
// about.
func (s *Image) Wants(im *plan.Image) bool {
	deletes := func(a evaluator.Action) bool { return a == evaluator.Expire || a == plan.Follow }
	same := s.Verdict == im.Action || deletes(s.Verdict) && deletes(im.Action)
	return same && s.OnExpire == im.OnExpire && slices.Equal(s.Untag, im.Untag)
}

// Planned turns the image of a saved plan back into what it was made of.
func (s Image) Planned() plan.Image {
	return plan.Image{
		Image: evaluator.Image{
			Digest: s.ImageDigest, Tags: s.ImageTags, Status: s.ImageStatus, PushedAt: evaluator.At(s.ImagePushedAt),
			LastRecordedPullTime: evaluator.At(s.LastRecordedPullTime), LastActivatedAt: evaluator.At(s.LastActivatedAt), SizeInBytes: s.ImageSizeInBytes,
		},
		Action: s.Verdict, OnExpire: s.OnExpire, Untag: s.Untag, Rule: s.AppliedRulePriority, Reason: s.Reason,
	}
}
