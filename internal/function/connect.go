package function

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/list"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/place"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/services"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
	"github.com/ecr-cleaner/ecr-cleaner/internal/role"
)

// Connector returns, in two steps, a function that connects to the registry of the
// environment. A profile and a region that are not "" override the environment.
func Connector(getenv func(string) string) func(profile, region string, clock func() time.Time) func(context.Context) (Registry, error) {
	return func(profile, region string, clock func() time.Time) func(context.Context) (Registry, error) {
		return func(ctx context.Context) (Registry, error) {
			limits, err := concurrency(getenv)
			if err != nil {
				return Registry{}, err
			}
			cfg, err := awsclient.Load(ctx, profile, region)
			if err != nil {
				return Registry{}, err
			}
			return ConnectAt(cfg, limits, clock), nil
		}
	}
}

// DefaultConcurrency limits the concurrent calls of an operation, unless the environment
// variable CLEANER_CONCURRENCY_START sets another Start, or CLEANER_CONCURRENCY another Most.
var DefaultConcurrency = pace.Limits{Start: 32, Most: 32}

func concurrency(getenv func(string) string) (pace.Limits, error) {
	limits := DefaultConcurrency
	for name, limit := range map[string]*int{"CLEANER_CONCURRENCY": &limits.Most, "CLEANER_CONCURRENCY_START": &limits.Start} {
		text := getenv(name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > awsclient.MaxConnections {
			return limits, fmt.Errorf("%s is %q; give a number from 1 to %d", name, text, awsclient.MaxConnections)
		}
		*limit = n
	}
	return limits, nil
}

// Connect returns the registry that cfg gives access to.
func Connect(cfg aws.Config, clock func() time.Time) Registry {
	return ConnectAt(cfg, DefaultConcurrency, clock)
}

// ConnectAt is [Connect] with other limits of concurrency.
func ConnectAt(cfg aws.Config, limits pace.Limits, clock func() time.Time) Registry {
	return connect(cfg, func(*aws.Config) {}, limits, clock)
}

// connect returns the registry that own, changed by as, gives access to. Everything that is
// not in the account of the registry is done as own: roles are assumed, lists read and written.
func connect(own aws.Config, as func(*aws.Config), limits pace.Limits, clock func() time.Time) Registry {
	check, attempts := awsclient.WatchClock(&own, clock), awsclient.CountAttempts(&own)
	cfg := own.Copy()
	as(&cfg)
	client, calls := ecrapi.Connect(cfg, ecrapi.Paced(pace.New(limits)))
	c := connection{own, cfg, client, clock}
	return Registry{
		Concurrency: limits, Pace: pace.New(limits), ClockCheck: check,
		Reader: client, Remover: client, State: client, Region: cfg.Region, Calls: calls.Snapshot, Attempts: attempts.Counts, AWS: cfg,
		Sources:  c.sources,
		OwnPulls: func(ctx context.Context) plan.OwnPulls { return ownPulls(ctx, cfg, client) },
		Account: func(ctx context.Context) (string, error) {
			caller, err := awsclient.Caller(ctx, cfg)
			return caller.Account, err
		},
		PutObject: func(ctx context.Context, location string, content []byte) error {
			return awsclient.PutObject(ctx, own, location, content, clock())
		},
	}
}

// A connection has the configurations of the in-use sources: cfg for calls in the account of
// the registry, own for all other calls.
type connection struct {
	own, cfg aws.Config
	client   ecrapi.Client
	clock    func() time.Time
}

func (c connection) sources(run config.Config, session string) []inuse.Source {
	settings := run.InUse()
	var all []inuse.Source
	registry := &registryID{client: c.client}
	env := query.Environment{
		AWS: c.cfg, Settings: settings, Aliases: run.Protect.RegistryAliases, Clock: c.clock,
		LastActivity: func(ctx context.Context, images []reference.Reference) (map[reference.Reference]time.Time, error) {
			return lastActivity(ctx, registry, c.cfg.Region, images)
		},
	}
	for _, name := range settings.InUse {
		all = append(all, services.New(name, env))
	}
	for _, location := range settings.References {
		maxAge := time.Duration(run.ReferencesMaxAge(location)) * time.Hour
		if config.IsPrefix(location) {
			prefix := list.Prefix{Location: location, Open: opener(c.own, c.clock), Now: c.clock(), MaxAge: maxAge, Aliases: env.Aliases}
			prefix.Expected, prefix.Own = run.Expected(location)
			prefix.List = func(ctx context.Context, location string) ([]awsclient.Object, error) {
				return awsclient.ListObjects(ctx, c.own, location, c.clock)
			}
			all = append(all, prefix.Sources()...)
			continue
		}
		source := list.New(location, opener(c.own, c.clock), c.clock(), maxAge)
		source.Aliases = env.Aliases
		all = append(all, source)
	}
	// A Region of one part of the configuration is not asked for the services of another.
	names := sourceNames(run)
	return append(all, slices.DeleteFunc(place.Sources(env, role.NewCaller(c.own, session)), func(source inuse.Source) bool {
		return !slices.Contains(names, source.Name())
	})...)
}

// A registryID finds out the account of a registry once, for all sources of a scan.
type registryID struct {
	client ecrapi.Client
	mu     sync.Mutex
	id     string
}

// get returns the account, or "" if the registry has no repository.
func (r *registryID) get(ctx context.Context) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.id != "" {
		return r.id, nil
	}
	for repository, err := range r.client.Repositories(ctx) {
		if err != nil {
			return "", err
		}
		r.id = repository.RegistryID // the same for all
		break
	}
	return r.id, nil
}

