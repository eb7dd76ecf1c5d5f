//go:build integration

package codebuild_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
)

func TestMoto(t *testing.T) {
	cfg := inusetest.ConfigFor(inusetest.Moto(t))
	inusetest.WantUses(t, newSource(cfg))
	client := sdk.NewFromConfig(cfg)
	var want []string
	for i, image := range []string{host + "build:v1", host + "build@" + inusetest.Digest("a"), "aws/codebuild/standard:7.0"} {
		out, err := client.CreateProject(t.Context(), &sdk.CreateProjectInput{
			Name: aws.String(fmt.Sprint("project-", i)), ServiceRole: aws.String("arn:aws:iam::123456789012:role/service-role/build"),
			Source:    &types.ProjectSource{Type: types.SourceTypeGithub, Location: aws.String("https://github.com/a/b")},
			Artifacts: &types.ProjectArtifacts{Type: types.ArtifactsTypeNoArtifacts},
			Environment: &types.ProjectEnvironment{
				Type: types.EnvironmentTypeLinuxContainer, ComputeType: types.ComputeTypeBuildGeneral1Small, Image: &image,
			},
		})
		awstest.NoError(t, err)
		want = append(want, image+" "+*out.Project.Arn)
	}
	want[0], want[1] = want[0][len(host):], want[1][len(host):]
	inusetest.WantUses(t, newSource(cfg), want[0], want[1], want[2])
	_, err := client.DeleteProject(t.Context(), &sdk.DeleteProjectInput{Name: aws.String("project-1")})
	awstest.NoError(t, err)
	inusetest.WantUses(t, newSource(cfg), want[0], want[2])
}
