package batch_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/batch"
)

func TestBatchNamesTheImagesOfDefinitionsAndJobs(t *testing.T) {
	t.Parallel()
	f := busy()
	f.queues = append(f.queues, object{"jobQueueArn": prefix + "job-queue/deleted", "status": "DELETED"})
	f.run("done", "ecs", "SUCCEEDED", object{"container": container("done:v1")})
	f.run("failed", "ecs", "FAILED", object{"container": container("done:v1")})
	f.run("forgotten", "ecs", "SUBMITTED", nil)
	service := f.service()
	inusetest.WantUses(t, newSource(inusetest.Config(t, service)),
		"one:v1 "+prefix+"job-definition/one:1", "one:v2 "+prefix+"job-definition/one:2",
		`its image is "two words", which is not a reference `+prefix+"job-definition/odd:1",
		"deregistered:v1 "+arnOf("a"), "override:v1 "+arnOf("c"), "training:v1 "+arnOf("d"))
	awstest.Equal(t, "pages", []int{2, 2}, []int{service.Count("describejobdefinitions"), service.Count("describejobqueues")})
	inusetest.WantUses(t, newSource(inusetest.Config(t, (&fakeBatch{}).service())))
}

// The places of images in definitions and jobs, and members with names that a customer chose.
func TestBatchFindsTheImageOfEveryContainer(t *testing.T) {
	t.Parallel()
	chosen := object{"image": "two words", "Image": host + "no:v1"}
	pod := object{"podProperties": object{
		"containers": []object{container("pod:v1"), container("sidecar:v1")}, "initContainers": []object{container("init:v1")},
		"imagePullSecrets": []object{{"name": "secret"}}, "metadata": object{"labels": chosen, "annotations": chosen},
	}}
	task := object{"taskProperties": []object{{"containers": []object{container("task:v1"), container("firelens:v1")}}}}
	for want, members := range map[string]object{
		"[one:v1]": {
			"containerProperties": object{
				"image": host + "one:v1", "environment": []object{{"name": "image", "value": host + "no:v1"}},
				"logConfiguration": object{"logDriver": "awslogs", "options": chosen},
			},
			"parameters": chosen, "tags": chosen,
		},
		"[init:v1 pod:v1 sidecar:v1]": {"eksProperties": pod},
		"[firelens:v1 task:v1]":       {"ecsProperties": task},
		"[firelens:v1 init:v1 one:v1 pod:v1 sidecar:v1 task:v1]": {"nodeProperties": object{"numNodes": 3, "nodeRangeProperties": []object{
			{"targetNodes": "0", "container": container("one:v1")}, {"targetNodes": "1", "ecsProperties": task}, {"targetNodes": "2:", "eksProperties": pod},
		}}},
		"[tomorrow:v1]": {"newProperties": []object{{"baseImage": host + "tomorrow:v1"}}},
	} {
		f, g := &fakeBatch{}, &fakeBatch{}
		f.define("all:1", members)
		g.queue("q", "ECS")
		g.run("a", "q", "RUNNING", members)
		for _, by := range []struct {
			fake *fakeBatch
			arn  string
		}{{f, prefix + "job-definition/all:1"}, {g, arnOf("a")}} {
			uses, err := inusetest.Uses(t, newSource(inusetest.Config(t, by.fake.service())))
			awstest.NoError(t, err)
			for i := range uses {
				uses[i] = uses[i][:max(0, len(uses[i])-len(by.arn)-1)]
			}
			slices.Sort(uses)
			awstest.Equal(t, "images by "+by.arn, want, fmt.Sprint(uses))
		}
	}
}