// lastActivity implements LastActivity of [query.Environment] for the registry.
func lastActivity(ctx context.Context, registry *registryID, region string, images []reference.Reference) (map[reference.Reference]time.Time, error) {
	account, err := registry.get(ctx)
	if err != nil {
		return nil, err
	}
	byRepository := map[string][]reference.Reference{}
	for _, image := range images {
		if image.RegistryID == account && image.Region == region {
			byRepository[image.Repository] = append(byRepository[image.Repository], image)
		}
	}
	all := map[reference.Reference]time.Time{}
	var mu sync.Mutex
	err = query.Each(ctx, slices.Collect(maps.Keys(byRepository)), func(ctx context.Context, name string) error {
		last, err := registry.client.LastActivity(ctx, name, byRepository[name])
		mu.Lock()
		defer mu.Unlock()
		maps.Copy(all, last)
		return err
	})
	return all, err
}

// opener opens a list of references, which is an S3 object or a file.
func opener(cfg aws.Config, clock func() time.Time) list.Open {
	return func(ctx context.Context, location string) (io.ReadCloser, time.Time, error) {
		if strings.HasPrefix(location, "s3://") {
			return awsclient.OpenObject(ctx, cfg, location, clock)
		}
		f, err := os.Open(location)
		if err != nil {
			return nil, time.Time{}, err
		}
		var modified time.Time
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() { // only a regular file has a meaningful time
			modified = info.ModTime()
		}
		return f, modified, nil
	}
}

const maxOwnPullsWait = time.Minute // in a VPC without an endpoint of STS there is no answer

// ownPulls finds out whether ECR records the caller's pulls. Without an exclusion it
// ignores a failed call of STS.
func ownPulls(ctx context.Context, cfg aws.Config, client ecrapi.Client) plan.OwnPulls {
	ctx, cancel := context.WithTimeout(ctx, maxOwnPullsWait)
	defer cancel()
	arns, err := client.PullTimeExclusions(ctx)
	if err != nil {
		return plan.OwnPulls{Err: err}
	}
	caller, err := awsclient.Caller(ctx, cfg)
	switch {
	case err != nil && len(arns) == 0:
		return plan.OwnPulls{}
	case err != nil:
		return plan.OwnPulls{Err: err}
	}
	excluded, err := isOneOf(arns, caller)
	return plan.OwnPulls{Excluded: excluded, Principal: caller.ARN(), Err: err}
}

// isOneOf reports whether the caller is in the list. The error names an unreadable ARN.
func isOneOf(arns []string, caller awsclient.Principal) (is bool, unread error) {
	kinds := []string{"role", "user", "root", "federated-user"}
	for _, arn := range arns {
		switch p, err := awsclient.ParsePrincipal(arn); {
		case err == nil && p == caller:
			return true, nil
		case err != nil || !slices.Contains(kinds, p.Kind) || strings.Contains(arn, "*"):
			unread = fmt.Errorf("list pull-time update exclusions: %q is not the ARN of a role or user; correct the exclusion", arn)
		}
	}
	return false, unread
}
