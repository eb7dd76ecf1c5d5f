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
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// Actions are the IAM actions for the calls of the source. It lists the versions of runtimes
// only if a function has a customer-managed runtime.
var Actions = []string{"lambda:GetFunction", "lambda:ListAliases", "lambda:ListFunctions", "lambda:ListRuntimeVersions"}

const name = "lambda" // in protect.inUse

// A source is the in-use source. It finds versions that are published during the scan by
// their aliases, and skips functions that are deleted during the scan.
type source struct{ api awsclient.Service }

// New returns the source for the environment. It uses no settings.
func New(env query.Environment) inuse.Source {
	return source{awsclient.Service{Config: env.AWS, Name: name, SDKID: "Lambda", Clock: env.Clock}}
}

// Name returns "lambda".
func (source) Name() string { return name }

// Uses queries Lambda.
func (s source) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return inuse.Collect(func(c *inuse.Collector) error {
		return scan{source: s, Collector: c, mu: new(sync.Mutex), runtimes: map[string]string{}}.run(ctx)
	})
}

// A scan is one pass over Lambda.
type scan struct {
	source
	*inuse.Collector

	mu       *sync.Mutex
	runtimes map[string]string // the first user of each customer-managed runtime, by their ARNs
}

// A version is one version of a function that has, or may have, an image or a runtime with
// an image.
type version struct {
	function, version string
	by                string // the ARN of the version or of an alias of it
	kind              string // the package type in the listing, or empty
	runtime           bool   // true if it may have a customer-managed one by the listing
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
	for f, err := range query.Pages(func(token *string) (*functionPage, error) {
		var page functionPage
		parameters := url.Values{"FunctionVersion": {"ALL"}}
		return &page, s.api.Get(ctx, "ListFunctions", functions, after(token, parameters), &page)
	}, func(page *functionPage) ([]configuration, *string) { return page.Functions, page.NextMarker }) {
		switch runtime := f.mayHaveRuntime(); {
		case err != nil:
			return nil, query.Explain(name, "list functions", err)
		case f.FunctionName == "":
			return nil, errors.New("list functions: the answer has a function without a name")
		case runtime, f.PackageType != zip:
			versions = append(versions, version{f.FunctionName, f.Version, f.FunctionArn, f.PackageType, runtime})
		}
	}
	return versions, nil
}

// aliased returns the versions behind the aliases of the function, without the known ones.
func (s scan) aliased(ctx context.Context, function string, known []string) ([]version, error) {
	var versions []version
	for alias, err := range query.Pages(func(token *string) (*aliasPage, error) {
		var page aliasPage
		return &page, s.api.Get(ctx, "ListAliases", pathOf(function)+"/aliases", after(token, url.Values{}), &page)
	}, func(page *aliasPage) ([]alias, *string) { return page.Aliases, page.NextMarker }) {
		if gone(err) {
			return nil, nil
		}
		if err != nil {
			return nil, query.Explain(name, "list aliases of "+function, err)
		}
		targets := slices.AppendSeq([]string{alias.FunctionVersion}, maps.Keys(alias.RoutingConfig.AdditionalVersionWeights))
		for _, v := range targets {
			if !slices.Contains(known, v) {
				versions = append(versions, version{function, v, alias.AliasArn, "", false})
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
	parameters := url.Values{}
	if v.version != "$LATEST" { // the default
		parameters.Set("Qualifier", v.version)
	}
	var out functionAnswer
	err := s.api.Get(ctx, "GetFunction", pathOf(v.function), parameters, &out)
	switch {
	case gone(err):
		return nil
	case err != nil:
		return query.Explain(name, doing, err)
	case out.Code == nil || out.Configuration == nil:
		return fmt.Errorf("%s: the answer has no code", doing)
	}
	arn, err := out.Configuration.runtimeARN(v.runtime)
	if arn != "" {
		s.addRuntime(arn, v)
	}
	if err := cmp.Or(err, s.image(v, out)); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// image adds the image of a version by its two names.
func (s scan) image(v version, out functionAnswer) error {
	resolved, given := out.Code.ResolvedImageUri, out.Code.ImageUri
	if resolved == "" && given == "" {
		kind := cmp.Or(out.Configuration.PackageType, v.kind)
		if kind == zip || kind == "" && out.Code.Location != "" {
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
	mayRun := state != "Pending" && state != "Failed"
	if _, notECR := reference.Parse(given); notECR == nil && mayRun {
		return fmt.Errorf("the answer does not say what %s resolves to", given)
	}
	return nil
}
