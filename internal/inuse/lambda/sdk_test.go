package lambda_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// The SDK's client sends the same requests, and reads the same images from the answers.
func TestTheSDKSendsAndReadsTheSame(t *testing.T) {
	t.Parallel()
	for _, page := range []int{0, 1} {
		f := published()
		f.page = page
		f.versions[0]["NewField"] = object{"of": "tomorrow"}
		for _, odd := range []string{functionARN("api", "prod"), "123456789012:function:a+b$c~d-e_f.g", "é%2F&=?#@"} {
			f.add(odd, "$LATEST", "Image", registry+"odd:v1", registry+"odd@"+sha("a"))
			f.add(odd, "$LATEST.PUBLISHED", "Image", registry+"odd:v2", registry+"odd@"+sha("b"))
		}
		f.add("removed", "1", "Image", "", "")
		delete(f.code, "removed:1")
		f.alias("next", "$LATEST.PUBLISHED", "7 8&9") // versions that are not listed
		ours, theirs := &inusetest.Requests{Handler: f}, &inusetest.Requests{Handler: f}
		got, err := uses(t, newSource(config(t, ours)))
		awstest.NoError(t, err)
		want := (&sdk{t, awslambda.NewFromConfig(config(t, theirs)), nil}).uses()
		slices.Sort(got)
		slices.Sort(want)
		awstest.Equal(t, "uses", slices.Compact(want), got)
		awstest.Equal(t, "requests", theirs.Sorted(), ours.Sorted())
	}
}

// shorten writes a use as [inusetest.Uses] does.
var shorten = strings.NewReplacer(registry, "", "arn:aws:lambda:"+region+":123456789012:", "")

// An sdk makes the calls of the source with the SDK's client.
type sdk struct {
	*testing.T
	client *awslambda.Client
	found  []string
}

// uses returns the uses in the answers that the client reads.
func (s *sdk) uses() []string {
	known := map[string][]string{}
	functions := awslambda.NewListFunctionsPaginator(s.client, &awslambda.ListFunctionsInput{FunctionVersion: types.FunctionVersionAll})
	for functions.HasMorePages() {
		page, err := functions.NextPage(s.Context())
		awstest.NoError(s, err)
		for _, f := range page.Functions {
			known[*f.FunctionName] = append(known[*f.FunctionName], *f.Version)
			s.get(f.FunctionName, *f.Version, *f.FunctionArn)
		}
	}
	for name, versions := range known {
		aliases := awslambda.NewListAliasesPaginator(s.client, &awslambda.ListAliasesInput{FunctionName: &name})
		for aliases.HasMorePages() {
			page, err := aliases.NextPage(s.Context())
			awstest.NoError(s, err)
			for _, alias := range page.Aliases {
				targets := []string{*alias.FunctionVersion}
				if alias.RoutingConfig != nil {
					targets = slices.AppendSeq(targets, maps.Keys(alias.RoutingConfig.AdditionalVersionWeights))
				}
				for _, version := range targets {
					if !slices.Contains(versions, version) {
						s.get(&name, version, *alias.AliasArn)
					}
				}
			}
		}
	}
	return s.found
}

func (s *sdk) get(function *string, version, by string) {
	in := &awslambda.GetFunctionInput{FunctionName: function}
	if version != "$LATEST" {
		in.Qualifier = &version
	}
	out, err := s.client.GetFunction(s.Context(), in)
	if query.HasCode(err, "ResourceNotFoundException") {
		return
	}
	awstest.NoError(s, err)
	for _, image := range []*string{out.Code.ImageUri, out.Code.ResolvedImageUri} {
		s.found = append(s.found, shorten.Replace(aws.ToString(image)+" "+by))
	}
}

func TestTheSDKHasTheSameEndpoints(t *testing.T) {
	inusetest.SameEndpoints(t, "LAMBDA", func(_ context.Context, cfg aws.Config) error {
		_, err := uses(t, newSource(cfg))
		return err
	}, func(ctx context.Context, cfg aws.Config) error {
		_, err := awslambda.NewFromConfig(cfg).ListFunctions(ctx, &awslambda.ListFunctionsInput{FunctionVersion: types.FunctionVersionAll})
		return err
	})
}

// The SDK lists versions of runtimes with the client of Lambda Core, whose endpoint is set apart.
func TestRuntimesHaveTheEndpointOfLambdaCore(t *testing.T) {
	f, core := withRuntime(own), withRuntime(own)
	core.runtimeVersion(own, registry+"php@"+sha("1"), "ACTIVE")
	awstest.Environment(t, "")
	t.Setenv("AWS_ENDPOINT_URL_LAMBDA", *config(t, f).BaseEndpoint)
	t.Setenv("AWS_ENDPOINT_URL_LAMBDA_CORE", *config(t, core).BaseEndpoint)
	cfg, err := awsclient.Load(t.Context(), "", "")
	awstest.NoError(t, err)
	_, err = uses(t, newSource(cfg))
	awstest.NoError(t, err)
	awstest.Equal(t, "ListRuntimeVersions calls", []int{0, 1}, []int{f.Count("ListRuntimeVersions"), core.Count("ListRuntimeVersions")})
}
