package inuse

import (
	"context"
	"iter"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// LambdaAPI is the part of the Lambda client that the source calls. The role
// needs these actions.
type LambdaAPI interface {
	lambda.ListFunctionsAPIClient
	lambda.ListAliasesAPIClient
	lambda.GetFunctionAPIClient
}

var _ LambdaAPI = (*lambda.Client)(nil)

// Lambda is the source of what AWS Lambda uses in one Region: the images of
// every version of every function, $LATEST among them, each both by the digest
// that Lambda resolved and by the name it was given. An alias leads to two
// versions at most and adds none to them.
type Lambda struct{ api LambdaAPI }

// NewLambda returns the source.
func NewLambda(api LambdaAPI) Lambda { return Lambda{api} }

// Name returns the entry of protect.inUse.
func (Lambda) Name() string { return "lambda" }

// Uses asks Lambda. Functions that are deleted while it does are not missed,
// and versions that are published while it does are found by their aliases.
func (l Lambda) Uses(ctx context.Context) iter.Seq2[Use, error] {
	return func(yield func(Use, error) bool) {
		s := lambdaScan{Lambda: l}
		err := s.run(ctx)
		s.yield(err, yield)
	}
}

// A lambdaScan is one pass over Lambda.
type lambdaScan struct {
	Lambda
	collector
}

// A version is one version of a function that is, or may be, an image.
type version struct {
	function, version string
	// by is the ARN of the version or of an alias that leads to it.
	by string
	// kind is what the listing calls it, if it was listed.
	kind types.PackageType
}

func (s *lambdaScan) run(ctx context.Context) error {
	versions, err := s.versions(ctx)
	if err != nil {
		return err
	}
	if err := each(ctx, versions, s.code); err != nil {
		return err
	}
	functions := map[string]map[string]bool{}
	for _, v := range versions {
		if functions[v.function] == nil {
			functions[v.function] = map[string]bool{}
		}
		functions[v.function][v.version] = true
	}
	aliased, err := gather(ctx, slices.Collect(maps.Keys(functions)), func(ctx context.Context, function string) ([]version, error) {
		return s.aliased(ctx, function, functions[function])
	})
	if err != nil {
		return err
	}
	return each(ctx, aliased, s.code)
}

// versions lists the versions of all functions but those that are known to be
// no images.
func (s *lambdaScan) versions(ctx context.Context) ([]version, error) {
	var versions []version
	for f, err := range paged(func(token *string) ([]types.FunctionConfiguration, *string, error) {
		out, err := s.api.ListFunctions(ctx, &lambda.ListFunctionsInput{FunctionVersion: types.FunctionVersionAll, Marker: token})
		if err != nil {
			return nil, nil, err
		}
		return out.Functions, out.NextMarker, nil
	}) {
		if err != nil {
			return nil, s.explain("list functions", err)
		}
		if f.PackageType == types.PackageTypeZip {
			continue
		}
		versions = append(versions, version{aws.ToString(f.FunctionName), aws.ToString(f.Version), aws.ToString(f.FunctionArn), f.PackageType})
	}
	return versions, nil
}

// aliased returns those versions to which aliases of the function lead, all or
// part of the time, and which are not among the known ones.
func (s *lambdaScan) aliased(ctx context.Context, function string, known map[string]bool) ([]version, error) {
	var versions []version
	for alias, err := range paged(func(token *string) ([]types.AliasConfiguration, *string, error) {
		out, err := s.api.ListAliases(ctx, &lambda.ListAliasesInput{FunctionName: &function, Marker: token})
		if err != nil {
			return nil, nil, err
		}
		return out.Aliases, out.NextMarker, nil
	}) {
		if functionGone(err) {
			return nil, nil
		}
		if err != nil {
			return nil, s.explain("list aliases of "+function, err)
		}
		leadsTo := []string{aws.ToString(alias.FunctionVersion)}
		if alias.RoutingConfig != nil {
			leadsTo = slices.AppendSeq(leadsTo, maps.Keys(alias.RoutingConfig.AdditionalVersionWeights))
		}
		for _, v := range leadsTo {
			if !known[v] {
				versions = append(versions, version{function, v, aws.ToString(alias.AliasArn), ""})
			}
		}
	}
	return versions, nil
}

// functionGone reports whether the function or version of a call was deleted after it
// was listed.
func functionGone(err error) bool { return hasCode(err, "ResourceNotFoundException") }

func (s *lambdaScan) explain(doing string, err error) error {
	return explain(`"lambda" out of protect.inUse`, doing, err)
}