// A job that moves on, or once back to the beginning, while the statuses are listed is found.
func TestBatchDoesNotMissJobsThatMove(t *testing.T) {
	t.Parallel()
	life := []string{"SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING"}
	retried := []string{"RUNNING", "RUNNABLE", "STARTING", "RUNNING"}
	for _, path := range [][]string{life, retried} {
		for start := range path {
			for every := 1; every <= 4; every++ { // calls between two moves
				for first := range 8 { // calls before the first move
					f := &fakeBatch{}
					f.queue("q", "ECS")
					j := f.run("a", "q", path[start], object{"container": container("moving:v1")})
					rest, calls := path[start+1:], 0
					f.after = func(operation string, _ object) {
						if operation != "listjobs" {
							return
						}
						if calls++; calls > first && (calls-first)%every == 0 && len(rest) > 0 {
							j.status, rest = rest[0], rest[1:]
						}
					}
					cfg := inusetest.ConfigFor("https://aws.invalid")
					cfg.HTTPClient = awstest.InProcess(f.service())
					inusetest.WantUses(t, newSource(cfg), "moving:v1 "+arnOf("a"))
				}
			}
		}
	}
}

// A job that is submitted while definitions and queues are listed has a listed definition,
// which may be deregistered by then.
func TestBatchListsDefinitionsBeforeJobs(t *testing.T) {
	t.Parallel()
	f := &fakeBatch{}
	f.define("one:1", object{"containerProperties": container("one:v1")})
	f.queue("q", "ECS")
	f.after = func(operation string, in object) {
		if operation == "listjobs" && in["jobStatus"] == "SUBMITTED" {
			f.definitions = nil
			f.run("late", "q", "RUNNING", object{"jobDefinition": prefix + "job-definition/one:1"})
			f.after = nil
		}
	}
	inusetest.WantUses(t, newSource(inusetest.Config(t, f.service())), "one:v1 "+prefix+"job-definition/one:1")
}

func TestBatchDescribesJobsInHundreds(t *testing.T) {
	t.Parallel()
	f := &fakeBatch{}
	f.queue("q", "ECS")
	for i := range 250 {
		f.run(fmt.Sprint("j", i), "q", "RUNNABLE", object{"container": container(fmt.Sprint("app:v", i/2))})
	}
	service := f.service()
	uses, err := inusetest.Uses(t, newSource(inusetest.Config(t, service)))
	awstest.NoError(t, err)
	awstest.Equal(t, "uses and calls", []int{125, 3}, []int{len(uses), service.Count("describejobs")})
}

func TestFailedCalls(t *testing.T) {
	t.Parallel()
	inusetest.CheckCalls(t, busy().service(), newSource, batch.Actions)
}

func TestAnswersThatAreNotWholeFail(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*fakeBatch){
		"the answer has no ARN or no image of the definition": func(f *fakeBatch) { f.define("none:1", object{"containerProperties": object{}}) },
		`of the definition ""`:                                func(f *fakeBatch) { f.definitions = []object{{"containerProperties": container("one:v1")}} },
		"/bad:1: image reference":                             func(f *fakeBatch) { f.define("bad:1", object{"containerProperties": container("Bad")}) },
		"the answer has a queue without an ARN":               func(f *fakeBatch) { f.queues = []object{{"jobQueueName": "q"}} },
		"the answer has a job without an id":                  func(f *fakeBatch) { f.run("", "ecs", "RUNNING", object{}) },
		"job/x: the answer names no image; termin":            func(f *fakeBatch) { f.run("x", "ecs", "RUNNING", object{}) },
		"job/y: image reference":                              func(f *fakeBatch) { f.run("y", "ecs", "RUNNING", object{"container": container("Bad")}) },
		"service job z: the answer names no image;":           func(f *fakeBatch) { f.run("z", "training", "RUNNING", training("{}")) },
		"service job p: serviceRequestPayload":                func(f *fakeBatch) { f.run("p", "training", "RUNNING", object{}) },
	} {
		f := busy()
		change(f)
		inusetest.WantFailure(t, newSource(inusetest.Config(t, f.service())), want)
	}
	f := &fakeBatch{}
	f.queue("training", "SAGEMAKER_TRAINING")
	f.run("algorithm", "training", "RUNNING", training(`{"AlgorithmName": "arn:aws:sagemaker:eu-west-1:1:algorithm/a"}`))
	inusetest.WantUses(t, newSource(inusetest.Config(t, f.service())))
}
