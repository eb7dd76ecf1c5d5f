package policyfile

import (
	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/images"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// Preview returns the command preview.
func Preview(e env.Env) *cobra.Command {
	f := session.NewFlags(e)
	var policyFile, imagesFile, now string
	c := &cobra.Command{
		Use:   "preview --policy FILE --images FILE [--now RFC3339]",
		Short: "Evaluate a policy file on the output of aws ecr describe-images; no AWS call",
		Long: `Evaluate a lifecycle policy on the output of "aws ecr describe-images". One of the files
may be - for the standard input.

preview considers no protection and no limits. The JSON output has the shape of
"aws ecr get-lifecycle-policy-preview" and lists the affected images. The policy may be a
native ECR policy or an extended one, as in a configuration.`,
		Args: session.Args(0, "no arguments; name the files with --policy and --images"),
		RunE: func(*cobra.Command, []string) error { return previewFiles(f, policyFile, imagesFile, now) },
	}
	c.Flags().StringVar(&policyFile, "policy", "", "lifecycle policy")
	c.Flags().StringVar(&imagesFile, "images", "", `output of "aws ecr describe-images"`)
	c.Flags().StringVar(&now, "now", "", "time of the evaluation, RFC 3339 (default: now)")
	f.AddOutput(c)
	for _, required := range []string{"policy", "images"} {
		if err := c.MarkFlagRequired(required); err != nil {
			panic(err) // the flag is defined above
		}
	}
	return c
}

func previewFiles(f *session.Flags, policyFile, imagesFile, now string) error {
	if _, err := f.JSON(); err != nil {
		return err
	}
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
	file, err := readImages(f.Env, imagesFile)
	if err != nil {
		return err
	}
	p := newPreview(string(content), file, evaluator.Evaluate(policy, file.Details, at))
	return f.Print("preview", text.JSON(p), p.table)
}

func readImages(e env.Env, name string) (images.File, error) {
	content, err := e.ReadInput(name, images.MaxBytes)
	if err != nil {
		return images.File{}, err
	}
	file, err := images.Parse(content)
	if err != nil {
		return file, exit.Usagef("images %s: %w", name, err)
	}
	return file, nil
}
