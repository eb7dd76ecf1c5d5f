package batch_test

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/batch"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// The answers of these tests are written from the API reference of Batch. The SDK's client
// reads them too, and moto_test.go has answers of moto, which knows no service jobs.
// https://docs.aws.amazon.com/batch/latest/APIReference/API_DescribeJobDefinitions.html

type object = inusetest.Object

const (
	host   = inusetest.Registry
	prefix = "arn:aws:batch:eu-west-1:123456789012:"
)

func newSource(cfg aws.Config) inuse.Source {
	return batch.New(query.Environment{AWS: cfg, Clock: awstest.Clock})
}

// A fakeBatch plays Batch, on pages of two.
type fakeBatch struct {
	definitions []object
	queues      []object
	jobs        []*job
	// after is called after each answer and may change the rest.
	after func(operation string, in object)
}

// A job is in a queue and has a status.
type job struct {
	id, queue, status string
	detail            object // in the answer that describes it; nil if Batch has forgotten the job
}

func (f *fakeBatch) service() *inusetest.JSONService {
	return &inusetest.JSONService{Reply: func(operation string, in object) object {
		out := f.reply(operation, in)
		if f.after != nil {
			f.after(operation, in)
		}
		return out
	}}
}

func (f *fakeBatch) reply(operation string, in object) object {
	switch operation {
	case "describejobdefinitions":
		if in["status"] != "ACTIVE" {
			panic("not only active definitions")
		}
		part, next := inusetest.Page(in, 2, f.definitions)
		return object{"jobDefinitions": part, "nextToken": next}
	case "describejobqueues":
		part, next := inusetest.Page(in, 2, f.queues)
		return object{"jobQueues": part, "nextToken": next}
	case "listjobs", "listservicejobs":
		return f.list(operation, in)
	case "describejobs":
		found := []object{}
		for _, j := range f.jobs {
			if slices.Contains(in["jobs"].([]any), any(j.id)) && j.detail != nil {
				found = append(found, j.describe())
			}
		}
		return object{"jobs": found}
	}
	at := slices.IndexFunc(f.jobs, func(j *job) bool { return j.id == in["jobId"] })
	return f.jobs[at].describe()
}

func (j *job) describe() object {
	out := object{"jobId": j.id, "jobArn": prefix + "job/" + j.id, "status": j.status, "newField": object{"of": "tomorrow"}}
	maps.Copy(out, j.detail)
	return out
}

// list answers for the jobs of a queue, whose type must be that for the operation.
func (f *fakeBatch) list(operation string, in object) object {
	at := slices.IndexFunc(f.queues, func(q object) bool { return q["jobQueueArn"] == in["jobQueue"] })
	training := f.queues[at]["jobQueueType"] == "SAGEMAKER_TRAINING"
	if training != (operation == "listservicejobs") || !training && in["jobStatus"] == "SCHEDULED" {
		return object{"__type": "ClientException", "message": "the queue has another type, or no such status"}
	}
	listed := []object{}
	for _, j := range f.jobs {
		if prefix+"job-queue/"+j.queue == in["jobQueue"] && j.status == in["jobStatus"] {
			listed = append(listed, object{"jobId": j.id, "jobName": j.id, "status": j.status})
		}
	}
	part, next := inusetest.Page(in, 2, listed)
	return object{"jobSummaryList": part, "nextToken": next}
}

// define adds a job definition with these members.
func (f *fakeBatch) define(name string, members object) {
	definition := object{"jobDefinitionArn": prefix + "job-definition/" + name, "status": "ACTIVE", "newField": 1}
	maps.Copy(definition, members)
	f.definitions = append(f.definitions, definition)
}

func (f *fakeBatch) queue(name, kind string) {
	f.queues = append(f.queues, object{"jobQueueArn": prefix + "job-queue/" + name, "jobQueueType": kind, "status": "VALID", "state": "DISABLED"})
}

// run adds a job to a queue.
func (f *fakeBatch) run(id, queue, status string, detail object) *job {
	j := &job{id, queue, status, detail}
	f.jobs = append(f.jobs, j)
	return j
}

func container(image string) object {
	return object{"image": host + image, "command": []string{"true"}}
}

// training returns the detail of a service job whose request has this algorithm.
func training(algorithm string) object {
	return object{"serviceRequestPayload": `{"TrainingJobName": "a", "AlgorithmSpecification": ` + algorithm +
		`, "Environment": {"BASE_IMAGE": "two words"}, "HyperParameters": {"image": "two words"}}`}
}

// busy returns a Batch with jobs of all kinds.
func busy() *fakeBatch {
	f := &fakeBatch{}
	f.define("one:1", object{"type": "container", "containerProperties": container("one:v1")})
	f.define("one:2", object{"type": "container", "containerProperties": container("one:v2")})
	f.define("odd:1", object{"containerProperties": object{"image": "two words"}})
	f.queue("ecs", "ECS_FARGATE")
	f.queue("eks", "EKS")
	f.queue("training", "SAGEMAKER_TRAINING")
	f.run("a", "ecs", "RUNNING", object{"container": container("deregistered:v1")})
	f.run("b", "ecs", "PENDING", object{"container": container("deregistered:v1")})
	f.run("c", "eks", "RUNNABLE", object{"eksProperties": object{"podProperties": object{
		"containers": []object{container("override:v1")},
	}}})
	f.run("d", "training", "SCHEDULED", training(`{"TrainingImage": "`+host+`training:v1", "TrainingInputMode": "File"}`))
	return f
}

// arnOf returns the ARN of a job.
func arnOf(id string) string { return prefix + "job/" + id }
