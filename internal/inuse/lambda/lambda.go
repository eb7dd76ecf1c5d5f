// Package lambda is the in-use source for AWS Lambda. It takes the Lambda API of one
// Region and returns the uses of every version of every function with an image, $LATEST
// included: one by the digest that Lambda resolved, and one by the name that was given.
package lambda

import (
	"context"
	"iter"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
)

// API is the part of the Lambda client that the source calls.
type API interface {
	lambda.ListFunctionsAPIClient
	lambda.ListAliasesAPIClient
	lambda.GetFunctionAPIClient
}

// Actions are the IAM actions for the calls of [API].
var Actions = []string{"lambda:GetFunction", "lambda:ListAliases", "lambda:ListFunctions"}

// name is the entry of protect.inUse.
const name = "lambda"

// A Source is the in-use source. It does not miss functions that are deleted during the
// scan. It finds versions that are published during the scan by their aliases.
type Source struct{ API API }

// New returns the source for a Region. It has no settings.
func New(cfg aws.Config, _ config.Protect) inuse.Source { return Source{lambda.NewFromConfig(cfg)} }

// Name returns "lambda".
func (Source) Name() string { return name }

// Uses queries Lambda.
func (s Source) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return inuse.Collect(func(c *inuse.Collector) error { return scan{s, c}.run(ctx) })
}

// A scan is one pass over Lambda.
type scan struct {
	Source
	*inuse.Collector
}

// A version is one version of a function that has, or may have, an image.
type version struct {
	function, version string
	// by is the ARN of the version or of an alias of it.
	by string
	// kind is the package type in the listing, or empty.
	kind types.PackageType
}

func (s scan) run(ctx context.Context) error {
	versions, err := s.versions(ctx)
	if err != nil {
		return err
	}
	if err := inuse.Each(ctx, versions, s.code); err != nil {
		return err
	}
	known := map[string]map[string]bool{}
	for _, v := range versions {
		if known[v.function] == nil {
			known[v.function] = map[string]bool{}
		}
		known[v.function][v.version] = true
	}
	aliased, err := inuse.Gather(ctx, slices.Collect(maps.Keys(known)), func(ctx context.Context, function string) ([]version, error) {
		return s.aliased(ctx, function, known[function])
	})
	if err != nil {
		return err
	}
	return inuse.Each(ctx, aliased, s.code)
}

// versions returns the versions of all functions, except those without an image.
func (s scan) versions(ctx context.Context) ([]version, error) {
	var versions []version
	for f, err := range inuse.Pages(func(token *string) (*lambda.ListFunctionsOutput, error) {
		return s.API.ListFunctions(ctx, &lambda.ListFunctionsInput{FunctionVersion: types.FunctionVersionAll, Marker: token})
	}, func(out *lambda.ListFunctionsOutput) ([]types.FunctionConfiguration, *string) {
		return out.Functions, out.NextMarker
	}) {
		if err != nil {
			return nil, explain("list functions", err)
		}
		if f.PackageType != types.PackageTypeZip {
			versions = append(versions, version{aws.ToString(f.FunctionName), aws.ToString(f.Version), aws.ToString(f.FunctionArn), f.PackageType})
		}
	}
	return versions, nil
}

// aliased returns the versions to which aliases of the function route calls, except the
// known versions.
func (s scan) aliased(ctx context.Context, function string, known map[string]bool) ([]version, error) {
	var versions []version
	for alias, err := range inuse.Pages(func(token *string) (*lambda.ListAliasesOutput, error) {
		return s.API.ListAliases(ctx, &lambda.ListAliasesInput{FunctionName: &function, Marker: token})
	}, func(out *lambda.ListAliasesOutput) ([]types.AliasConfiguration, *string) {
		return out.Aliases, out.NextMarker
	}) {
		if gone(err) {
			return nil, nil
		}
		if err != nil {
			return nil, explain("list aliases of "+function, err)
		}
		targets := []string{aws.ToString(alias.FunctionVersion)}
		if alias.RoutingConfig != nil {
			targets = slices.AppendSeq(targets, maps.Keys(alias.RoutingConfig.AdditionalVersionWeights))
		}
		for _, v := range targets {
			if !known[v] {
				versions = append(versions, version{function, v, aws.ToString(alias.AliasArn), ""})
			}
		}
	}
	return versions, nil
}

// gone reports whether the function or version of a call was deleted after it was
// listed.
func gone(err error) bool { return inuse.HasCode(err, "ResourceNotFoundException") }

func explain(doing string, err error) error { return inuse.Explain(name, doing, err) }
