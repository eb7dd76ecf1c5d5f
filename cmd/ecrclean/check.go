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
	k := &checker{setup: setup{world: w}}
	c := &cobra.Command{
		Use:   "check [--dialect aws|extended] FILE... | --config FILE",
		Short: "Validate lifecycle policies or a configuration",
		Long: `Validate lifecycle policies, or a configuration with --config; FILE may be - for the standard input.
A configuration may also be the JSON text itself, s3://BUCKET/KEY or ssm:/PARAMETER, which is then read; there is
no other AWS call without --repositories.

The dialect aws is ECR's own grammar, for policies to attach; extended is that
of policies in a configuration, which is a superset.

Every problem is named with line and column. Warnings are about rules that are valid
but probably a mistake, and leave the exit status 0. With images, check also warns of

  - rules that match none of the images, and rules whose images earlier rules match
  - lists of which no image matches all entries
  - tags that an entry probably should not match, such as v10 for the prefix v1
  - large counts that are nearly reached

--images takes the images of one repository: the output of "aws ecr describe-images".
With --repositories, check lists the images in the registry. It checks a policy file
with all of these repositories, and a policy of a configuration with the repositories
that get it.`,
		RunE: k.run,
	}
	f := c.Flags()
	f.StringVar(&k.dialect, "dialect", "aws", "dialect of policy files: aws or extended; the policies of a configuration are extended")
	f.StringVar(&k.configuration, "config", "", "check this configuration: a file, s3://BUCKET/KEY, ssm:/PARAMETER or the JSON text itself")
	f.StringVar(&k.images, "images", "", `warn also by these images: output of "aws ecr describe-images"`)
	f.StringSliceVar(&k.repositories, "repositories", nil, "warn also by the images of the repositories that match one of these patterns; * matches any characters (repeatable, comma-separated)")
	k.accountFlags(c)
	k.outputFlag(c)
	return c
}

// A checker is the check command with its flags.
type checker struct {
	setup
	dialect, configuration, images string
}

func (k *checker) run(c *cobra.Command, args []string) error {
	parse, ok := policyParsers[k.dialect]
	switch {
	case (len(args) == 0) == (k.configuration == ""):
		return usageError(errors.New("expects policy files, or --config with a configuration file"))
	case !ok:
		return usageError(fmt.Errorf("--dialect %s: must be aws or extended", k.dialect))
	case k.images != "" && c.Flags().Changed("repositories"):
		return usageError(errors.New("expects --images or --repositories, not both"))
	}
	var documents []*document
	var err error
	if k.configuration != "" {
		documents, err = k.readConfigurationDocument(c.Context())
	} else {
		documents, err = k.readPolicies(args, parse)
	}
	if err == nil {
		err = k.survey(c, documents)
	}
	if err != nil {
		return err
	}
	results := make([]checked, len(documents))
	for i, d := range documents {
		results[i] = newChecked(d.name, d.problems)
	}
	return k.printChecked(results)
}

// policyParsers read a policy, by the name of its dialect.
var policyParsers = map[string]func(text []byte) (lifecycle.Policy, jsondoc.Problems){
	"aws": lifecycle.ParseText,
	"extended": func(text []byte) (lifecycle.Policy, jsondoc.Problems) {
		return lifecycle.Parse(text, lifecycle.Extended)
	},
}

func (k *checker) readPolicies(names []string, parse func([]byte) (lifecycle.Policy, jsondoc.Problems)) ([]*document, error) {
	documents := make([]*document, len(names))
	for i, name := range names {
		text, err := k.readInput(name, config.MaxBytes)
		if err != nil {
			return nil, err
		}
		policy, problems := parse(text)
		documents[i] = &document{name: name, text: text, problems: problems, policies: []lifecycle.Policy{policy}}
	}
	return documents, nil
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
