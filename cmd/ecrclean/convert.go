package main

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/convert"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

func convertCommand(w world) *cobra.Command {
	return &cobra.Command{
		Use:   "convert [FILE]",
		Short: "Print the equivalent of an extended policy in ECR's own grammar",
		Long: `Print a lifecycle policy in ECR's own grammar that decides about every image as
the extended policy in FILE does; without FILE, or for -, that on the standard
input.

What has no equivalent is named with line and column on the standard error
stream; nothing is printed then, and the exit status is 2. A rule that gets
another rulePriority, or is left out since it can never act, is named too.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return w.convert(append(args, "-")[0])
		},
	}
}

func (w world) convert(name string) error {
	text, err := w.readInput(name, config.MaxBytes)
	if err != nil {
		return err
	}
	policy, problems := convert.Policy(text)
	for _, p := range problems {
		fmt.Fprintf(w.stderr, "%s:%s\n", printable(name), p)
	}
	if problems.Err() != nil {
		return usageError(errors.New("nothing is converted; change what is named above, or leave the policy to the cleaner's configuration"))
	}
	if text, err = policyText(policy); err == nil {
		_, err = w.stdout.Write(text)
	}
	if err != nil {
		return failure(fmt.Errorf("write the policy: %w", err))
	}
	return nil
}

// policyText prints a policy for people to read, or on one line if that is too
// long for ECR.
func policyText(policy lifecycle.Policy) ([]byte, error) {
	var b bytes.Buffer
	if err := printJSON(&b, policy); err != nil {
		return nil, err
	}
	if _, problems := lifecycle.ParseText(b.Bytes()); problems.Err() == nil {
		return b.Bytes(), nil
	}
	text, err := policy.MarshalJSON()
	return append(text, '\n'), err
}
