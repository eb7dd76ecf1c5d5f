// Package codebuild is the in-use source for AWS CodeBuild. It takes the CodeBuild API of
// one Region. It returns the environment images of all build projects, by the names that
// they were given. It makes a call for each 100 projects, and one for each page of them.
//
// An image that only a build names is not found. StartBuild, or the buildspec of a batch
// build, can put it in place of the project's. To list builds would find it only while such
// a build is in progress. The image of a compute fleet is an AMI.
package codebuild

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// Actions are the IAM actions for the calls of the source.
var Actions = []string{"codebuild:BatchGetProjects", "codebuild:ListProjects"}

const (
	name        = "codebuild" // in protect.inUse
	maxProjects = 100         // in a call of BatchGetProjects
)

// A source is the in-use source.
type source struct{ api awsclient.Service }

// New returns the source for the environment. It uses no settings.
func New(env query.Environment) inuse.Source {
	return source{awsclient.Service{Config: env.AWS, Name: name, SDKID: "CodeBuild", Clock: env.Clock}}
}

// Name returns "codebuild".
func (source) Name() string { return name }

// Uses queries CodeBuild.
func (s source) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return inuse.Collect(func(c *inuse.Collector) error {
		names, err := query.List(func(token *string) (*listing, error) {
			var page listing
			return &page, s.post(ctx, "ListProjects", listInput{token}, &page)
		}, func(page *listing) ([]string, *string) { return page.Projects, page.NextToken })
		if err != nil {
			return query.Explain(name, "list projects", err)
		}
		return query.Each(ctx, slices.Collect(slices.Chunk(names, maxProjects)), func(ctx context.Context, names []string) error {
			return s.projects(ctx, c, names)
		})
	})
}

type listInput struct {
	NextToken *string `json:"nextToken,omitempty"`
}

// A listing is an answer of ListProjects.
// https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ListProjects.html
type listing struct {
	Projects  []string
	NextToken *string
}

type getInput struct {
	Names []string `json:"names"`
}

// A project is a build project in an answer of BatchGetProjects.
// https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Project.html
type project struct {
	Name, Arn   string
	Environment struct{ Image string }
}

// projects adds the images of the projects that still exist. CodeBuild checks no image.
func (s source) projects(ctx context.Context, c *inuse.Collector, names []string) error {
	const doing = "get projects"
	var out struct {
		Projects         []project
		ProjectsNotFound []string
	}
	if err := s.post(ctx, "BatchGetProjects", getInput{names}, &out); err != nil {
		return query.Explain(name, doing, err)
	}
	answered := map[string]bool{}
	for _, missing := range out.ProjectsNotFound { // deleted after they were listed
		answered[missing] = true
	}
	for _, p := range out.Projects {
		if p.Environment.Image == "" {
			return fmt.Errorf("%s: the answer has no image of %s; give it one, or take %q out of protect.inUse", doing, p.Arn, name)
		}
		if err := c.AddGiven(p.Environment.Image, inuse.Use{By: p.Arn}); err != nil {
			return err
		}
		answered[p.Name] = true
	}
	for _, asked := range names {
		if !answered[asked] {
			return errors.New(doing + ": the answer lacks the project " + asked)
		}
	}
	return nil
}

func (s source) post(ctx context.Context, operation string, in, out any) error {
	return s.api.Post(ctx, "CodeBuild_20161006."+operation, "1.1", in, out)
}
