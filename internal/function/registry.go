package function

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/registrystate"
)

// A Registry is the access of a run to one ECR registry.
type Registry struct {
	Reader      plan.Registry
	Remover     apply.Remover
	Region      string
	Concurrency pace.Limits                 // of calls of an operation; Most also limits repositories
	ClockCheck  *awsclient.ClockCheck       // nil checks nothing
	Pace        *pace.Pace                  // of the calls that delete, archive or untag; nil is no limit
	Calls       func() map[string]int       // the number of API calls so far, by operation
	Attempts    func() (all, throttled int) // at calls of all services; nil if they are not counted
	// Sources returns the in-use sources of one scan. Sessions of roles in other accounts have
	// the name session. Nil means no source.
	Sources  func(c config.Config, session string) []inuse.Source
	RunID    string                              // of runs, and in the names of sessions
	OwnPulls func(context.Context) plan.OwnPulls // whether ECR records the pulls of the credentials
	Account  func(context.Context) (string, error)
	State    registrystate.Reader // nil means no findings about the registry
	AWS      aws.Config           // of the clients; only the tool uses it
	// PutObject writes an S3 object.
	PutObject func(ctx context.Context, location string, content []byte) error
}

// Scanner returns a function that makes an in-use scan for registries of the region, or of
// all if it is "". It returns nil if no source is configured.
func (r Registry) Scanner(c config.Config, region string, clock func() time.Time) func(context.Context) inuse.Scan {
	c = c.InRegion(r.Region)
	if r.Sources == nil || len(c.InUse().Sources()) == 0 {
		return nil
	}
	scope := inuse.Scope{Region: region, Aliases: c.Protect.RegistryAliases}
	return func(ctx context.Context) inuse.Scan {
		sources := r.Sources(c, r.RunID)
		scan := scope.Run(ctx, sources, clock())
		failMissing(&scan, c)
		scan.At = r.ClockCheck.ServiceTime(scan.At) // ECR's clock, as in the pull times
		for _, source := range sources {
			if of, is := source.(interface{ Since() time.Time }); is && of.Since().Before(scan.At) {
				scan.At = of.Since()
			}
		}
		return scan
	}
}

// failMissing fails each source that the configuration names and that was not queried.
func failMissing(scan *inuse.Scan, c config.Config) {
	for _, name := range sourceNames(c) {
		_, answered := scan.Counts[name]
		failed := slices.ContainsFunc(scan.Failed, func(f inuse.Failure) bool { return f.Source == name })
		if !answered && !failed {
			scan.Fail(name, errors.New("it was not queried: the program is faulty; please report it"))
		}
	}
}

// sourceNames returns the names of the sources of all parts of the configuration.
func sourceNames(c config.Config) []string {
	names := c.Protect.Sources()
	for i := range c.Policies {
		names = append(names, c.Policies[i].Protect.Sources()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// checkClock returns the check of the clock for a run. Only mode apply needs a Date.
func (r Registry) checkClock(mode config.Mode) func() error {
	return func() error {
		err := r.ClockCheck.Check()
		if mode != config.Apply && errors.Is(err, awsclient.ErrNoDate) {
			return nil
		}
		return err
	}
}

// clockNoise is the largest measured difference of a correct clock from AWS's clock.
const clockNoise = 5 * time.Second

// serviceTime returns AWS's time, or local if the two differ by at most clockNoise.
func (r Registry) serviceTime(local time.Time) time.Time {
	if at := r.ClockCheck.ServiceTime(local); at.Sub(local).Abs() > clockNoise {
		return at
	}
	return local
}

// Runner returns a runner for the registry that only plans. To delete images, set its
// Remover, and the mode apply in c. The runner reads the clock for its Now when it begins.
func (r Registry) Runner(c config.Config, clock func() time.Time) cleaner.Runner {
	c = c.InRegion(r.Region)
	return cleaner.Runner{
		Registry: r.Reader, Region: r.Region, RunID: r.RunID, Config: c, Clock: clock, CheckClock: r.checkClock(c.Mode), ServiceTime: r.serviceTime,
		OwnPulls: r.OwnPulls, RegistryState: r.State, Workers: max(r.Concurrency.Most, 1), Scan: r.Scanner(c, r.Region, clock), Pace: r.Pace,
	}
}
