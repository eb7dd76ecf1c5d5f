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
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// services are the in-use sources that init tries.
var services = []string{"ecs", "lambda", "eks"}

// A source is an in-use source with its answer.
type source struct {
	name string
	uses int
	err  error
}

// firstCalls are the calls that tell whether a service has anything that uses images.
var firstCalls = map[string]string{"ecs": "list clusters: ", "lambda": "list functions: ", "eks": "list clusters: "}

// queried reports whether the configuration names the source. A source that failed stays in
// it, because its images would lose their protection. An exception is a service that is not
// there, and EKS if it is not known whether there is a cluster.
func (s source) queried() bool {
	if s.err == nil || !strings.HasPrefix(s.err.Error(), firstCalls[s.name]) {
		return true
	}
	absent := query.NotKnown(s.err) || query.HasCode(s.err, "OptInRequired", "SubscriptionRequiredException")
	return !absent && s.name != "eks"
}

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

// scan queries the services. The returned scan has the sources that the configuration names.
func scan(ctx context.Context, r function.Registry, clock func() time.Time) ([]source, inuse.Scan) {
	c := config.Default()
	c.Protect.InUse = services
	made := r.Scanner(c, r.Region, clock)(ctx)
	sources := make([]source, len(services))
	unused := map[string]bool{}
	for i, name := range services {
		s := source{name: name, uses: made.Counts[name]}
		if at := slices.IndexFunc(made.Failed, func(f inuse.Failure) bool { return f.Source == name }); at >= 0 {
			s.err = made.Failed[at].Err
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
