package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// newPreview lists the affected images, ordered by rule and then from the
// oldest push to the newest.
func newPreview(policyText string, images imageFile, verdicts []evaluator.Verdict) preview {
	p := preview{
		RegistryID: images.RegistryID, RepositoryName: images.RepositoryName,
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
		p.PreviewResults = append(p.PreviewResults, newPreviewResult(&images.Details[i], v))
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
	return previewResult{
		ImageTags: append([]string{}, im.Tags...), ImageDigest: im.Digest, ImagePushedAt: im.PushedAt.Time(),
		Action: previewAction{
			Type:               strings.ToUpper(string(v.Action)),
			TargetStorageClass: strings.ToUpper(string(v.Rule.Action.TargetStorageClass)),
		},
		AppliedRulePriority: v.Rule.RulePriority, StorageClass: strings.ToUpper(string(class)), why: previewWhy(im, v),
	}
}

// previewWhy is the reason, and for an image that stays what it loses.
func previewWhy(im *evaluator.Image, v evaluator.Verdict) string {
	if v.Action != evaluator.Untag {
		return v.Why()
	}
	return fmt.Sprintf("%s; loses %s", v.Why(), strings.Join(v.Rule.Selection.MatchingTags(im.Tags), ","))
}

func (s *setup) printPreview(p preview) error {
	var err error
	if s.output == "json" {
		err = printJSON(s.stdout, p)
	} else {
		err = s.previewTable(p)
	}
	if err != nil {
		return failure(fmt.Errorf("write the preview: %w", err))
	}
	return nil
}

func (s *setup) previewTable(p preview) error {
	t := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	if len(p.PreviewResults) > 0 {
		fmt.Fprintln(t, "IMAGE\tTAGS\tPUSHED\tACTION\tRULE\tWHY")
	}
	for _, r := range p.PreviewResults {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%s\n", shortDigest(r.ImageDigest), printable(tagsCell(r.ImageTags)),
			stamp(r.ImagePushedAt), r.Action.Type, r.AppliedRulePriority, printable(r.why))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	expiring, untagging := p.Summary.ExpiringImageTotalCount, p.Summary.UntaggingImageTotalCount
	line := fmt.Sprintf("%d expire, %d go to the archive", expiring, len(p.PreviewResults)-expiring-untagging)
	if untagging > 0 {
		line += fmt.Sprintf(", %d lose tags", untagging)
	}
	_, err := fmt.Fprintln(s.stdout, line)
	return err
}
