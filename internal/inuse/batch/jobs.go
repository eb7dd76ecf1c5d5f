package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// A queue is a job queue, of containers or of training jobs of SageMaker.
type queue struct {
	arn      string
	training bool
}

// A job is one in progress.
type job struct {
	id       string
	training bool
}

// states are those of jobs in progress, in the order of a job's life. So a job that moves on
// between two lists is in a later list. A failed attempt or a preemption moves a job back
// to RUNNABLE, so the states from there on are listed twice. Only a job that is moved back
// twice in these seconds can be missed.
//
// https://docs.aws.amazon.com/batch/latest/userguide/job_states.html
var states = []string{
	"SUBMITTED", "PENDING", "RUNNABLE", "SCHEDULED", "STARTING", "RUNNING", "RUNNABLE", "SCHEDULED", "STARTING", "RUNNING",
}

const (
	maxJobs     = 100 // in a call of DescribeJobs
	orTerminate = "terminate the job, or take \"" + name + "\" out of protect.inUse"
)

// An imageUse is an image and the job that uses it.
type imageUse struct{ image, by string }

// jobs adds the images of the jobs in progress, one use for each image: thousands of jobs
// may wait with the same one.
func (s source) jobs(ctx context.Context, c *inuse.Collector, queues []queue, active map[string]bool) error {
	jobs, err := query.Gather(ctx, queues, s.inProgress)
	if err != nil {
		return err
	}
	var ids, training []string
	seen := map[job]bool{}
	for _, j := range jobs {
		switch {
		case seen[j]:
		case j.training:
			training = append(training, j.id)
		default:
			ids = append(ids, j.id)
		}
		seen[j] = true
	}
	used, err := query.Gather(ctx, slices.Collect(slices.Chunk(ids, maxJobs)), func(ctx context.Context, ids []string) ([]imageUse, error) {
		return s.describe(ctx, ids, active)
	})
	if err != nil {
		return err
	}
	trained, err := query.Gather(ctx, training, s.describeTraining)
	if err != nil {
		return err
	}
	added := map[string]bool{}
	for _, use := range slices.Concat(used, trained) {
		if added[use.image] {
			continue
		}
		added[use.image] = true
		if err := c.AddGiven(use.image, inuse.Use{By: use.by}); err != nil {
			return err
		}
	}
	return nil
}

// inProgress returns the jobs in progress in a queue, perhaps repeated.
func (s source) inProgress(ctx context.Context, q queue) ([]job, error) {
	operation := "ListJobs"
	if q.training {
		operation = "ListServiceJobs"
	}
	var jobs []job
	for _, state := range states {
		if state == "SCHEDULED" && !q.training { // only training jobs have this state
			continue
		}
		doing := fmt.Sprintf("list jobs with the status %s in %s", state, q.arn)
		for j, err := range s.pages(ctx, operation, input{JobQueue: q.arn, JobStatus: state}, func(p *page) []object { return p.JobSummaryList }) {
			id := j.text("jobId")
			switch {
			case err != nil:
				return nil, query.Explain(name, doing, err)
			case id == "":
				return nil, fmt.Errorf("%s: the answer has a job without an id", doing)
			}
			jobs = append(jobs, job{id, q.training})
		}
	}
	return jobs, nil
}

// describe returns the distinct images of jobs. Batch forgets jobs days after they end.
func (s source) describe(ctx context.Context, ids []string, active map[string]bool) ([]imageUse, error) {
	var out page
	err := s.call(ctx, "DescribeJobs", input{Jobs: ids}, &out)
	switch {
	case err != nil:
		return nil, query.Explain(name, "describe jobs", err)
	case out.Jobs == nil:
		return nil, errors.New("describe jobs: the answer has no list")
	}
	var used []imageUse
	for _, j := range out.Jobs {
		images, by := imagesIn(j), cmp.Or(j.text("jobArn"), j.text("jobId"))
		if len(images) == 0 && !active[j.text("jobDefinition")] {
			return nil, fmt.Errorf("describe job %s: %w; %s", by, errNoImage, orTerminate)
		}
		for _, image := range images {
			if !slices.ContainsFunc(used, func(u imageUse) bool { return u.image == image }) {
				used = append(used, imageUse{image, by})
			}
		}
	}
	return used, nil
}

// describeTraining returns the images of a service job, which is a request to SageMaker.
// https://docs.aws.amazon.com/batch/latest/APIReference/API_DescribeServiceJob.html
func (s source) describeTraining(ctx context.Context, id string) ([]imageUse, error) {
	var out struct{ JobArn, ServiceRequestPayload string }
	err := s.call(ctx, "DescribeServiceJob", input{JobID: id}, &out)
	if err != nil {
		return nil, query.Explain(name, "describe service job "+id, err)
	}
	images, err := payloadImages(out.ServiceRequestPayload)
	if err != nil {
		return nil, fmt.Errorf("describe service job %s: %w; %s", id, err, orTerminate)
	}
	var used []imageUse
	for _, image := range images {
		used = append(used, imageUse{image, cmp.Or(out.JobArn, id)})
	}
	return used, nil
}
