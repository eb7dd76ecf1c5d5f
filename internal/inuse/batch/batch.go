// Package batch is the in-use source for AWS Batch. It takes the Batch API of one Region. It
// returns the images of all active job definitions and of all jobs in progress. These
// include training jobs that wait in a queue for SageMaker.
//
// Definitions come before jobs. A job can be submitted only with an active definition. So a
// job that is submitted during the scan has one that is listed, or is newer than the scan.
// The parent of an array or multi-node job has the images of its children.
//
// The source makes one call for each 100 definitions and for each 100 queues, and eight for
// each queue. It also makes one for each 100 jobs in progress and for each training job.
package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// Actions are the IAM actions for the calls of the source. It lists and describes service
// jobs only if a queue is for training jobs of SageMaker.
var Actions = []string{
	"batch:DescribeJobDefinitions", "batch:DescribeJobQueues", "batch:DescribeJobs",
	"batch:DescribeServiceJob", "batch:ListJobs", "batch:ListServiceJobs",
}

const name = "batch" // in protect.inUse

// A source is the in-use source.
type source struct{ api awsclient.Service }

// New returns the source for the environment. It uses no settings.
func New(env query.Environment) inuse.Source {
	return source{awsclient.Service{Config: env.AWS, Name: name, SDKID: "Batch", Clock: env.Clock}}
}

// Name returns "batch".
func (source) Name() string { return name }

// Uses queries Batch.
func (s source) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return inuse.Collect(func(c *inuse.Collector) error {
		active, err := s.definitions(ctx, c)
		if err != nil {
			return err
		}
		var queues []queue
		for q, err := range s.pages(ctx, "DescribeJobQueues", input{}, func(p *page) []object { return p.JobQueues }) {
			switch arn := q.text("jobQueueArn"); {
			case err != nil:
				return query.Explain(name, "describe job queues", err)
			case arn == "":
				return errors.New("describe job queues: the answer has a queue without an ARN")
			case q.text("status") != "DELETED":
				queues = append(queues, queue{arn, q.text("jobQueueType") == "SAGEMAKER_TRAINING"})
			}
		}
		return s.jobs(ctx, c, queues, active)
	})
}

// definitions adds the images of the active job definitions, and returns their ARNs.
func (s source) definitions(ctx context.Context, c *inuse.Collector) (active map[string]bool, err error) {
	active = map[string]bool{}
	for d, err := range s.pages(ctx, "DescribeJobDefinitions", input{Status: "ACTIVE"}, func(p *page) []object { return p.JobDefinitions }) {
		arn, images := d.text("jobDefinitionArn"), imagesIn(d)
		switch {
		case err != nil:
			return nil, query.Explain(name, "describe job definitions", err)
		case arn == "" || len(images) == 0:
			return nil, fmt.Errorf("describe job definitions: the answer has no ARN or no image of the definition %q; "+
				"deregister it, or take %q out of protect.inUse", arn, name)
		}
		active[arn] = true
		for _, image := range images {
			if err := c.AddGiven(image, inuse.Use{By: arn}); err != nil {
				return nil, err
			}
		}
	}
	return active, nil
}

// An input has the members of the operations' inputs, all of which are optional.
type input struct {
	Status    string   `json:"status,omitempty"`
	JobQueue  string   `json:"jobQueue,omitempty"`
	JobStatus string   `json:"jobStatus,omitempty"`
	Jobs      []string `json:"jobs,omitempty"`
	JobID     string   `json:"jobId,omitempty"`
	NextToken *string  `json:"nextToken,omitempty"`
}

// A page is an answer of an operation that lists or describes.
type page struct {
	JobDefinitions, JobQueues, JobSummaryList, Jobs []object
	NextToken                                       *string
}

// call calls an operation of Batch. All of them have the method POST.
// https://docs.aws.amazon.com/batch/latest/APIReference/API_ListJobs.html
func (s source) call(ctx context.Context, operation string, in input, out any) error {
	return s.api.Send(ctx, operation, http.MethodPost, "/v1/"+strings.ToLower(operation), nil, in, out)
}

// pages returns the items of a listing. The sizes of its pages are the default ones, which
// are the largest.
func (s source) pages(ctx context.Context, operation string, in input, list func(*page) []object) iter.Seq2[object, error] {
	return query.Pages(func(token *string) (*page, error) {
		in.NextToken = token
		var p page
		return &p, s.call(ctx, operation, in, &p)
	}, func(p *page) ([]object, *string) { return list(p), p.NextToken })
}

// An object is a JSON object of an answer.
type object map[string]any

// text returns a member that is a string, or "".
func (o object) text(member string) string {
	text, _ := o[member].(string)
	return text
}

// imagesIn returns the images of all containers in a job definition or a job. They are the
// values of members such as image and TrainingImage, wherever these are.
func imagesIn(o object) []string {
	found := map[string]bool{}
	collect(map[string]any(o), found)
	return slices.Sorted(maps.Keys(found))
}

func collect(value any, found map[string]bool) {
	switch value := value.(type) {
	case map[string]any:
		for member, inner := range value {
			member = strings.ToLower(member)
			text, isText := inner.(string)
			switch {
			case chosen[member]:
			case isText && strings.HasSuffix(member, "image"):
				found[text] = true
			default:
				collect(inner, found)
			}
		}
	case []any:
		for _, inner := range value {
			collect(inner, found)
		}
	}
}

// chosen are the members of jobs whose own members have names that customers choose.
var chosen = map[string]bool{
	"annotations": true, "environment": true, "hyperparameters": true, "labels": true,
	"options": true, "parameters": true, "tags": true,
}

// payloadImages returns the images in the request that a service job makes later. A training
// job has one, or an algorithm of SageMaker, whose image the source sagemaker finds.
// https://docs.aws.amazon.com/batch/latest/userguide/service-job-payload.html
func payloadImages(payload string) ([]string, error) {
	var request object
	if err := json.Unmarshal([]byte(payload), &request); err != nil {
		return nil, fmt.Errorf("serviceRequestPayload: %w", err)
	}
	images := imagesIn(request)
	algorithm, _ := request["AlgorithmSpecification"].(map[string]any)
	if len(images) == 0 && object(algorithm).text("AlgorithmName") == "" {
		return nil, errNoImage
	}
	return images, nil
}

var errNoImage = errors.New("the answer names no image")
