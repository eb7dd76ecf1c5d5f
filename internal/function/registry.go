package function

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
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
	// ClockCheck compares the clock of this machine with that of AWS; nil for no check.
	ClockCheck *awsclient.ClockCheck
	// Pace is that of the calls that remove; nil does not bound them.
	Pace *pace.Pace
	// Calls returns the number of API calls so far by operation.
	Calls func() map[string]int
	// Sources returns the in-use sources of a configuration. A nil Sources has none.
	Sources func(config.Config) []inuse.Source
	// OwnPulls is that of [cleaner.Runner].
	OwnPulls func(context.Context) cleaner.OwnPulls
	// Account returns the account of the credentials.
	Account func(context.Context) (string, error)
	// AWS is what the registry is connected with; the function itself uses no
	// more of it than stands above.
	AWS aws.Config
	// PutObject writes an S3 object.
	PutObject func(ctx context.Context, location string, content []byte) error
}

// Scanner returns a function that makes an in-use scan, or nil when no source is
// configured. Unless the region is empty, the scan only counts references to ECR
// registries of other Regions.
func (r Registry) Scanner(c config.Config, region string, clock func() time.Time) func(context.Context) inuse.Scan {
	settings := c.InUse()
	if r.Sources == nil || len(settings.InUse)+len(settings.References) == 0 {
		return nil
	}
	scope := inuse.Scope{Region: region, Aliases: c.Protect.RegistryAliases}
	return func(ctx context.Context) inuse.Scan {
		scan := scope.Run(ctx, r.Sources(c), clock())
		scan.At = r.ClockCheck.ServiceTime(scan.At) // it is compared with pull times, which are ECR's
		return scan
	}
}

// checkClock returns the check of the clock for a run in that mode. Only mode apply
// needs an answer with a Date, since a plan removes nothing.
func (r Registry) checkClock(mode config.Mode) func() error {
	return func() error {
		err := r.ClockCheck.Check()
		if mode != config.Apply && errors.Is(err, awsclient.ErrNoDate) {
			return nil
		}
		return err
	}
}

// clockNoise is the largest measured difference from the clock of AWS at which the
// clock of this machine may still be right: a Date has whole seconds, and an answer
// takes time to arrive.
const clockNoise = 5 * time.Second

// serviceTime returns the time of AWS at the moment when the clock of this machine
// showed local. It returns local if the two differ by no more than clockNoise.
func (r Registry) serviceTime(local time.Time) time.Time {
	if at := r.ClockCheck.ServiceTime(local); at.Sub(local).Abs() > clockNoise {
		return at
	}
	return local
}

// Runner returns a runner for the registry that only plans. To remove images, give it
// the remover, and c the mode apply. The runner fixes its Now by the clock when it
// begins.
func (r Registry) Runner(c config.Config, clock func() time.Time) cleaner.Runner {
	return cleaner.Runner{
		Registry: r.Reader, Region: r.Region, Config: c, Clock: clock, CheckClock: r.checkClock(c.Mode), ServiceTime: r.serviceTime,
		OwnPulls: r.OwnPulls, Workers: max(r.Concurrency.Most, 1), Scan: r.Scanner(c, r.Region, clock), Pace: r.Pace,
	}
}
