package policyfile

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/doctype"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/convert"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// Convert returns the command convert.
func Convert(f *session.Flags) *cobra.Command {
	return &cobra.Command{
		Use:   "convert [FILE]",
		Short: "Convert an extended policy to a native ECR policy",
		Long: `Convert the extended policy in FILE to a native ECR policy, and print it. Both policies
give every image the same verdict. Without FILE, or for -, convert reads the standard
input.

If a part of the policy has no equivalent, convert prints its line and column on the
standard error stream and no policy, and the exit status is 2. It also names each rule
that gets another rulePriority, or that it leaves out because the rule can never match.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return convertPolicy(f, append(args, "-")[0])
		},
	}
}

func convertPolicy(f *session.Flags, name string) error {
	content, err := f.ReadInput(name, config.MaxBytes)
	if err != nil {
		return err
	}
	in := doctype.ReadPolicy(content)
	policy, problems := convert.Policy(in.Text)
	if problems.Err() != nil {
		if err := f.Wrong(name, content, doctype.Policy); err != nil {
			return err
		}
	}
	for _, p := range in.InFile(problems) {
		fmt.Fprintf(f.Stderr, "%s:%s\n", text.Printable(name), p)
	}
	if problems.Err() != nil {
		return exit.Usagef("nothing is converted; change the rules named above, or keep the policy in the configuration of the cleaner")
	}
	if content, err = policyText(policy); err == nil {
		_, err = f.Stdout.Write(content)
	}
	if err != nil {
		return exit.Failuref("write the policy: %w", err)
	}
	return nil
}

// policyText returns an indented text, or one line if that would be too long for ECR.
func policyText(policy lifecycle.Policy) ([]byte, error) {
	var b bytes.Buffer
	if err := text.JSON(policy)(&b); err != nil {
		return nil, err
	}
	if _, problems := lifecycle.ParseText(b.Bytes()); problems.Err() == nil {
		return b.Bytes(), nil
	}
	line, err := policy.MarshalJSON()
	return append(line, '\n'), err
}
