package codebuild_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codebuild"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/codebuild"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// The answers of this file are written from the API reference of CodeBuild. The SDK's client
// reads them too, and moto_test.go has answers of moto.
// https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetProjects.html

type object = inusetest.Object

const host = inusetest.Registry

func newSource(cfg aws.Config) inuse.Source {
	return codebuild.New(query.Environment{AWS: cfg, Clock: awstest.Clock})
}

func arn(project string) string { return "arn:aws:codebuild:eu-west-1:123456789012:project/" + project }

// A project has an image, unless it is deleted after it was listed.
type project struct{ name, image string }

// play plays CodeBuild with these projects, on pages of that size.
func play(size int, projects ...project) *inusetest.JSONService {
	images, names := map[string]string{}, []string{}
	for _, p := range projects {
		images[p.name] = p.image
		names = append(names, p.name)
	}
	return &inusetest.JSONService{Reply: func(operation string, in object) object {
		if operation == "ListProjects" {
			part, next := inusetest.Page(in, size, names)
			return object{"projects": part, "nextToken": next}
		}
		asked := in["names"].([]any)
		if len(asked) > 100 {
			return object{"__type": "InvalidInputException", "message": "more than 100 names"}
		}
		found, missing := []object{}, []string{}
		for _, name := range asked {
			name := name.(string)
			if images[name] == "" {
				missing = append(missing, name)
				continue
			}
			found = append(found, object{
				"name": name, "arn": arn(name), "newField": object{"of": "tomorrow"},
				"environment": object{"image": images[name], "type": "LINUX_CONTAINER", "computeType": "BUILD_GENERAL1_SMALL"},
			})
		}
		return object{"projects": found, "projectsNotFound": missing}
	}}
}

func TestAProjectUsesTheImageOfItsEnvironment(t *testing.T) {
	t.Parallel()
	f := play(2, project{"web", host + "build:v1"}, project{"pinned", host + "build@" + inusetest.Digest("a")},
		project{"curated", "aws/codebuild/standard:7.0"}, project{"lambda", "aws/codebuild/amazonlinux-x86_64-lambda-standard:python3.12"},
		project{"gone", ""}, project{"hub", "golang:1.26"}, project{"odd", "two words"})
	inusetest.WantUses(t, newSource(inusetest.Config(t, f)), "build:v1 "+arn("web"), "build@"+inusetest.Digest("a")+" "+arn("pinned"),
		"aws/codebuild/standard:7.0 "+arn("curated"), "aws/codebuild/amazonlinux-x86_64-lambda-standard:python3.12 "+arn("lambda"),
		"golang:1.26 "+arn("hub"), `its image is "two words", which is not a reference `+arn("odd"))
	awstest.Equal(t, "pages", 4, f.Count("ListProjects"))
	inusetest.WantUses(t, newSource(inusetest.Config(t, play(1))))
}

// CodeBuild's own images are in no registry of ECR, and are no reason for a finding.
func TestACuratedImageIsElsewhere(t *testing.T) {
	t.Parallel()
	source := newSource(inusetest.Config(t, play(1, project{"curated", "aws/codebuild/standard:7.0"})))
	scan := inuse.Scope{}.Run(t.Context(), []inuse.Source{source}, inusetest.Now)
	awstest.Equal(t, "elsewhere", map[string]int{"codebuild": 1}, scan.Elsewhere)
	awstest.Equal(t, "public", true, scan.Uses[0].Reference.Public())
}

func TestManyProjectsAreAskedInHundreds(t *testing.T) {
	t.Parallel()
	var projects []project
	for i := range 250 {
		projects = append(projects, project{fmt.Sprint("p", i), fmt.Sprint(host, "build:v", i)})
	}
	f := play(100, projects...)
	uses, err := inusetest.Uses(t, newSource(inusetest.Config(t, f)))
	awstest.NoError(t, err)
	awstest.Equal(t, "uses and calls", []int{250, 3, 3}, []int{len(uses), f.Count("ListProjects"), f.Count("BatchGetProjects")})
}

func TestFailedCalls(t *testing.T) {
	t.Parallel()
	inusetest.CheckCalls(t, play(1, project{"web", host + "build:v1"}), newSource, codebuild.Actions)
}

func TestAnswersThatAreNotWholeFail(t *testing.T) {
	t.Parallel()
	for want, reply := range map[string]object{
		"get projects: the answer lacks the project web":                       {"projects": []object{}, "projectsNotFound": []string{"other"}},
		"get projects: the answer has no image of " + arn("web") + "; give it": {"projects": []object{{"name": "web", "arn": arn("web")}}},
		arn("web") + ": image reference":                                       {"projects": []object{{"arn": arn("web"), "environment": object{"image": host + "Web"}}}},
	} {
		f := play(1, project{"web", host + "build:v1"})
		whole := f.Reply
		f.Reply = func(operation string, in object) object {
			if operation == "BatchGetProjects" {
				return reply
			}
			return whole(operation, in)
		}
		inusetest.WantFailure(t, newSource(inusetest.Config(t, f)), want)
	}
}

// The SDK's client sends the same requests, and reads the same images from the answers.
func TestTheSDKSendsAndReadsTheSame(t *testing.T) {
	t.Parallel()
	f := play(2, project{"web", host + "build:v1"}, project{"gone", ""}, project{"api", host + "build:v2"})
	ours, theirs := &inusetest.Requests{Handler: f}, &inusetest.Requests{Handler: f}
	client := sdk.NewFromConfig(inusetest.Config(t, theirs))
	var names, want []string
	for pages := sdk.NewListProjectsPaginator(client, &sdk.ListProjectsInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		awstest.NoError(t, err)
		names = append(names, page.Projects...)
	}
	out, err := client.BatchGetProjects(t.Context(), &sdk.BatchGetProjectsInput{Names: names})
	awstest.NoError(t, err)
	for _, p := range out.Projects {
		want = append(want, (*p.Environment.Image)[len(host):]+" "+*p.Arn)
	}
	inusetest.WantUses(t, newSource(inusetest.Config(t, ours)), want...)
	awstest.Equal(t, "requests", theirs.Sorted(), ours.Sorted())
}

func TestTheSDKHasTheSameEndpoints(t *testing.T) {
	inusetest.SameEndpoints(t, "CODEBUILD", func(_ context.Context, cfg aws.Config) error {
		_, err := inusetest.Uses(t, newSource(cfg)) //nolint:contextcheck // it takes the test's
		return err
	}, func(ctx context.Context, cfg aws.Config) error {
		_, err := sdk.NewFromConfig(cfg).ListProjects(ctx, &sdk.ListProjectsInput{})
		return err
	})
}
