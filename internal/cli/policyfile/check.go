// Package policyfile has the commands that read policies from files. check finds faults,
// convert prints a native ECR policy, and preview evaluates a policy.
package policyfile

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/doctype"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/policyfile/source"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pitfall"
)

// Check returns the command check.
func Check(f *session.Flags) *cobra.Command {
	k := &checker{Flags: f}
	c := &cobra.Command{
		Use:   "check [--dialect aws|extended] FILE... | --config FILE",
		Short: "Validate lifecycle policies or a configuration",
		Long: `Validate lifecycle policies, or a configuration with --config. FILE may be - for the
standard input. A configuration may also be the JSON text itself, s3://BUCKET/KEY or
ssm:/PARAMETER. Without --repositories, check makes no other AWS call than to read it.

FILE is a policy, a Terraform or OpenTofu file, a CloudFormation or SAM template, or a
directory: a Terraform module, or the cdk.out of the AWS CDK. check reads policies that are
literals. It reports any other policy as "not read", with the value that the policy depends
on, and the exit status is 3.

The dialect aws is the grammar of native ECR policies, which you can attach. The dialect
extended is that of policies in a configuration, and has more.

check prints every problem with line and column. A warning is about a rule that is valid
but probably a mistake, and leaves the exit status 0. With images, check also warns of

  - rules that match none of the images, or only images of earlier rules
  - lists of which no image matches all entries
  - tags that an entry probably should not match, such as v10 for the prefix v1
  - large counts that are nearly reached

--images takes the images of one repository: the output of "aws ecr describe-images".
With --repositories, check lists the images in the registry. It checks a policy file
with all of these repositories, and a policy of a configuration with the repositories
that get it.`,
		RunE: k.run,
	}
	flags := c.Flags()
	flags.StringVar(&k.dialect, "dialect", "aws", "dialect of policy files: aws or extended; the policies of a configuration are extended")
	flags.StringVarP(&k.Configuration, "config", "c", "", "check this configuration: a file, s3://BUCKET/KEY, ssm:/PARAMETER or the JSON text itself")
	flags.StringVar(&k.images, "images", "", `also warn by these images: output of "aws ecr describe-images"`)
	flags.StringSliceVarP(&k.Repositories, "repositories", "r", nil, "also warn by the images of the repositories that match one of these patterns; * matches any characters (repeatable, comma-separated)")
	k.AddAccount(c)
	k.AddOutput(c, session.Table, session.JSON)
	return c
}

type checker struct {
	*session.Flags
	dialect, images string
}

func (k *checker) run(c *cobra.Command, args []string) error {
	switch {
	case (len(args) == 0) == (k.Configuration == ""):
		return exit.Usagef("expects policy files, or --config with a configuration file")
	case k.dialect != "aws" && k.dialect != "extended":
		return exit.Usagef("--dialect %s: must be aws or extended", k.dialect)
	case k.images != "" && k.Repositories != nil:
		return exit.Usagef("expects --images or --repositories, not both")
	}
	var documents []*document
	var err error
	if k.Configuration != "" {
		documents, err = k.readConfiguration(c.Context())
	} else {
		documents, err = k.readPolicies(args)
	}
	if err == nil {
		err = k.survey(c.Context(), documents)
	}
	if err != nil {
		return err
	}
	return k.print(documents)
}

type checked struct {
	File     string           `json:"file"`
	Address  string           `json:"address,omitempty"` // of the resource that has the policy
	Valid    bool             `json:"valid"`
	NotRead  bool             `json:"notRead,omitempty"`
	Problems jsondoc.Problems `json:"problems"`
}

func (k *checker) print(documents []*document) error {
	results := make([]checked, len(documents))
	var out text.Lines
	invalid, notRead := 0, 0
	for i, d := range documents {
		r := checked{d.name, d.address, d.problems.Err() == nil, d.notRead, append(jsondoc.Problems{}, d.place(d.problems)...)}
		switch results[i] = r; {
		case r.NotRead:
			notRead++
		case !r.Valid:
			invalid++
		}
		for _, p := range r.Problems {
			out.Addf("%s:%s", r.File, p)
		}
		if len(r.Problems) == 0 {
			out.Addf("%s: ok", strings.TrimSuffix(r.File+": "+r.Address, ": "))
		}
	}
	total := text.Count(len(results), "document")
	err := k.Print("result", text.JSON(results), func(terminal.Terminal) string { return out.String() })
	switch {
	case err != nil:
		return err
	case invalid > 0:
		return exit.Usagef("%d of %s %s not valid", invalid, total, english.PluralWord(invalid, "is", "are"))
	case notRead > 0:
		return exit.Incompletef("%d of %s %s not read; save the text of the policy in a file, and check that file",
			notRead, total, english.PluralWord(notRead, "was", "were"))
	}
	return nil
}

