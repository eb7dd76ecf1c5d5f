package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// A checked document is the result of check for one file.
type checked struct {
	File     string           `json:"file"`
	Valid    bool             `json:"valid"`
	Problems jsondoc.Problems `json:"problems"`
}

func newChecked(name string, problems jsondoc.Problems) checked {
	return checked{name, problems.Err() == nil, append(jsondoc.Problems{}, problems...)}
}

func checkCommand(w world) *cobra.Command {
	s := setup{world: w}
	var dialect, configuration string
	c := &cobra.Command{
		Use:   "check [--dialect aws|extended] FILE... | --config FILE",
		Short: "Validate lifecycle policies or a configuration",
		Long: `Validate lifecycle policies, or a configuration with --config; FILE may be - for the standard input.
A configuration may also be the JSON text itself, s3://BUCKET/KEY or ssm:/PARAMETER, which is then read; there is
no other AWS call.

The dialect aws is ECR's own grammar, for policies to attach; extended is that
of policies in a configuration, which is a superset.

Every problem is named with line and column. Warnings leave the exit status 0.`,
		RunE: func(c *cobra.Command, args []string) error {
			if (len(args) == 0) == (configuration == "") {
				return usageError(errors.New("expects policy files, or --config with a configuration file"))
			}
			parse, ok := policyParsers[dialect]
			if !ok {
				return usageError(fmt.Errorf("--dialect %s: must be aws or extended", dialect))
			}
			if configuration != "" {
				return s.checkConfiguration(c.Context(), configuration)
			}
			results, err := s.check(args, parse)
			if err != nil {
				return err
			}
			return s.printChecked(results)
		},
	}
	c.Flags().StringVar(&dialect, "dialect", "aws", "dialect of the policies: aws or extended")
	c.Flags().StringVar(&configuration, "config", "", "check this configuration: a file, s3://BUCKET/KEY, ssm:/PARAMETER or the JSON text itself")
	s.accountFlags(c)
	s.outputFlag(c)
	return c
}

// policyParsers find the problems of a policy, by the name of its dialect.
var policyParsers = map[string]func(text []byte) jsondoc.Problems{
	"aws": func(text []byte) jsondoc.Problems { _, problems := lifecycle.ParseText(text); return problems },
	"extended": func(text []byte) jsondoc.Problems {
		_, problems := lifecycle.Parse(text, lifecycle.Extended)
		return problems
	},
}

func (s *setup) check(policies []string, parse func([]byte) jsondoc.Problems) ([]checked, error) {
	results := make([]checked, len(policies))
	for i, name := range policies {
		text, err := s.readInput(name, config.MaxBytes)
		if err != nil {
			return nil, err
		}
		results[i] = newChecked(name, parse(text))
	}
	return results, nil
}

// printChecked writes one line per problem, or the whole as JSON.
func (s *setup) printChecked(results []checked) error {
	asJSON, err := s.json()
	if err != nil {
		return err
	}
	if asJSON {
		if err := printJSON(s.stdout, results); err != nil {
			return failure(fmt.Errorf("write the result: %w", err))
		}
	}
	invalid := 0
	for _, r := range results {
		if !r.Valid {
			invalid++
		}
		if asJSON {
			continue
		}
		for _, p := range r.Problems {
			fmt.Fprintf(s.stdout, "%s:%s\n", printable(r.File), p)
		}
		if len(r.Problems) == 0 {
			fmt.Fprintf(s.stdout, "%s: ok\n", printable(r.File))
		}
	}
	if invalid > 0 {
		return usageError(fmt.Errorf("%d of %d documents are not valid", invalid, len(results)))
	}
	return nil
}
