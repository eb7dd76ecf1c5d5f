// Package ecrapi reads and deletes images through the Amazon ECR API. Only this package
// and its subpackage policyapi import the SDK's ecr module. It converts image details into
// [evaluator.Image] values, and error codes into the errors of package plan.
package ecrapi

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// API is the part of the ECR client that this package calls. The role in template.yaml
// allows these actions and no others.
type API interface {
	ecr.DescribeRepositoriesAPIClient
	ecr.DescribeImagesAPIClient
	ListTagsForResource(context.Context, *ecr.ListTagsForResourceInput, ...func(*ecr.Options)) (*ecr.ListTagsForResourceOutput, error)
	GetRepositoryPolicy(context.Context, *ecr.GetRepositoryPolicyInput, ...func(*ecr.Options)) (*ecr.GetRepositoryPolicyOutput, error)
	GetRegistryPolicy(context.Context, *ecr.GetRegistryPolicyInput, ...func(*ecr.Options)) (*ecr.GetRegistryPolicyOutput, error)
	GetLifecyclePolicy(context.Context, *ecr.GetLifecyclePolicyInput, ...func(*ecr.Options)) (*ecr.GetLifecyclePolicyOutput, error)
	DescribeRegistry(context.Context, *ecr.DescribeRegistryInput, ...func(*ecr.Options)) (*ecr.DescribeRegistryOutput, error)
	ListReplicationBackfills(context.Context, *ecr.ListReplicationBackfillsInput, ...func(*ecr.Options)) (*ecr.ListReplicationBackfillsOutput, error)
	ListPullTimeUpdateExclusions(context.Context, *ecr.ListPullTimeUpdateExclusionsInput, ...func(*ecr.Options)) (*ecr.ListPullTimeUpdateExclusionsOutput, error)
	BatchGetImage(context.Context, *ecr.BatchGetImageInput, ...func(*ecr.Options)) (*ecr.BatchGetImageOutput, error)
	BatchDeleteImage(context.Context, *ecr.BatchDeleteImageInput, ...func(*ecr.Options)) (*ecr.BatchDeleteImageOutput, error)
	UpdateImageStorageClass(context.Context, *ecr.UpdateImageStorageClassInput, ...func(*ecr.Options)) (*ecr.UpdateImageStorageClassOutput, error)
}

const maxResults = 1000 // the largest page size that ECR accepts

// A Client reads and deletes images. It is safe for concurrent use.
type Client struct {
	api         API
	emulated    bool // the endpoint is that of an emulator
	unevaluated *nameSet
}

var (
	_ plan.Registry     = Client{}
	_ plan.PolicyReader = Client{}
	_ plan.TagReader    = Client{}
	_ plan.NamedReader  = Client{}
	_ apply.Remover     = Client{}
)

// New returns a client that calls the API.
func New(api API) Client { return Client{api: api, unevaluated: newNameSet()} }

// Repositories lists the repositories of the registry in ECR's order.
func (c Client) Repositories(ctx context.Context) iter.Seq2[plan.Repository, error] {
	return oneByOne(unique("describe repositories", func(r *plan.Repository) string { return r.Name }, nil,
		func(token *string) (page[plan.Repository], error) {
			out, err := c.api.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{MaxResults: aws.Int32(maxResults), NextToken: token})
			if err != nil {
				return page[plan.Repository]{}, Classify(err)
			}
			items, err := converted(out.Repositories, repository)
			if err == nil {
				err = present("repositories", out.Repositories != nil)
			}
			return page[plan.Repository]{items, aws.ToString(out.NextToken)}, err
		}))
}

// RepositoriesNamed implements [plan.NamedReader]. ECR refuses a call with a name that does not
// exist, so the names of such a call are described in two halves.
func (c Client) RepositoriesNamed(ctx context.Context, names []string) ([]plan.Repository, error) {
	if len(names) > plan.MaxBatch {
		return c.inHalves(ctx, names)
	}
	out, err := c.api.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RepositoryNames: names})
	err = Classify(err)
	switch {
	case errors.Is(err, plan.ErrRepositoryNotFound) && len(names) == 1:
		return nil, nil
	case errors.Is(err, plan.ErrRepositoryNotFound):
		return c.inHalves(ctx, names)
	}
	var found []plan.Repository
	if err == nil {
		found, err = converted(out.Repositories, repository)
	}
	if err == nil && !sameNames(names, found) {
		err = errors.New("the answer has other repositories" + checkEndpoint)
	}
	if err != nil {
		return nil, fmt.Errorf("describe repositories %s: %w", strings.Join(words.Few(names), ", "), err)
	}
	return found, nil
}

func (c Client) inHalves(ctx context.Context, names []string) ([]plan.Repository, error) {
	half := len(names) / 2
	first, err := c.RepositoriesNamed(ctx, names[:half])
	if err != nil {
		return nil, err
	}
	second, err := c.RepositoriesNamed(ctx, names[half:])
	return append(first, second...), err
}

