package emrserverless_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/emrserverless"
	"github.com/aws/aws-sdk-go-v2/service/emrserverless/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
)

// The SDK's client sends the same requests, and reads the same images of applications.
func TestTheSDKSendsAndReadsTheSame(t *testing.T) {
	t.Parallel()
	s := busy()
	s.Page = 1
	ours, theirs := &inusetest.Requests{Handler: s}, &inusetest.Requests{Handler: s}
	got, err := inusetest.Uses(t, newSource(inusetest.Config(t, ours)))
	awstest.NoError(t, err)
	got = slices.DeleteFunc(got, func(use string) bool { return strings.HasSuffix(use, " j1") })
	client := emrserverless.NewFromConfig(inusetest.Config(t, theirs))
	var want []string
	applications := emrserverless.NewListApplicationsPaginator(client, &emrserverless.ListApplicationsInput{MaxResults: aws.Int32(50)})
	for applications.HasMorePages() {
		page, err := applications.NextPage(t.Context())
		awstest.NoError(t, err)
		if page.Applications[0].State == types.ApplicationStateTerminated {
			continue
		}
		out, err := client.GetApplication(t.Context(), &emrserverless.GetApplicationInput{ApplicationId: page.Applications[0].Id})
		awstest.NoError(t, err)
		images := []*types.ImageConfiguration{out.Application.ImageConfiguration}
		for _, worker := range out.Application.WorkerTypeSpecifications {
			images = append(images, worker.ImageConfiguration)
		}
		for _, image := range images {
			if image == nil {
				continue
			}
			name := strings.TrimPrefix(*image.ImageUri, registry)
			want = append(want, name+" "+*page.Applications[0].Arn)
			if digest := aws.ToString(image.ResolvedImageDigest); digest != "" {
				want = append(want, name+"@"+digest+" "+*page.Applications[0].Arn)
			}
		}
		for _, state := range types.JobRunState("").Values() {
			if slices.Contains([]types.JobRunState{types.JobRunStateSuccess, types.JobRunStateFailed, types.JobRunStateCancelled}, state) {
				continue
			}
			runs, err := client.ListJobRuns(t.Context(), &emrserverless.ListJobRunsInput{
				ApplicationId: page.Applications[0].Id, MaxResults: aws.Int32(50), States: []types.JobRunState{state},
			})
			awstest.NoError(t, err)
			for _, run := range runs.JobRuns {
				_, err := client.GetJobRun(t.Context(), &emrserverless.GetJobRunInput{ApplicationId: aws.String("a1"), JobRunId: run.Id})
				awstest.NoError(t, err)
			}
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	awstest.Equal(t, "uses", want, got)
	awstest.Equal(t, "requests", theirs.Sorted(), ours.Sorted())
}

func TestTheSDKHasTheSameEndpoints(t *testing.T) {
	inusetest.SameEndpoints(t, "EMR_SERVERLESS", func(_ context.Context, cfg aws.Config) error {
		_, err := inusetest.Uses(t, newSource(cfg)) //nolint:contextcheck // it takes the context of the test
		return err
	}, func(ctx context.Context, cfg aws.Config) error {
		_, err := emrserverless.NewFromConfig(cfg).ListApplications(ctx, &emrserverless.ListApplicationsInput{MaxResults: aws.Int32(50)})
		return err
	})
}
