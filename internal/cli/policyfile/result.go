package policyfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/images"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// A preview has the shape of the output of get-lifecycle-policy-preview.
type preview struct {
	RegistryID          string          `json:"registryId,omitempty"`
	RepositoryName      string          `json:"repositoryName,omitempty"`
	LifecyclePolicyText string          `json:"lifecyclePolicyText"`
	Status              string          `json:"status"`
	PreviewResults      []previewResult `json:"previewResults"`
	Summary             previewSummary  `json:"summary"`
}

type previewResult struct {
	ImageTags           []string      `json:"imageTags"`
	ImageDigest         string        `json:"imageDigest"`
	ImagePushedAt       time.Time     `json:"imagePushedAt"`
	Action              previewAction `json:"action"`
	AppliedRulePriority int           `json:"appliedRulePriority"`
	StorageClass        string        `json:"storageClass"`
	// why is for the table; AWS's shape has no place for it.
	why string
}

type previewAction struct {
	Type               string `json:"type"`
	TargetStorageClass string `json:"targetStorageClass,omitempty"`
}

type previewSummary struct {
	ExpiringImageTotalCount       int                  `json:"expiringImageTotalCount"`
	TransitioningImageTotalCounts []transitioningCount `json:"transitioningImageTotalCounts,omitempty"`
	// UntaggingImageTotalCount is ours: ECR has no such action.
	UntaggingImageTotalCount int `json:"untaggingImageTotalCount,omitempty"`
}

type transitioningCount struct {
	TargetStorageClass string `json:"targetStorageClass"`
	ImageTotalCount    int    `json:"imageTotalCount"`
}

// newPreview lists the affected images, ordered by rule and then from the oldest push to
// the newest.
func newPreview(policyText string, file images.File, verdicts []evaluator.Verdict) preview {
	p := preview{
		RegistryID: file.RegistryID, RepositoryName: file.RepositoryName,
		LifecyclePolicyText: policyText, Status: "COMPLETE", PreviewResults: []previewResult{},
	}
	transitioning := 0
	for i, v := range verdicts {
		switch v.Action {
		case evaluator.Keep:
			continue
		case evaluator.Transition:
			transitioning++
		case evaluator.Expire:
			p.Summary.ExpiringImageTotalCount++
		case evaluator.Untag:
			p.Summary.UntaggingImageTotalCount++
		}
		p.PreviewResults = append(p.PreviewResults, newPreviewResult(&file.Details[i], v))
	}
	if transitioning > 0 {
		archive := strings.ToUpper(string(lifecycle.ArchiveClass))
		p.Summary.TransitioningImageTotalCounts = []transitioningCount{{archive, transitioning}}
	}
	slices.SortFunc(p.PreviewResults, func(a, b previewResult) int {
		return cmp.Or(cmp.Compare(a.AppliedRulePriority, b.AppliedRulePriority),
			a.ImagePushedAt.Compare(b.ImagePushedAt), cmp.Compare(a.ImageDigest, b.ImageDigest))
	})
	return p
}

func newPreviewResult(im *evaluator.Image, v evaluator.Verdict) previewResult {
	class := lifecycle.StandardClass
	if im.Status == evaluator.Archived {
		class = lifecycle.ArchiveClass
	}
	why := v.Why()
	if v.Action == evaluator.Untag {
		why += "; loses " + strings.Join(v.Rule.Selection.MatchingTags(im.Tags), ",")
	}
	return previewResult{
		ImageTags: append([]string{}, im.Tags...), ImageDigest: im.Digest, ImagePushedAt: im.PushedAt.Time(),
		Action: previewAction{
			Type:               strings.ToUpper(string(v.Action)),
			TargetStorageClass: strings.ToUpper(string(v.Rule.Action.TargetStorageClass)),
		},
		AppliedRulePriority: v.Rule.RulePriority, StorageClass: strings.ToUpper(string(class)), why: why,
	}
}

// table returns one line for each affected image, and the totals.
func (p *preview) table() string {
	t := text.NewTable("IMAGE", "TAGS", "PUSHED", "ACTION", "RULE", "WHY")
	for _, r := range p.PreviewResults {
		t.Row(text.ShortDigest(r.ImageDigest), text.Tags(r.ImageTags), text.Time(r.ImagePushedAt),
			r.Action.Type, fmt.Sprint(r.AppliedRulePriority), r.why)
	}
	expiring, untagging := p.Summary.ExpiringImageTotalCount, p.Summary.UntaggingImageTotalCount
	line := fmt.Sprintf("%d expire, %d move to the archive", expiring, len(p.PreviewResults)-expiring-untagging)
	if untagging > 0 {
		line += fmt.Sprintf(", %d lose tags", untagging)
	}
	return t.String() + line + "\n"
}
