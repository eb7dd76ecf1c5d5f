// Package emrserverless is the in-use source for Amazon EMR Serverless. It takes the API of
// one Region. It returns the custom images of applications, except terminated ones, and of
// job runs in progress. Each has its name and the digest that was resolved. A job run keeps
// its image when the tag is moved or the application gets another one.
//
// https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/updating-running-applications.html
package emrserverless

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// Actions are the IAM actions for the calls of the source.
var Actions = []string{
	"emr-serverless:GetApplication", "emr-serverless:GetJobRun", "emr-serverless:ListApplications", "emr-serverless:ListJobRuns",
}

const name = "emr-serverless" // in protect.inUse

// inProgress are the states of the job runs that use an image, in the order of their life.
// One listing of all states has them in groups, and a run may move to an earlier group.
var inProgress = []string{"SUBMITTED", "QUEUED", "PENDING", "SCHEDULED", "RUNNING", "CANCELLING"}

type source struct{ api awsclient.Service }

// New returns the source for the environment. It uses no settings.
func New(env query.Environment) inuse.Source {
	return source{awsclient.Service{Config: env.AWS, Name: name, SDKID: "EMR Serverless", Clock: env.Clock}}
}

// Name returns "emr-serverless".
func (source) Name() string { return name }

// Uses queries EMR Serverless.
func (s source) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return inuse.Collect(func(c *inuse.Collector) error {
		applications, err := s.list(ctx, "list applications", "ListApplications", "/applications", url.Values{})
		if err != nil {
			return err
		}
		return query.Each(ctx, applications, func(ctx context.Context, a item) error { return s.application(ctx, c, a) })
	})
}

// A page is an answer of ListApplications or ListJobRuns.
type page struct {
	Applications, JobRuns []item
	NextToken             *string
}

// An item is an application or a job run.
type item struct{ ID, Arn, State string }

// images are those of an application or a job run: the one for all workers, and others for
// one type of workers.
type images struct {
	ImageConfiguration       image
	WorkerTypeSpecifications map[string]struct{ ImageConfiguration image }
}

type image struct{ ImageUri, ResolvedImageDigest string }

// list returns the items of a listing.
func (s source) list(ctx context.Context, doing, operation, path string, parameters url.Values) ([]item, error) {
	parameters.Set("maxResults", "50")
	var all []item
	for i, err := range query.Pages(func(token *string) (out page, err error) {
		if token != nil {
			parameters.Set("nextToken", *token)
		}
		err = s.api.Get(ctx, operation, path, parameters, &out)
		return out, err
	}, func(p page) ([]item, *string) {
		if p.Applications != nil {
			return p.Applications, p.NextToken
		}
		return p.JobRuns, p.NextToken
	}) {
		switch {
		case err != nil:
			return nil, query.Explain(name, doing, err)
		case i.ID == "":
			return nil, fmt.Errorf("%s: the answer has an item without an ID", doing)
		}
		all = append(all, i)
	}
	return all, nil
}

// application adds the images of an application and of its job runs.
func (s source) application(ctx context.Context, c *inuse.Collector, listed item) error {
	if listed.State == "TERMINATED" { // it cannot start again
		return nil
	}
	path := "/applications/" + url.PathEscape(listed.ID)
	var out struct {
		Application *struct {
			images
			State                    string
			InteractiveConfiguration map[string]any
		}
	}
	doing := "get application " + listed.ID
	err := s.api.Get(ctx, "GetApplication", path, nil, &out)
	switch {
	case gone(err):
		return nil
	case err != nil:
		return query.Explain(name, doing, err)
	case out.Application == nil:
		return fmt.Errorf("%s: %w", doing, errIncomplete)
	}
	unknown, err := s.jobRuns(ctx, c, listed.ID, path)
	if err != nil {
		return err
	}
	// The API does not say which images the interactive sessions run.
	stopped := out.Application.State == "CREATED" || out.Application.State == "STOPPED"
	for _, enabled := range out.Application.InteractiveConfiguration {
		unknown = unknown || enabled == true && !stopped
	}
	if err := add(c, out.Application.images, listed.Arn, unknown); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// jobRuns adds the images of the job runs of an application. It reports whether one of them
// names no image: it runs that of the application, or one that its tag had before.
func (s source) jobRuns(ctx context.Context, c *inuse.Collector, id, path string) (unknown bool, err error) {
	var runs []item
	for _, state := range inProgress {
		found, err := s.list(ctx, "list job runs of application "+id, "ListJobRuns", path+"/jobruns", url.Values{"states": {state}})
		if err != nil && !gone(err) {
			return false, err
		}
		runs = append(runs, found...)
	}
	unnamed, err := query.Gather(ctx, runs, func(ctx context.Context, run item) ([]item, error) { return s.jobRun(ctx, c, path, run) })
	return len(unnamed) > 0, err
}

// jobRun adds the images of a job run, or returns the run if it names none.
func (s source) jobRun(ctx context.Context, c *inuse.Collector, application string, listed item) (unnamed []item, err error) {
	doing := "get job run " + listed.ID
	var out struct{ JobRun *images }
	err = s.api.Get(ctx, "GetJobRun", application+"/jobruns/"+url.PathEscape(listed.ID), nil, &out)
	switch {
	case gone(err):
		return nil, nil
	case err != nil:
		return nil, query.Explain(name, doing, err)
	case out.JobRun == nil:
		return nil, fmt.Errorf("%s: %w", doing, errIncomplete)
	case out.JobRun.ImageConfiguration == image{}:
		unnamed = []item{listed}
	}
	if err := add(c, *out.JobRun, listed.Arn, false); err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return unnamed, nil
}

var errIncomplete = errors.New("the answer has no such object")

// add adds the images. If they may run by a digest that is not known, all images of their
// repositories are in use.
func add(c *inuse.Collector, i images, by string, mayRun bool) error {
	all := []image{i.ImageConfiguration}
	for _, specification := range i.WorkerTypeSpecifications {
		all = append(all, specification.ImageConfiguration)
	}
	for _, image := range all {
		digest := image.ResolvedImageDigest
		if image.ImageUri == "" && digest == "" {
			continue
		}
		if err := c.Add(image.ImageUri, digest, inuse.Use{By: by, AllImages: mayRun && digest == ""}); err != nil {
			return err
		}
		if digest != "" && image.ImageUri != "" { // the next workload may take the image with the tag
			if err := c.Add(image.ImageUri, "", inuse.Use{By: by}); err != nil {
				return err
			}
		}
	}
	return nil
}

// gone reports whether the application or job run was deleted after it was listed.
func gone(err error) bool { return query.HasCode(err, "ResourceNotFoundException") }
