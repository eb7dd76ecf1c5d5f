package starter

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/awserror"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/services"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// A source is an in-use source with its answer.
type source struct {
	name string
	uses int
	err  error
}

// firstCalls are the calls that tell whether a service has anything that uses images.
var firstCalls = map[string][]string{
	"ecs": {"list clusters"}, "lambda": {"list functions"}, "eks": {"list clusters"}, "apprunner": {"list services"},
	"batch": {"describe job definitions"}, "bedrock-agentcore": {"list agent runtimes", "list harnesses"},
	"codebuild": {"list projects"}, "emr-serverless": {"list applications"},
	"sagemaker": {
		"list algorithms", "list pipelines", "list monitoring schedules", "list models", "list endpoints", "list inference components",
		"list images", "list tuning jobs", "list training jobs", "list processing jobs",
	},
}

// queried reports whether the configuration names the source. A source that failed stays in
// it, because its images would lose their protection. An exception is a service that is not
// there, and one that is no default, if nothing was found there before it failed.
func (s source) queried() bool {
	if s.err == nil {
		return true
	}
	call, _, _ := strings.Cut(s.err.Error(), ": ")
	first := slices.Contains(firstCalls[s.name], call)
	absent := query.NotKnown(s.err) || query.HasCode(s.err, "OptInRequired", "SubscriptionRequiredException")
	if s.isDefault() {
		return !first || !absent
	}
	return !first && !absent || s.uses > 0
}

func (s source) isDefault() bool { return slices.Contains(config.Default().Protect.InUse, s.name) }

// comment says how the source answered.
func (s source) comment() string {
	if s.err == nil {
		return fmt.Sprintf("answered, %s.", words.Count(s.uses, "use", "uses"))
	}
	text, _, _ := strings.Cut(s.err.Error(), "; if it is not used here")
	reason := "did not answer: " + awserror.Clean(text)
	switch {
	case s.queried():
		return reason + ". Nothing is deleted until it answers. If it uses no image of this registry, remove it."
	case s.name == "eks":
		return reason + ". Before you delete anything, add it if you have EKS clusters."
	}
	return reason + ". Before you delete anything, add it if it uses images of this registry."
}

// scan queries all services. The returned scan has the sources that the configuration names.
func scan(ctx context.Context, r function.Registry, clock func() time.Time) ([]source, inuse.Scan) {
	c := config.Default()
	c.Protect.InUse = nil
	for _, service := range services.Table {
		c.Protect.InUse = append(c.Protect.InUse, service.Name)
	}
	made := r.Scanner(c, r.Region, clock)(ctx)
	sources := make([]source, len(services.Table))
	unused := map[string]bool{}
	for i, name := range c.Protect.InUse {
		s := source{name: name, uses: made.Counts[name]}
		if at := slices.IndexFunc(made.Failed, func(f inuse.Failure) bool { return f.Source == name }); at >= 0 {
			s.err = made.Failed[at].Err
			s.uses = len(slices.DeleteFunc(slices.Clone(made.Uses), func(u inuse.Use) bool { return u.Source != name }))
		}
		sources[i], unused[name] = s, !s.queried()
		if unused[name] {
			delete(made.Counts, name)
			delete(made.Elsewhere, name)
		}
	}
	made.Failed = slices.DeleteFunc(made.Failed, func(f inuse.Failure) bool { return unused[f.Source] })
	made.Uses = slices.DeleteFunc(made.Uses, func(u inuse.Use) bool { return unused[u.Source] })
	slices.SortStableFunc(sources, func(a, b source) int { // a comma can be before each commented name
		return cmp.Compare(strconv.FormatBool(b.queried()), strconv.FormatBool(a.queried()))
	})
	return sources, made
}

// parameters returns the parameters of template.yaml that let the function query the sources.
// Those of the default services are true.
func parameters(sources []source) []string {
	var names []string
	for _, service := range services.Table {
		if slices.ContainsFunc(sources, func(s source) bool { return s.name == service.Name && s.queried() && !s.isDefault() }) {
			names = append(names, service.Parameter+"=true")
		}
	}
	return names
}

// leftOut returns the services that the configuration does not name.
func leftOut(sources []source) []string {
	var names []string
	for _, s := range sources {
		if !s.queried() {
			names = append(names, s.name)
		}
	}
	return names
}