// sameNames reports whether the repositories have these names, each once, in any order.
func sameNames(names []string, found []plan.Repository) bool {
	got := make([]string, len(found))
	for i, r := range found {
		got[i] = r.Name
	}
	slices.Sort(got)
	return slices.Equal(slices.Sorted(slices.Values(names)), got)
}

func repository(r types.Repository) (plan.Repository, error) {
	if aws.ToString(r.RepositoryName) == "" {
		return plan.Repository{}, fmt.Errorf("a repository in the answer has no name%s", checkEndpoint)
	}
	return plan.Repository{Name: *r.RepositoryName, RegistryID: aws.ToString(r.RegistryId), ARN: aws.ToString(r.RepositoryArn)}, nil
}

// PolicyText implements [plan.Registry].
func (c Client) PolicyText(ctx context.Context, name string) (string, error) {
	out, err := c.api.GetLifecyclePolicy(ctx, &ecr.GetLifecyclePolicyInput{RepositoryName: &name})
	if err != nil {
		return "", fmt.Errorf("get lifecycle policy of %s: %w", name, Classify(err))
	}
	c.unevaluated.set(name, out.LastEvaluatedAt != nil && out.LastEvaluatedAt.Unix() == 0)
	return aws.ToString(out.LifecyclePolicyText), nil
}

// RepositoryTags returns all tags of the repository. ECR returns them in one page.
func (c Client) RepositoryTags(ctx context.Context, r plan.Repository) (map[string]string, error) {
	out, err := c.api.ListTagsForResource(ctx, &ecr.ListTagsForResourceInput{ResourceArn: &r.ARN})
	if err == nil {
		err = present("tags", out.Tags != nil)
	}
	if err != nil {
		return nil, fmt.Errorf("list tags of %s: %w", r.Name, Classify(err))
	}
	tags := make(map[string]string, len(out.Tags))
	for _, tag := range out.Tags {
		if tag.Key == nil || tag.Value == nil {
			return nil, fmt.Errorf("list tags of %s: the answer has a tag without key or value%s", r.Name, checkEndpoint)
		}
		tags[*tag.Key] = *tag.Value
	}
	return tags, nil
}

// RepositoryPolicyText implements [plan.PolicyReader].
func (c Client) RepositoryPolicyText(ctx context.Context, name string) (string, error) {
	out, err := c.api.GetRepositoryPolicy(ctx, &ecr.GetRepositoryPolicyInput{RepositoryName: &name})
	if hasCode(err, "RepositoryPolicyNotFoundException") {
		return "", nil
	}
	if err == nil {
		err = present("policyText", out.PolicyText != nil)
	}
	if err != nil {
		return "", fmt.Errorf("get repository policy of %s: %w", name, Classify(err))
	}
	return *out.PolicyText, nil
}

// RegistryPolicyText implements [plan.PolicyReader].
func (c Client) RegistryPolicyText(ctx context.Context) (string, error) {
	out, err := c.api.GetRegistryPolicy(ctx, &ecr.GetRegistryPolicyInput{})
	if hasCode(err, "RegistryPolicyNotFoundException") {
		return "", nil
	}
	if err == nil {
		err = present("policyText", out.PolicyText != nil)
	}
	if err != nil {
		return "", fmt.Errorf("get registry policy: %w", Classify(err))
	}
	return *out.PolicyText, nil
}

// PullTimeExclusions returns the ARNs of the principals whose pulls ECR does not
// record. It returns none if an emulator does not know the operation.
func (c Client) PullTimeExclusions(ctx context.Context) ([]string, error) {
	var arns []string
	for page, err := range unique("list pull-time update exclusions", func(arn *string) string { return *arn }, nil,
		func(token *string) (page[string], error) {
			out, err := c.api.ListPullTimeUpdateExclusions(ctx, &ecr.ListPullTimeUpdateExclusionsInput{NextToken: token}, c.errorPageOnce)
			if c.emulated && (awsclient.IsErrorPage(err) || hasCode(err, "UnknownOperationException")) {
				return page[string]{}, nil
			}
			if err != nil {
				return page[string]{}, Classify(err)
			}
			return page[string]{out.PullTimeUpdateExclusions, aws.ToString(out.NextToken)},
				present("pullTimeUpdateExclusions", out.PullTimeUpdateExclusions != nil)
		}) {
		if err != nil {
			return nil, err
		}
		arns = append(arns, page...)
	}
	return arns, nil
}

// errorPageOnce is an option of a call of an operation that an emulator may not know.
func (c Client) errorPageOnce(o *ecr.Options) {
	if c.emulated {
		o.Retryer = awsclient.ErrorPageOnce{Retryer: o.Retryer}
	}
}
