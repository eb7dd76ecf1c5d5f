package function

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
)

// A Registry is where a run works: it reads, removes and counts its calls.
type Registry struct {
	Reader  cleaner.Registry
	Remover cleaner.Remover
	Region  string
	// Concurrency bounds the calls of an operation, and the repositories, that
	// are under way at a time.
	Concurrency pace.Limits
	// Pace is that of the calls that remove; nil does not bound them.
	Pace *pace.Pace
	// Calls returns the number of API calls so far by operation.
	Calls func() map[string]int
	// Sources returns what to ask for what is in use. Nil asks nobody.
	Sources func(config.Config) []inuse.Source
	// PullsExcluded reports whether reading a manifest does not count as a
	// pull. Nil means that it does.
	PullsExcluded func(context.Context) bool
	// Account returns the account of the credentials.
	Account func(context.Context) (string, error)
	// AWS is what the registry is connected with; the function itself uses no
	// more of it than stands above.
	AWS aws.Config
	// PutObject writes an S3 object.
	PutObject func(ctx context.Context, location string, content []byte) error
}

// Scanner returns how to find out what is in use, or nil when nothing is to be
// asked. Of images in ECR registries of other Regions than that one, unless it is
// empty, the scan keeps a number only.
func (r Registry) Scanner(c config.Config, region string, clock func() time.Time) func(context.Context) inuse.Scan {
	settings := c.InUse()
	if r.Sources == nil || len(settings.InUse)+len(settings.References) == 0 {
		return nil
	}
	scope := inuse.Scope{Region: region, Aliases: c.Protect.RegistryAliases}
	return func(ctx context.Context) inuse.Scan { return scope.Run(ctx, r.Sources(c), clock()) }
}

// Runner returns a runner for the registry that only plans; whoever wants to
// remove gives it the remover.
func (r Registry) Runner(c config.Config, clock func() time.Time) cleaner.Runner {
	runner := cleaner.Runner{
		Registry: r.Reader, Region: r.Region, Config: c, Now: clock().UTC(), Clock: clock,
		Workers: max(r.Concurrency.Most, 1), Scan: r.Scanner(c, r.Region, clock), Pace: r.Pace,
	}
	if r.PullsExcluded != nil {
		runner.PullsExcluded = askedOnce(r.PullsExcluded)
	}
	return runner
}

// askedOnce returns a question that asks another at most once, also when many ask
// at the same time. To whoever is stopped meanwhile the answer is no, and that is
// not kept.
func askedOnce(ask func(context.Context) bool) func(context.Context) bool {
	turn := make(chan struct{}, 1)
	var asked, answer bool
	return func(ctx context.Context) bool {
		select {
		case turn <- struct{}{}:
			defer func() { <-turn }()
		case <-ctx.Done():
			return false
		}
		if asked || ctx.Err() != nil {
			return answer
		}
		answer = ask(ctx)
		asked = answer || ctx.Err() == nil
		return answer
	}
}
