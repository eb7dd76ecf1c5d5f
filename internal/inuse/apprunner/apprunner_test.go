package apprunner_test

import (
	"context"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/apprunner"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/apprunner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// The answers of this file are written from the API reference of App Runner: moto does not
// play it. The SDK's client reads them too.
// https://docs.aws.amazon.com/apprunner/latest/api/API_DescribeService.html

type object = inusetest.Object

const host = inusetest.Registry

func newSource(cfg aws.Config) inuse.Source {
	return apprunner.New(query.Environment{AWS: cfg, Clock: awstest.Clock})
}

func arn(service string) string {
	return "arn:aws:apprunner:eu-west-1:123456789012:service/" + service + "/8fe1e10304f84fd2b0df550fe98a71fa"
}

// withImage returns a service with an image, as DescribeService answers.
func withImage(name, status, image string) object {
	return object{"ServiceArn": arn(name), "ServiceName": name, "Status": status, "SourceConfiguration": object{
		"ImageRepository":        object{"ImageIdentifier": image, "ImageRepositoryType": "ECR"},
		"AutoDeploymentsEnabled": true, "NewField": object{"of": "tomorrow"},
	}}
}

// play plays App Runner with these services, on pages of two. A service without a source
// configuration is listed and does not exist any more.
func play(services ...object) *inusetest.JSONService {
	return &inusetest.JSONService{Reply: func(operation string, in object) object {
		if operation == "ListServices" {
			part, next := inusetest.Page(in, 2, services)
			return object{"ServiceSummaryList": part, "NextToken": next}
		}
		at := slices.IndexFunc(services, func(s object) bool { return s["ServiceArn"] == in["ServiceArn"] })
		if services[at]["SourceConfiguration"] == nil {
			return object{"__type": "ResourceNotFoundException", "message": "no such service"}
		}
		return object{"Service": services[at]}
	}}
}

func busy() *inusetest.JSONService {
	return play(
		withImage("web", "RUNNING", host+"web:v1"), withImage("paused", "PAUSED", host+"paused:v2"),
		withImage("failed", "CREATE_FAILED", host+"failed@"+inusetest.Digest("a")),
		withImage("public", "OPERATION_IN_PROGRESS", "public.ecr.aws/aws-containers/hello-app-runner:latest"),
		withImage("deleted", "DELETED", host+"deleted:v1"), object{"ServiceArn": arn("gone")},
		object{"ServiceArn": arn("code"), "SourceConfiguration": object{"CodeRepository": object{"RepositoryUrl": "https://github.com/a/b"}}},
	)
}

func TestAServiceUsesTheImageThatItNames(t *testing.T) {
	t.Parallel()
	f := busy()
	inusetest.WantUses(t, newSource(inusetest.Config(t, f)), "web:v1 "+arn("web"), "paused:v2 "+arn("paused"),
		"failed@"+inusetest.Digest("a")+" "+arn("failed"), "public.ecr.aws/aws-containers/hello-app-runner:latest "+arn("public"))
	awstest.Equal(t, "pages", 4, f.Count("ListServices"))
	inusetest.WantUses(t, newSource(inusetest.Config(t, play())))
}

func TestFailedCalls(t *testing.T) {
	t.Parallel()
	inusetest.CheckCalls(t, busy(), newSource, apprunner.Actions)
	closed := play()
	closed.Reply = func(string, object) object { return object{"__type": "AccessDeniedException"} }
	inusetest.WantFailure(t, newSource(inusetest.Config(t, closed)),
		"allow the action apprunner:ListServices", `if it is not used here, take "apprunner" out of protect.inUse`)
}

func TestAnswersThatAreNotWholeFail(t *testing.T) {
	t.Parallel()
	for want, service := range map[string]object{
		"describe service " + arn("a") + ": the answer has no source": {"ServiceArn": arn("a"), "Status": "RUNNING", "SourceConfiguration": object{}},
		"list services: the answer has a service without an ARN":      {"ServiceName": "a"},
		arn("a") + ": image reference":                                withImage("a", "RUNNING", host+"Web"),
		arn("a") + `: "two words": not an image reference`:            withImage("a", "RUNNING", "two words"),
	} {
		inusetest.WantFailure(t, newSource(inusetest.Config(t, play(service))), want)
	}
}

// The SDK's client sends the same requests, and reads the same images from the answers.
func TestTheSDKSendsAndReadsTheSame(t *testing.T) {
	t.Parallel()
	f := play(withImage("web", "RUNNING", host+"web:v1"), withImage("paused", "PAUSED", host+"paused:v2"), withImage("api", "RUNNING", host+"api:v3"))
	ours, theirs := &inusetest.Requests{Handler: f}, &inusetest.Requests{Handler: f}
	client := sdk.NewFromConfig(inusetest.Config(t, theirs))
	var want []string
	for pages := sdk.NewListServicesPaginator(client, &sdk.ListServicesInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		awstest.NoError(t, err)
		for _, listed := range page.ServiceSummaryList {
			out, err := client.DescribeService(t.Context(), &sdk.DescribeServiceInput{ServiceArn: listed.ServiceArn})
			awstest.NoError(t, err)
			image := (*out.Service.SourceConfiguration.ImageRepository.ImageIdentifier)[len(host):]
			want = append(want, image+" "+*out.Service.ServiceArn)
		}
	}
	inusetest.WantUses(t, newSource(inusetest.Config(t, ours)), want...)
	awstest.Equal(t, "requests", theirs.Sorted(), ours.Sorted())
}

func TestTheSDKHasTheSameEndpoints(t *testing.T) {
	inusetest.SameEndpoints(t, "APPRUNNER", func(_ context.Context, cfg aws.Config) error {
		_, err := inusetest.Uses(t, newSource(cfg)) //nolint:contextcheck // it takes the test's
		return err
	}, func(ctx context.Context, cfg aws.Config) error {
		_, err := sdk.NewFromConfig(cfg).ListServices(ctx, &sdk.ListServicesInput{})
		return err
	})
}