// A document is a policy or a configuration.
type document struct {
	name, address string
	text          []byte // nil if it is not known
	notRead       bool
	problems      jsondoc.Problems
	configuration *config.Config     // nil for a policy file
	policies      []lifecycle.Policy // one, or one for each entry; no rules if faulty or not in the configuration
	surveys       []*pitfall.Survey
	place         func(jsondoc.Problems) jsondoc.Problems // finds the places of problems in the file
}

func (k *checker) readPolicies(names []string) ([]*document, error) {
	read := func(name string) ([]byte, error) { return k.ReadInput(name, source.MaxBytes) }
	found, err := source.Read(names, read)
	if err != nil {
		return nil, err
	}
	documents := make([]*document, len(found))
	for i, p := range found {
		d := &document{
			name: p.File, address: p.Address, text: p.Text, notRead: p.NotRead, problems: p.Problems,
			policies: make([]lifecycle.Policy, 1), place: p.InFile,
		}
		if documents[i] = d; p.Problems != nil {
			continue
		}
		in := doctype.ReadPolicy(p.Text)
		d.text, d.place = in.Text, func(inText jsondoc.Problems) jsondoc.Problems { return p.InFile(in.InFile(inText)) }
		if k.dialect == "extended" {
			d.policies[0], d.problems = lifecycle.Parse(in.Text, lifecycle.Extended)
		} else {
			d.policies[0], d.problems = lifecycle.ParseText(in.Text)
		}
		k.refuseOther(d, p.File, p.Text, doctype.Policy)
	}
	return documents, nil
}

func (k *checker) readConfiguration(ctx context.Context) ([]*document, error) {
	read := func(ctx context.Context, location string) ([]byte, error) {
		if location == "-" {
			return k.ReadInput(location, config.MaxBytes)
		}
		return k.ReadConfiguration(ctx, location)
	}
	name, content, err := config.Text(ctx, k.Configuration, read)
	if err != nil {
		return nil, exit.Usagef("read configuration: %w", err)
	}
	c, problems := config.Parse(content)
	d := &document{
		name: cmp.Or(name, "configuration"), text: content, problems: problems,
		configuration: &c, policies: make([]lifecycle.Policy, len(c.Policies)),
		place: func(inText jsondoc.Problems) jsondoc.Problems { return inText },
	}
	for i := range c.Policies {
		if problems.Err() == nil {
			d.policies[i] = c.Policies[i].Policy
		}
	}
	k.refuseOther(d, k.Configuration, content, doctype.Configuration)
	return []*document{d}, nil
}

// refuseOther replaces the problems of a document of another kind than the wanted one by the
// command that takes it.
func (k *checker) refuseOther(d *document, name string, content []byte, wanted doctype.Kind) {
	if d.problems.Err() == nil {
		return
	}
	if instead := k.Instead(name, content, wanted); instead != "" {
		d.problems = jsondoc.Refusal("%s", instead)
	}
}

func (d *document) add(repository string, images []evaluator.Image, gets func(i int) bool) {
	for i, survey := range d.surveys {
		if gets(i) {
			survey.Add(repository, images)
		}
	}
}

// warn adds the warnings of the surveys. They replace earlier ones about the same value.
func (d *document) warn() {
	if d.text == nil {
		return
	}
	doc := jsondoc.Parse(jsondoc.WithoutComments(d.text))
	for i, survey := range d.surveys {
		survey.Warn(d.value(doc.Root(), i), d.problems)
	}
	found := doc.Problems()
	d.problems = slices.DeleteFunc(d.problems, func(p jsondoc.Problem) bool {
		return p.Warning && slices.ContainsFunc(found, func(f jsondoc.Problem) bool { return f.Path == p.Path })
	})
	d.problems = append(d.problems, found...)
	slices.SortStableFunc(d.problems, func(a, b jsondoc.Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}
