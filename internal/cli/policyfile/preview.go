package policyfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/images"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// Preview returns the command preview.
func Preview(f *session.Flags) *cobra.Command {
	var policyFile, imagesFile, now string
	c := &cobra.Command{
		Use:   "preview --policy FILE --images FILE [--now RFC3339]",
		Short: "Try a policy on the output of aws ecr describe-images",
		Long: `Evaluate a lifecycle policy on the output of "aws ecr describe-images". One of the files
may be - for the standard input.

preview considers no protection and no limits. The JSON output has the shape of
"aws ecr get-lifecycle-policy-preview" and lists the affected images. The policy may be a
native ECR policy or an extended one, as in a configuration.`,
		Args: session.Args(0, 0, "no arguments; name the files with --policy and --images"),
		RunE: func(*cobra.Command, []string) error { return previewFiles(f, policyFile, imagesFile, now) },
	}
	c.Flags().StringVar(&policyFile, "policy", "", "lifecycle policy")
	c.Flags().StringVar(&imagesFile, "images", "", `output of "aws ecr describe-images"`)
	c.Flags().StringVar(&now, "now", "", "time of the evaluation, RFC 3339 (default: now)")
	f.AddOutput(c, session.Table, session.JSON)
	for _, required := range []string{"policy", "images"} {
		_ = c.MarkFlagRequired(required) // the flag is defined above
	}
	return c
}

func previewFiles(f *session.Flags, policyFile, imagesFile, now string) error {
	at := f.Now()
	if now != "" {
		var err error
		if at, err = images.ParseTime(now); err != nil {
			return exit.Usagef("--now %s: %w", now, err)
		}
	}
	content, err := f.ReadInput(policyFile, config.MaxBytes)
	if err != nil {
		return err
	}
	policy, problems := lifecycle.Parse(content, lifecycle.Extended)
	if err := problems.Err(); err != nil {
		return exit.Usagef("policy %s: %w", policyFile, err)
	}
	for _, w := range problems.Warnings() {
		f.Notef("policy %s: %s", policyFile, w)
	}
	file, err := readImages(f, imagesFile)
	if err != nil {
		return err
	}
	p := newPreview(string(content), file, evaluator.Evaluate(policy, file.Details, at))
	return f.Print("preview", text.JSON(p), p.table)
}

func readImages(f *session.Flags, name string) (images.File, error) {
	content, err := f.ReadInput(name, images.MaxBytes)
	if err != nil {
		return images.File{}, err
	}
	file, err := images.Parse(content)
	if err != nil {
		return file, exit.Usagef("images %s: %w", name, err)
	}
	return file, nil
}

// A preview has the shape of the output of get-lifecycle-policy-preview.
type preview struct {
	RegistryID          string          `json:"registryId,omitempty"`
	RepositoryName      string          `json:"repositoryName,omitempty"`
	LifecyclePolicyText string          `json:"lifecyclePolicyText"`
	Status              string          `json:"status"`
	PreviewResults      []previewResult `json:"previewResults"`
	Summary             struct {
		ExpiringImageTotalCount       int                  `json:"expiringImageTotalCount"`
		TransitioningImageTotalCounts []transitioningCount `json:"transitioningImageTotalCounts,omitempty"`
		UntaggingImageTotalCount      int                  `json:"untaggingImageTotalCount,omitempty"` // ECR has no such action
	} `json:"summary"`
}

type previewResult struct {
	ImageTags     []string  `json:"imageTags"`
	ImageDigest   string    `json:"imageDigest"`
	ImagePushedAt time.Time `json:"imagePushedAt"`
	Action        struct {
		Type               string `json:"type"`
		TargetStorageClass string `json:"targetStorageClass,omitempty"`
	} `json:"action"`
	AppliedRulePriority int    `json:"appliedRulePriority"`
	StorageClass        string `json:"storageClass"`
	why                 string // for the table; AWS's shape has no place for it
}

type transitioningCount struct {
	TargetStorageClass string `json:"targetStorageClass"`
	ImageTotalCount    int    `json:"imageTotalCount"`
}

// newPreview orders the images by rule, and then from the oldest push to the newest.
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
	r := previewResult{
		ImageTags: append([]string{}, im.Tags...), ImageDigest: im.Digest, ImagePushedAt: im.PushedAt.Time(),
		AppliedRulePriority: v.Rule.RulePriority, StorageClass: strings.ToUpper(string(class)), why: v.Why(),
	}
	r.Action.Type = strings.ToUpper(string(v.Action))
	r.Action.TargetStorageClass = strings.ToUpper(string(v.Rule.Action.TargetStorageClass))
	if v.Action == evaluator.Untag {
		r.why += "; loses " + strings.Join(v.Rule.Selection.MatchingTags(im.Tags), ",")
	}
	return r
}

func (p *preview) table(on terminal.Terminal) string {
	t := text.NewTable(text.Column{Name: "IMAGE"}, text.Column{Name: "TAGS", Cut: 1}, text.Column{Name: "PUSHED", Cut: 3},
		text.Column{Name: "ACTION"}, text.Column{Name: "RULE", Number: true, Cut: 2}, text.Column{Name: "WHY"})
	for _, r := range p.PreviewResults {
		t.Row(text.ShortDigest(r.ImageDigest), text.Tags(r.ImageTags), text.Time(r.ImagePushedAt),
			r.Action.Type, fmt.Sprint(r.AppliedRulePriority), text.Days(r.why))
	}
	expiring, untagging := p.Summary.ExpiringImageTotalCount, p.Summary.UntaggingImageTotalCount
	line := fmt.Sprintf("%d expire, %d move to the archive", expiring, len(p.PreviewResults)-expiring-untagging)
	if untagging > 0 {
		line += fmt.Sprintf(", %d lose tags", untagging)
	}
	return t.Fit(on, "-o json") + line + "\n"
}
