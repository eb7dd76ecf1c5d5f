// Package apprunner is the in-use source for AWS App Runner. It takes the App Runner API of
// one Region. It returns the images of all services, also of paused ones, by the names that
// they were given. It makes a call for each service, and one for each page of them.
//
// App Runner stores a copy of an image when it deploys it, and does not say which digest
// that was. So the image that has the tag now is the one of the next deployment.
//
// https://docs.aws.amazon.com/apprunner/latest/dg/security-data-protection-encryption.html
package apprunner

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// Actions are the IAM actions for the calls of the source.
var Actions = []string{"apprunner:DescribeService", "apprunner:ListServices"}

const name = "apprunner" // in protect.inUse

// A source is the in-use source.
type source struct{ api awsclient.Service }

// New returns the source for the environment. It uses no settings.
func New(env query.Environment) inuse.Source {
	return source{awsclient.Service{Config: env.AWS, Name: name, SDKID: "AppRunner", Clock: env.Clock}}
}

// Name returns "apprunner".
func (source) Name() string { return name }

// Uses queries App Runner.
func (s source) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return inuse.Collect(func(c *inuse.Collector) error {
		services, err := query.List(func(token *string) (*listing, error) {
			var page listing
			return &page, s.post(ctx, "ListServices", input{NextToken: token}, &page)
		}, func(page *listing) ([]summary, *string) { return page.ServiceSummaryList, page.NextToken })
		if err != nil {
			return explain("list services", err)
		}
		return query.Each(ctx, services, func(ctx context.Context, listed summary) error { return s.image(ctx, c, listed.ServiceArn) })
	})
}

type input struct {
	ServiceArn string  `json:",omitempty"`
	NextToken  *string `json:",omitempty"`
}

// A listing is an answer of ListServices.
// https://docs.aws.amazon.com/apprunner/latest/api/API_ListServices.html
type listing struct {
	ServiceSummaryList []summary
	NextToken          *string
}

type summary struct{ ServiceArn string }

// A description is an answer of DescribeService. A service has one of the two sources.
// https://docs.aws.amazon.com/apprunner/latest/api/API_SourceConfiguration.html
type description struct {
	Service struct {
		Status              string
		SourceConfiguration struct {
			ImageRepository *struct{ ImageIdentifier string }
			CodeRepository  *struct{}
		}
	}
}

// image adds the image of a service, if it has one.
func (s source) image(ctx context.Context, c *inuse.Collector, arn string) error {
	doing := "describe service " + arn
	if arn == "" {
		return errors.New("list services: the answer has a service without an ARN")
	}
	var out description
	err := s.post(ctx, "DescribeService", input{ServiceArn: arn}, &out)
	switch of := out.Service.SourceConfiguration; {
	case query.HasCode(err, "ResourceNotFoundException"), err == nil && out.Service.Status == "DELETED":
		return nil
	case err != nil:
		return explain(doing, err)
	case of.ImageRepository != nil:
		return c.Add(of.ImageRepository.ImageIdentifier, "", inuse.Use{By: arn})
	case of.CodeRepository == nil:
		return errors.New(doing + ": the answer has no source")
	}
	return nil
}

// explain says what to do. App Runner is closed to new customers, and may deny them access.
// https://docs.aws.amazon.com/apprunner/latest/dg/apprunner-availability-change.html
func explain(doing string, err error) error {
	explained := query.Explain(name, doing, err)
	if _, denied := query.Denied(err); denied {
		return fmt.Errorf("%w; if it is not used here, take %q out of protect.inUse", explained, name)
	}
	return explained
}

func (s source) post(ctx context.Context, operation string, in, out any) error {
	return s.api.Post(ctx, "AppRunner."+operation, "1.0", in, out)
}
