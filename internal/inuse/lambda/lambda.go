// Package lambda is the in-use source for AWS Lambda. It takes the Lambda API of one
// Region. It returns the uses of all versions of all functions with an image, each by the
// name that was given and by the digest that Lambda resolved. It also returns the images of
// the customer-managed runtimes that other functions use.
package lambda

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// API is the part of the Lambda client that the source calls.
type API interface {
	lambda.ListFunctionsAPIClient
	lambda.ListAliasesAPIClient
	lambda.GetFunctionAPIClient
}

// Actions are the IAM actions for the calls of the source. It lists the versions of runtimes
// only if a function has a customer-managed runtime.
var Actions = []string{"lambda:GetFunction", "lambda:ListAliases", "lambda:ListFunctions", "lambda:ListRuntimeVersions"}

const name = "lambda" // in protect.inUse

// A Source is the in-use source. It finds versions that are published during the scan by
// their aliases, and skips functions that are deleted during the scan.
type Source struct {
	API  API
	Core awsclient.Service // the API of AWS Lambda Core, which has the customer-managed runtimes
}

// New returns the source for the environment. It uses no settings.
func New(env query.Environment) inuse.Source {
	return Source{lambda.NewFromConfig(env.AWS), awsclient.Service{Config: env.AWS, Name: name, SDKID: "Lambda Core", Clock: env.Clock}}
}

// Name returns "lambda".
func (Source) Name() string { return name }

// Uses queries Lambda.
func (s Source) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return inuse.Collect(func(c *inuse.Collector) error {
		return scan{Source: s, Collector: c, mu: new(sync.Mutex), runtimes: map[string]string{}}.run(ctx)
	})
}

// A scan is one pass over Lambda.
type scan struct {
	Source
	*inuse.Collector

	mu       *sync.Mutex
	runtimes map[string]string // the first user of each customer-managed runtime, by their ARNs
}

// A version is one version of a function that has, or may have, an image or a runtime with
// an image.
type version struct {
	function, version string
	by                string            // the ARN of the version or of an alias of it
	kind              types.PackageType // in the listing, or empty
	runtime           bool              // true if it may have a customer-managed one by the listing
}

func (s scan) run(ctx context.Context) error {
	versions, err := s.versions(ctx)
	if err != nil {
		return err
	}
	if err := query.Each(ctx, versions, s.code); err != nil {
		return err
	}
	known := map[string][]string{}
	for _, v := range versions {
		known[v.function] = append(known[v.function], v.version)
	}
	aliased, err := query.Gather(ctx, slices.Collect(maps.Keys(known)), func(ctx context.Context, function string) ([]version, error) {
		return s.aliased(ctx, function, known[function])
	})
	if err != nil {
		return err
	}
	if err := query.Each(ctx, aliased, s.code); err != nil {
		return err
	}
	return s.runtimeImages(ctx)
}

// versions returns the versions of all functions that may have an image.
func (s scan) versions(ctx context.Context) ([]version, error) {
	var versions []version
	for f, err := range query.Pages(func(token *string) (*lambda.ListFunctionsOutput, error) {
		return s.API.ListFunctions(ctx, &lambda.ListFunctionsInput{FunctionVersion: types.FunctionVersionAll, Marker: token})
	}, func(out *lambda.ListFunctionsOutput) ([]types.FunctionConfiguration, *string) {
		return out.Functions, out.NextMarker
	}) {
		if err != nil {
			return nil, query.Explain(name, "list functions", err)
		}
		if runtime := mayHaveRuntime(&f); runtime || f.PackageType != types.PackageTypeZip {
			versions = append(versions, version{aws.ToString(f.FunctionName), aws.ToString(f.Version), aws.ToString(f.FunctionArn), f.PackageType, runtime})
		}
	}
	return versions, nil
}

// aliased returns the versions behind the aliases of the function, without the known ones.
func (s scan) aliased(ctx context.Context, function string, known []string) ([]version, error) {
	var versions []version
	for alias, err := range query.Pages(func(token *string) (*lambda.ListAliasesOutput, error) {
		return s.API.ListAliases(ctx, &lambda.ListAliasesInput{FunctionName: &function, Marker: token})
	}, func(out *lambda.ListAliasesOutput) ([]types.AliasConfiguration, *string) {
		return out.Aliases, out.NextMarker
	}) {
		if gone(err) {
			return nil, nil
		}
		if err != nil {
			return nil, query.Explain(name, "list aliases of "+function, err)
		}
		targets := []string{aws.ToString(alias.FunctionVersion)}
		if alias.RoutingConfig != nil {
			targets = slices.AppendSeq(targets, maps.Keys(alias.RoutingConfig.AdditionalVersionWeights))
		}
		for _, v := range targets {
			if !slices.Contains(known, v) {
				versions = append(versions, version{function, v, aws.ToString(alias.AliasArn), "", false})
			}
		}
	}
	return versions, nil
}

// gone reports whether the function or version was deleted after it was listed.
func gone(err error) bool { return query.HasCode(err, "ResourceNotFoundException") }

// code adds the image of a version, if it has one.
func (s scan) code(ctx context.Context, v version) error {
	doing := fmt.Sprintf("get function %s, version %s", v.function, v.version)
	in := &lambda.GetFunctionInput{FunctionName: &v.function}
	if v.version != "$LATEST" { // the default
		in.Qualifier = &v.version
	}
	out, err := s.API.GetFunction(ctx, in)
	switch {
	case gone(err):
		return nil
	case err != nil:
		return query.Explain(name, doing, err)
	case out.Code == nil || out.Configuration == nil:
		return fmt.Errorf("%s: the answer has no code", doing)
	}
	arn, err := runtimeARN(out.Configuration, v.runtime)
	if arn != "" {
		s.addRuntime(arn, v)
	}
	if err := cmp.Or(err, s.image(v, out)); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// image adds the image of a version by its two names.
func (s scan) image(v version, out *lambda.GetFunctionOutput) error {
	resolved, given := aws.ToString(out.Code.ResolvedImageUri), aws.ToString(out.Code.ImageUri)
	if resolved == "" && given == "" {
		kind := cmp.Or(out.Configuration.PackageType, v.kind)
		if kind == types.PackageTypeZip || kind == "" && aws.ToString(out.Code.Location) != "" {
			return nil
		}
		return errors.New("the answer names no image")
	}
	use := inuse.Use{By: v.by}
	if given != "" {
		if err := s.Add(given, "", use); err != nil || strings.Contains(given, "@") {
			return err // a name with a digest needs no resolved image
		}
	}
	if resolved != "" {
		return s.Add(resolved, "", use)
	}
	// In the states Pending and Failed, Lambda has no copy of the image that could run.
	// https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
	state := out.Configuration.State
	mayRun := state != types.StatePending && state != types.StateFailed
	if _, notECR := reference.Parse(given); notECR == nil && mayRun {
		return fmt.Errorf("the answer does not say what %s resolves to", given)
	}
	return nil
}
