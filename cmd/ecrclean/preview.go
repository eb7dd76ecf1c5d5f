package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

func previewCommand(w world) *cobra.Command {
	s := setup{world: w}
	var policyFile, imagesFile, now string
	c := &cobra.Command{
		Use:   "preview --policy FILE --images FILE [--now RFC3339]",
		Short: "Evaluate a policy file on the output of aws ecr describe-images; no AWS call",
		Long: `Evaluate a lifecycle policy on the output of "aws ecr describe-images"; one of the files may be - for the standard input.

This is evaluation only: no protection, no limits. The JSON output has the shape
of "aws ecr get-lifecycle-policy-preview" and holds the affected images. The
policy may be in ECR's own grammar or in the extended one of a configuration.`,
		Args: exactArgs(0, "no arguments; name the files with --policy and --images"),
		RunE: func(*cobra.Command, []string) error {
			if _, err := s.json(); err != nil {
				return err
			}
			at, err := s.instant(now)
			if err != nil {
				return err
			}
			policy, text, err := s.readPolicy(policyFile)
			if err != nil {
				return err
			}
			images, err := s.readImages(imagesFile)
			if err != nil {
				return err
			}
			return s.printPreview(newPreview(text, images, evaluator.Evaluate(policy, images.Details, at)))
		},
	}
	f := c.Flags()
	f.StringVar(&policyFile, "policy", "", "lifecycle policy")
	f.StringVar(&imagesFile, "images", "", `output of "aws ecr describe-images"`)
	f.StringVar(&now, "now", "", "instant of the evaluation, RFC 3339 (default: now)")
	s.outputFlag(c)
	for _, required := range []string{"policy", "images"} {
		if err := c.MarkFlagRequired(required); err != nil {
			panic(err) // the flag is defined above
		}
	}
	return c
}

func (s *setup) instant(text string) (time.Time, error) {
	if text == "" {
		return s.now(), nil
	}
	at, ok := parseInstant(text)
	if !ok {
		return at, usageError(fmt.Errorf("--now %s: must be like 2026-03-01T00:00:00Z, in one of the years 1678 to 2261", text))
	}
	return at, nil
}

func (s *setup) readPolicy(name string) (lifecycle.Policy, string, error) {
	text, err := s.readInput(name, 1<<20)
	if err != nil {
		return lifecycle.Policy{}, "", err
	}
	policy, problems := lifecycle.Parse(text, lifecycle.Extended)
	if err := problems.Err(); err != nil {
		return policy, "", usageError(fmt.Errorf("policy %s: %w", name, err))
	}
	for _, w := range problems.Warnings() {
		fmt.Fprintf(s.stderr, "ecrclean: policy %s: %s\n", name, w)
	}
	return policy, string(text), nil
}

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
