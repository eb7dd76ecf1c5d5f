// Package agentcore is the in-use source for Amazon Bedrock AgentCore. It takes the API of
// one Region. It returns the images of all versions of agent runtimes and of harnesses,
// because endpoints point to versions. Those with code instead of an image have none. A
// version with a tag runs the image that has the tag when a session begins.
package agentcore

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// Actions are the IAM actions for the calls of the source.
var Actions = []string{
	"bedrock-agentcore:GetAgentRuntime", "bedrock-agentcore:GetHarness", "bedrock-agentcore:ListAgentRuntimeVersions",
	"bedrock-agentcore:ListAgentRuntimes", "bedrock-agentcore:ListHarnessVersions", "bedrock-agentcore:ListHarnesses",
}

const name = "bedrock-agentcore" // in protect.inUse, in the signature and in IAM actions

type source struct{ api awsclient.Service }

// New returns the source for the environment. It uses no settings.
func New(env query.Environment) inuse.Source {
	return source{awsclient.Service{
		Config: env.AWS, Name: name, Prefix: "bedrock-agentcore-control", SDKID: "Bedrock AgentCore Control", Clock: env.Clock,
	}}
}

// Name returns "bedrock-agentcore".
func (source) Name() string { return name }

// A kind is one of the two kinds of resources with an image, and its operations.
type kind struct {
	text, all           string
	list, versions, get string
	method              string // of the listings
	path, end           string // of all resources, and the end of longer paths
	version             string // the parameter of get
}

// https://docs.aws.amazon.com/bedrock-agentcore-control/latest/APIReference/API_Operations.html
var (
	runtimes = kind{
		"agent runtime", "agent runtimes", "ListAgentRuntimes", "ListAgentRuntimeVersions", "GetAgentRuntime",
		http.MethodPost, "/runtimes", "/", "version",
	}
	harnesses = kind{
		"harness", "harnesses", "ListHarnesses", "ListHarnessVersions", "GetHarness",
		http.MethodGet, "/harnesses", "", "harnessVersion",
	}
)

// Uses queries AgentCore.
func (s source) Uses(ctx context.Context) iter.Seq2[inuse.Use, error] {
	return inuse.Collect(func(c *inuse.Collector) error {
		for _, k := range []kind{runtimes, harnesses} {
			all, err := s.list(ctx, "list "+k.all, k, k.list, k.path+k.end)
			if k == harnesses && query.HasCode(err, "UnknownOperationException") {
				continue // this Region has agent runtimes only
			}
			if err != nil {
				return err
			}
			versions, err := query.Gather(ctx, all, func(ctx context.Context, r resource) ([]resource, error) { return s.versions(ctx, k, r) })
			if err != nil {
				return err
			}
			if err := query.Each(ctx, versions, func(ctx context.Context, r resource) error { return s.image(ctx, c, k, r) }); err != nil {
				return err
			}
		}
		return nil
	})
}

// A page is an answer of one of the listings.
type page struct {
	AgentRuntimes, Harnesses, HarnessVersions []summary
	NextToken                                 *string
}

// A summary is that of an agent runtime, a harness, or a version of one.
type summary struct {
	AgentRuntimeID, AgentRuntimeArn, AgentRuntimeVersion string
	HarnessID, Arn, HarnessVersion                       string
}

// A resource is a version of an agent runtime or of a harness.
type resource struct{ id, arn, version string }

// list returns the resources of a listing.
func (s source) list(ctx context.Context, doing string, k kind, operation, path string) ([]resource, error) {
	var all []resource
	for r, err := range query.Pages(func(token *string) (out page, err error) {
		parameters := url.Values{"maxResults": {"100"}}
		if token != nil {
			parameters.Set("nextToken", *token)
		}
		err = s.api.Send(ctx, operation, k.method, path, parameters, nil, &out)
		return out, err
	}, func(p page) ([]summary, *string) {
		for _, list := range [][]summary{p.AgentRuntimes, p.Harnesses, p.HarnessVersions} {
			if list != nil {
				return list, p.NextToken
			}
		}
		return nil, nil
	}) {
		if err != nil {
			return nil, query.Explain(name, doing, err)
		}
		found := resource{r.AgentRuntimeID + r.HarnessID, r.AgentRuntimeArn + r.Arn, r.AgentRuntimeVersion + r.HarnessVersion}
		if found.id == "" {
			return nil, fmt.Errorf("%s: the answer has an item without an ID", doing)
		}
		all = append(all, found)
	}
	return all, nil
}

// versions returns all versions of a resource, and the one that was listed.
func (s source) versions(ctx context.Context, k kind, r resource) ([]resource, error) {
	all, err := s.list(ctx, "list versions of "+k.text+" "+r.id, k, k.versions, k.path+"/"+url.PathEscape(r.id)+"/versions"+k.end)
	if gone(err) {
		return nil, nil
	}
	if !slices.ContainsFunc(all, func(other resource) bool { return other.version == r.version }) {
		all = append(all, r)
	}
	return all, err
}

// A version runs one artifact, an image or code.
type artifact struct {
	ContainerConfiguration struct{ ContainerURI string }
	CodeConfiguration      map[string]any
}

// image adds the image of a version, if it has one.
func (s source) image(ctx context.Context, c *inuse.Collector, k kind, r resource) error {
	doing := fmt.Sprintf("get %s %s, version %s", k.text, r.id, r.version)
	parameters := url.Values{}
	if r.version != "" { // else it is the newest
		parameters.Set(k.version, r.version)
	}
	var out struct {
		AgentRuntimeArn      string
		AgentRuntimeArtifact *artifact
		Harness              *struct{ EnvironmentArtifact *artifact }
	}
	err := s.api.Get(ctx, k.get, k.path+"/"+url.PathEscape(r.id)+k.end, parameters, &out)
	switch {
	case gone(err):
		return nil
	case err != nil:
		return query.Explain(name, doing, err)
	}
	runs := out.AgentRuntimeArtifact
	if out.Harness != nil {
		runs = out.Harness.EnvironmentArtifact
	}
	switch {
	case runs == nil: // such as a harness in AWS's own environment
		return nil
	case runs.ContainerConfiguration.ContainerURI != "":
		err = c.Add(runs.ContainerConfiguration.ContainerURI, "", inuse.Use{By: r.arn})
	case runs.CodeConfiguration == nil:
		err = fmt.Errorf("its artifact is neither an image nor code; take %q out of protect.inUse, "+
			"and name its images in a list in protect.references", name)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// gone reports whether the resource or version was deleted after it was listed.
func gone(err error) bool { return query.HasCode(err, "ResourceNotFoundException") }
