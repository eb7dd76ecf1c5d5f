// Package sagemaker is the in-use source for Amazon SageMaker AI. It takes the API of one
// Region. It returns the images of
//
//   - models, also those in the model packages that they name;
//   - endpoints and inference components, as given and by the digest that is deployed;
//   - training jobs, their rules, processing jobs and tuning jobs that are in progress.
//
// A transform job runs a model.
package sagemaker

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// Actions are the IAM actions for the calls of the source. It describes model packages and
// algorithms only if a model or a job names one.
var Actions = []string{
	"sagemaker:DescribeAlgorithm", "sagemaker:DescribeEndpoint", "sagemaker:DescribeHyperParameterTuningJob",
	"sagemaker:DescribeInferenceComponent", "sagemaker:DescribeModel", "sagemaker:DescribeModelPackage",
	"sagemaker:DescribeProcessingJob", "sagemaker:DescribeTrainingJob", "sagemaker:ListEndpoints",
	"sagemaker:ListHyperParameterTuningJobs", "sagemaker:ListInferenceComponents", "sagemaker:ListModels",
	"sagemaker:ListProcessingJobs", "sagemaker:ListTrainingJobs",
}

const name = "sagemaker" // in protect.inUse

type source struct{ api awsclient.Service }

// New returns the source for the environment. It uses no settings.
func New(env query.Environment) inuse.Source {
	return source{awsclient.Service{Config: env.AWS, Name: name, Prefix: "api.sagemaker", SDKID: "SageMaker", Clock: env.Clock}}
}

// Name returns "sagemaker".
func (source) Name() string { return name }

// A kind is one of the resources that use images.
type kind struct {
	name, text string   // the name is that in ListModels and ModelArn
	statuses   []string // of those to list
	needsImage bool     // true if each has one
}

var (
	all        = []string{""}
	inProgress = []string{"InProgress", "Stopping"} // in the order in which a job has them
	// kinds are in the order in which one hands its image on to another.
	kinds = []kind{
		{"Model", "model", all, true},
		{"Endpoint", "endpoint", all, false},
		{"InferenceComponent", "inference component", all, false},
		{"HyperParameterTuningJob", "tuning job", inProgress, false},
		{"TrainingJob", "training job", inProgress, false},
		{"ProcessingJob", "processing job", inProgress, true},
	}
)

// Uses queries SageMaker.
func (s source) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return inuse.Collect(func(c *inuse.Collector) error {
		for _, k := range kinds {
			for _, status := range k.statuses {
				items, err := s.list(ctx, k, status)
				if err != nil {
					return err
				}
				if err := query.Each(ctx, items, func(ctx context.Context, i item) error { return s.images(ctx, c, k, i) }); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// A page is an answer of one of the listings.
type page struct {
	Models, Endpoints, InferenceComponents                                         []summary
	HyperParameterTuningJobSummaries, TrainingJobSummaries, ProcessingJobSummaries []summary
	NextToken                                                                      *string
}

type summary map[string]any

// list returns the list of the page, which has one.
func (p page) list() []summary {
	for _, list := range [][]summary{
		p.Models, p.Endpoints, p.InferenceComponents, p.HyperParameterTuningJobSummaries, p.TrainingJobSummaries, p.ProcessingJobSummaries,
	} {
		if list != nil {
			return list
		}
	}
	return nil
}

type item struct{ name, arn string }

// list returns the resources of a kind with the status, or all if it is empty.
func (s source) list(ctx context.Context, k kind, status string) ([]item, error) {
	in := struct {
		MaxResults   int
		StatusEquals string  `json:",omitempty"`
		NextToken    *string `json:",omitempty"`
	}{MaxResults: 100, StatusEquals: status}
	var all []item
	for found, err := range query.Pages(func(token *string) (out page, err error) {
		in.NextToken = token
		err = s.post(ctx, "List"+k.name+"s", in, &out)
		return out, err
	}, func(p page) ([]summary, *string) { return p.list(), p.NextToken }) {
		doing := "list " + k.text + "s"
		if err != nil {
			return nil, query.Explain(name, doing, err)
		}
		i := item{}
		i.name, _ = found[k.name+"Name"].(string)
		i.arn, _ = found[k.name+"Arn"].(string)
		if i.name == "" {
			return nil, fmt.Errorf("%s: the answer has an item without a name", doing)
		}
		all = append(all, i)
	}
	return all, nil
}

// images adds the images of a resource.
func (s source) images(ctx context.Context, c *inuse.Collector, k kind, i item) error {
	doing := "describe " + k.text + " " + i.name
	found, err := s.describe(ctx, k.name, i.name)
	switch {
	case gone(err):
		return nil
	case err != nil:
		return query.Explain(name, doing, err)
	}
	known := false
	for _, image := range found.images() {
		known = known || image != reference{}
		if err := s.add(ctx, c, image, i.arn); err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
	}
	if !known && k.needsImage {
		return fmt.Errorf("%s: the answer names no image", doing)
	}
	return nil
}

// add adds the image of a reference, or those of the package or algorithm that it names.
func (s source) add(ctx context.Context, c *inuse.Collector, r reference, by string) error {
	if r.names() == nil {
		return s.origin(ctx, c, r, by)
	}
	digest := strings.ToLower(r.ImageDigest + r.TrainingImageDigest) // the API allows upper case
	for _, image := range r.names() {
		// A deployed image without a digest may be one that the tag had before.
		unresolved := image == r.SpecifiedImage && r.ResolvedImage == "" && !strings.Contains(image, "@")
		if err := c.Add(image, "", inuse.Use{By: by, AllImages: unresolved}); err != nil {
			return err
		}
		if digest == "" {
			continue
		}
		if err := c.Add(image, digest, inuse.Use{By: by}); err != nil {
			return err
		}
	}
	return nil
}

// origin adds the images of the model package or algorithm of a reference without an image.
// It may belong to another account.
func (s source) origin(ctx context.Context, c *inuse.Collector, r reference, by string) error {
	for _, of := range []struct{ kind, text, name string }{
		{"ModelPackage", "model package", r.ModelPackageName}, {"Algorithm", "algorithm", r.AlgorithmName},
	} {
		if of.name == "" {
			continue
		}
		doing := "describe " + of.text + " " + of.name
		found, err := s.describe(ctx, of.kind, of.name)
		switch {
		case gone(err):
			return fmt.Errorf("%s: %w; delete %s, whose image is not known", doing, err, by)
		case err != nil:
			return query.Explain(name, doing, err)
		}
		for _, image := range found.images() {
			image.ModelPackageName, image.AlgorithmName = "", ""
			if err := s.add(ctx, c, image, by); err != nil {
				return fmt.Errorf("%s: %w", doing, err)
			}
		}
	}
	return nil
}

// describe describes the resource of a kind.
func (s source) describe(ctx context.Context, kind, named string) (out description, err error) {
	err = s.post(ctx, "Describe"+kind, map[string]string{kind + "Name": named}, &out)
	return out, err
}

func (s source) post(ctx context.Context, operation string, in, out any) error {
	return s.api.Post(ctx, "SageMaker."+operation, "1.1", in, out)
}

// gone reports whether the resource was deleted after it was listed. SageMaker says so with
// the code, or in the message of a general one.
func gone(err error) bool {
	if query.HasCode(err, "ResourceNotFound", "ResourceNotFoundException") {
		return true
	}
	if !query.HasCode(err, "ValidationException") {
		return false
	}
	message := strings.ToLower(err.Error())
	return strings.Contains(message, "could not find") || strings.Contains(message, "not found") || strings.Contains(message, "does not exist")
}
