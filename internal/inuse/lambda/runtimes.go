package lambda

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// mayHaveRuntime reports whether a function may have a customer-managed runtime.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-customer-managed.html
func (f *configuration) mayHaveRuntime() bool {
	return f.RuntimeConfig != nil || f.Runtime == "custom"
}

// runtimeARN returns the ARN of the customer-managed runtime of a function, or "". The ARN of
// another runtime is arn:PARTITION:lambda:REGION::runtime:ID. Expected says that the function
// may have a customer-managed runtime by its listing.
func (f *configuration) runtimeARN(expected bool) (arn string, err error) {
	if f.RuntimeConfig != nil {
		arn = f.RuntimeConfig.RuntimeArn
	}
	arn, _, _ = strings.Cut(cmp.Or(arn, f.RuntimeVersionConfig.RuntimeVersionArn), "/version/")
	switch {
	case strings.Contains(arn, ":runtime/"):
		return arn, nil
	case expected || f.mayHaveRuntime():
		return "", fmt.Errorf("the answer does not name the customer-managed runtime: %.200q; "+
			"take %q out of protect.inUse, and name the images in a list in protect.references", arn, name)
	}
	return "", nil
}

// addRuntime notes that a version of a function uses a runtime.
func (s scan) addRuntime(arn string, v version) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if by := s.runtimes[arn]; by == "" || v.by < by {
		s.runtimes[arn] = v.by
	}
}

// runtimeImages adds the images of the runtimes that functions use.
func (s scan) runtimeImages(ctx context.Context) error {
	return query.Each(ctx, slices.Collect(maps.Keys(s.runtimes)), s.runtimeVersions)
}

// A runtimePage is an answer of ListRuntimeVersions.
// https://docs.aws.amazon.com/lambda/latest/lambda-core/API_ListRuntimeVersions.html
type runtimePage struct {
	Items     []runtimeVersion
	NextToken *string
}

type runtimeVersion struct{ Arn, ResolvedUri, State string }

// runtimeVersions adds the images of all versions of a runtime, because its alias, which
// functions name, can be moved to each of them.
func (s scan) runtimeVersions(ctx context.Context, arn string) error {
	doing := "list versions of the runtime " + arn
	core := s.api
	core.SDKID = "Lambda Core" // of the SDK's client that has the operation
	versions, err := query.List(func(token *string) (page runtimePage, err error) {
		parameters := url.Values{"maxResults": {"100"}}
		if token != nil {
			parameters.Set("nextToken", *token)
		}
		err = core.Get(ctx, "ListRuntimeVersions", "/2026-10-01/runtimes/"+url.QueryEscape(arn)+"/versions", parameters, &page)
		return page, err
	}, func(page runtimePage) ([]runtimeVersion, *string) { return page.Items, page.NextToken })
	user := s.runtimes[arn]
	switch _, denied := query.Denied(err); {
	case (denied || gone(err)) && account(arn) != account(user):
		s.addFinding("%s uses the runtime %s of another account, whose versions the cleaner cannot list. "+
			"If its images are in this registry, name them in a list in protect.references", user, arn)
		return nil
	case gone(err):
		return fmt.Errorf("%s: %w; delete %s, or give it another runtime", doing, err, user)
	case err != nil:
		return query.Explain(name, doing, err)
	}
	versions = slices.DeleteFunc(versions, runtimeVersion.cannotRun)
	if len(versions) == 0 {
		return fmt.Errorf("%s: no version has an image; delete %s, or give it another runtime", doing, user)
	}
	for _, v := range versions {
		if err := s.runtimeVersion(v); err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
	}
	return nil
}

// cannotRun reports whether the version has no image and never gets one.
func (v runtimeVersion) cannotRun() bool {
	return v.ResolvedUri == "" && (v.State == "FAILED" || v.State == "DELETING")
}

// runtimeVersion adds the image of a version of a runtime. Without a digest it can be any
// image of the repository.
func (s scan) runtimeVersion(v runtimeVersion) error {
	ref, err := reference.ParseAny(v.ResolvedUri)
	if err != nil {
		return fmt.Errorf("the image of %s: %w", cmp.Or(v.Arn, "a version"), err)
	}
	if ref.Digest == "" {
		s.addFinding("The image of the runtime version %s has no digest, so all images of %s are kept", v.Arn, ref.Repository)
	}
	s.AddKnown(inuse.Use{Reference: ref, By: v.Arn, AllImages: ref.Digest == ""})
	return nil
}

func (s scan) addFinding(format string, args ...any) {
	s.AddKnown(inuse.Use{Finding: finding.Finding{Kind: finding.ManagedRuntime, Message: fmt.Sprintf(format, args...)}})
}

// account returns the account in an ARN, or "".
func account(arn string) string {
	if parts := strings.Split(arn, ":"); len(parts) > 4 {
		return parts[4]
	}
	return ""
}
