package batch_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/batch"
	"github.com/aws/aws-sdk-go-v2/service/batch/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
)

// The SDK's client sends the same requests, and reads the same images from the answers.
func TestTheSDKSendsAndReadsTheSame(t *testing.T) {
	t.Parallel()
	f := busy()
	f.definitions = f.definitions[:2]
	f.jobs = f.jobs[1:] // one job for each image
	service := f.service()
	ours, theirs := &inusetest.Requests{Handler: service}, &inusetest.Requests{Handler: service}
	s := sdkClient{t, sdk.NewFromConfig(inusetest.Config(t, theirs)), nil}
	s.definitions()
	s.jobs()
	inusetest.WantUses(t, newSource(inusetest.Config(t, ours)), s.found...)
	awstest.Equal(t, "requests", theirs.Sorted(), ours.Sorted())
}

// An sdkClient makes the calls of the source with the SDK's client.
type sdkClient struct {
	*testing.T
	*sdk.Client
	found []string
}

func (s *sdkClient) add(image, by *string) { s.found = append(s.found, (*image)[len(host):]+" "+*by) }

func (s *sdkClient) definitions() {
	for pages := sdk.NewDescribeJobDefinitionsPaginator(s, &sdk.DescribeJobDefinitionsInput{Status: aws.String("ACTIVE")}); pages.HasMorePages(); {
		page, err := pages.NextPage(s.Context())
		awstest.NoError(s, err)
		for _, d := range page.JobDefinitions {
			s.add(d.ContainerProperties.Image, d.JobDefinitionArn)
		}
	}
}

func (s *sdkClient) jobs() {
	var ids []string
	for pages := sdk.NewDescribeJobQueuesPaginator(s, &sdk.DescribeJobQueuesInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(s.Context())
		awstest.NoError(s, err)
		for _, q := range page.JobQueues {
			if q.JobQueueType == types.JobQueueTypeSagemakerTraining {
				s.training(q.JobQueueArn)
				continue
			}
			ids = append(ids, s.list(q.JobQueueArn)...)
		}
	}
	out, err := s.DescribeJobs(s.Context(), &sdk.DescribeJobsInput{Jobs: ids})
	awstest.NoError(s, err)
	for _, j := range out.Jobs {
		if j.EksProperties != nil {
			s.add(j.EksProperties.PodProperties.Containers[0].Image, j.JobArn)
		} else {
			s.add(j.Container.Image, j.JobArn)
		}
	}
}

func (s *sdkClient) list(queue *string) (ids []string) {
	for _, status := range []types.JobStatus{
		"SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "RUNNABLE", "STARTING", "RUNNING",
	} {
		out, err := s.ListJobs(s.Context(), &sdk.ListJobsInput{JobQueue: queue, JobStatus: status})
		awstest.NoError(s, err)
		for _, j := range out.JobSummaryList {
			if len(ids) == 0 { // the job may be listed again
				ids = append(ids, *j.JobId)
			}
		}
	}
	return ids
}

func (s *sdkClient) training(queue *string) {
	ids := map[string]bool{}
	for _, status := range []types.ServiceJobStatus{
		"SUBMITTED", "PENDING", "RUNNABLE", "SCHEDULED", "STARTING", "RUNNING", "RUNNABLE", "SCHEDULED", "STARTING", "RUNNING",
	} {
		out, err := s.ListServiceJobs(s.Context(), &sdk.ListServiceJobsInput{JobQueue: queue, JobStatus: status})
		awstest.NoError(s, err)
		for _, j := range out.JobSummaryList {
			ids[*j.JobId] = true
		}
	}
	for id := range ids {
		out, err := s.DescribeServiceJob(s.Context(), &sdk.DescribeServiceJobInput{JobId: &id})
		awstest.NoError(s, err)
		var request struct {
			AlgorithmSpecification struct{ TrainingImage *string }
		}
		awstest.NoError(s, json.Unmarshal([]byte(*out.ServiceRequestPayload), &request))
		s.add(request.AlgorithmSpecification.TrainingImage, out.JobArn)
	}
}

func TestTheSDKHasTheSameEndpoints(t *testing.T) {
	inusetest.SameEndpoints(t, "BATCH", func(_ context.Context, cfg aws.Config) error {
		_, err := inusetest.Uses(t, newSource(cfg)) //nolint:contextcheck // it takes the test's
		return err
	}, func(ctx context.Context, cfg aws.Config) error {
		_, err := sdk.NewFromConfig(cfg).DescribeJobDefinitions(ctx, &sdk.DescribeJobDefinitionsInput{})
		return err
	})
}
