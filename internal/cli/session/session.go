package session

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/imagename"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/kubeconfig"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/runlog"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config/selected"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// A Session is a runner with its registry.
type Session struct {
	*Flags
	cleaner.Runner
	Connection function.Registry
	Portable   config.Config // the Runner's Config as it is for a registry in any Region
	RunLog     *runlog.Log   // of --log; nil without it
}

// InSession returns the RunE of a command that opens a session and calls do.
func (f *Flags) InSession(mode config.Mode, do func(ctx context.Context, s *Session, args []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		s, err := f.Open(c.Context(), mode)
		if err != nil {
			return err
		}
		return do(c.Context(), s, args)
	}
}

// Open loads the configuration and connects. An empty mode is that of the configuration.
func (f *Flags) Open(ctx context.Context, mode config.Mode) (*Session, error) {
	if f.deadline < 0 {
		return nil, exit.Usagef("--deadline %s: must not be negative; give a time such as 14m, or 0 for no limit", f.deadline)
	}
	if f.Policy != "-" { // the user may be writing the policy
		f.Progress.Start()
	}
	log, err := runlog.Open(f.logFile)
	if err != nil {
		return nil, err
	}
	configuration, warnings, err := f.load(ctx)
	if err != nil {
		return nil, err
	}
	for _, w := range warnings {
		f.Notef("configuration: %s", w)
	}
	switch fields := configuration.Unsupported(); {
	case len(fields) == 0 || mode == "":
	case mode == config.Apply:
		return nil, exit.Usagef("%w", &config.UnsupportedError{Fields: fields})
	default:
		f.Notef("this plan does not consider: %s", strings.Join(fields, "; "))
	}
	if f.Policy != "" {
		if configuration, err = f.withPolicy(configuration); err != nil {
			return nil, err
		}
	}
	s, err := f.OpenWith(ctx, configuration, mode)
	if err == nil {
		s.RunLog = log
	}
	return s, err
}

// ReadConfiguration reads the text of a configuration as the function does.
func (f *Flags) ReadConfiguration(ctx context.Context, location string) ([]byte, error) {
	return f.Source(f.profile, f.region, f.Now)(ctx, location)
}

// Connect connects to the registry that the flags and the environment name.
func (f *Flags) Connect(ctx context.Context) (function.Registry, error) {
	return f.Connector(f.profile, f.region, f.Now)(ctx)
}

// Assume connects to the registry of a place with a role.
func (f *Flags) Assume(ctx context.Context, role function.Role) (function.Registry, error) {
	return f.Assumer(f.profile, f.region, f.Now)(ctx, role)
}

// OpenWith connects to the registry with a loaded configuration.
func (f *Flags) OpenWith(ctx context.Context, c config.Config, mode config.Mode) (*Session, error) {
	f.price = c.Price
	hash, err := c.Hash()
	if err != nil {
		return nil, exit.Failuref("%w", err)
	}
	request := config.Request{Mode: mode, Repositories: patterns(f.Repositories)}
	run, err := c.Override(f.limits.MaxDeletions, f.limits.MaxDeletionsPerRepository, f.limits.MaxDeletedPercent).Unprotect(f.Unprotected).Narrow(request)
	if err != nil {
		return nil, exit.Usagef("%w", err)
	}
	run.Repositories.Omitted = patterns(f.Exclude)
	f.running = []config.Limits{run.Limits}
	for _, entry := range run.Policies {
		f.running = append(f.running, entry.Limits)
	}
	f.Progress.Start()
	f.Progress.Phase("connecting to AWS")
	registry, err := f.Connect(ctx)
	if err != nil {
		return nil, exit.Usagef("%w", err)
	}
	registry.RunID = NewRunID()
	f.Progress.Watch(&registry)
	if run.Protect.Kubeconfig != nil {
		registry.Sources = f.withKubeconfig(registry.Sources)
	}
	runner := registry.Runner(run, f.Now)
	runner.ConfigurationHash, runner.Stop = hash, ctx.Done()
	runner.Log = slog.New(slog.DiscardHandler)
	f.Progress.WatchRun(&runner)
	return &Session{Flags: f, Connection: registry, Portable: run, Runner: runner}, nil
}

// patterns compiles the patterns that are not empty.
func patterns(texts []string) []wildcard.Pattern {
	var compiled []wildcard.Pattern
	for _, text := range texts {
		if text = strings.TrimSpace(text); text != "" {
			compiled = append(compiled, wildcard.Compile(text))
		}
	}
	return compiled
}

// ImageNames is the part of a command's help about the names of images.
const ImageNames = `IMAGE is a tag, a digest, or the beginning of a digest that only one image has, as the
tables print it: at least 4 digits, with or without sha256:. Before a number of fewer than
12 digits write sha256:, because a number alone is a tag. You can also give the
repository and the image in one: team/app:v1, team/app@sha256:3f1c, or a whole reference
with the host of the registry. A tag of exactly that name comes before a digest.
`

// Images reads arguments that name images, at least one and at most most, and sets the account
// of the run. Expected describes the arguments in the error.
func (s *Session) Images(args []string, most int, expected string) (imagename.Images, error) {
	return s.images(args, 1, most, expected)
}

// Repository is like Images for an argument that names a repository and no image.
func (s *Session) Repository(arg, expected string) (imagename.Images, error) {
	return s.images([]string{arg}, 0, 0, expected)
}

func (s *Session) images(args []string, least, most int, expected string) (imagename.Images, error) {
	images, err := imagename.Parse(args, s.Config.Protect.RegistryAliases)
	switch registry := images.Registry; {
	case err != nil:
		return images, exit.Usagef("%w", err)
	case len(images.Names) < least && s.Command.Flags().NArg() > 0:
		return images, exit.Usagef("expects %s; to see the images of %s, run: aws ecr list-images --repository-name %s; "+
			"to see those that would be removed, run: %s", expected, images.Repository, Quoted(images.Repository),
			s.Line(Only("config", "policy", "profile", "region"), "plan", "-r", images.Repository, "-o", "wide"))
	case len(images.Names) < least || len(images.Names) > most:
		return images, exit.Usagef("expects %s", expected)
	case registry.Region != "" && registry.Region != s.Region:
		return images, exit.Usagef("the image is in Region %s, and this run is for %s; give --region %s", registry.Region, s.Region, registry.Region)
	}
	s.Account = images.Registry.ID
	return images, nil
}

// withKubeconfig adds the source of protect.kubeconfig, which only the tool has.
func (f *Flags) withKubeconfig(others func(config.Config, string) []inuse.Source) func(config.Config, string) []inuse.Source {
	return func(c config.Config, session string) []inuse.Source {
		env := query.Environment{Settings: c.InUse(), Aliases: c.Protect.RegistryAliases, Clock: f.Now}
		return append(others(c, session), kubeconfig.Source{Environment: env, AllowExec: f.allowExec})
	}
}

// NewRunID returns a random id.
func NewRunID() string { return strings.ToLower(rand.Text()) }

// Report runs until --deadline and returns the report.
func (s *Session) Report(ctx context.Context, run func(context.Context) (report.Report, error)) (*report.Report, error) {
	if s.deadline > 0 {
		var cancelAll, cancel context.CancelFunc
		ctx, cancelAll = context.WithTimeout(ctx, s.deadline)
		defer cancelAll()
		ctx, s.Stop, cancel = function.Limit(ctx, s.Flags.Now())
		defer cancel()
	}
	report, err := run(ctx)
	if err != nil {
		return nil, Error(err)
	}
	report.End, report.Calls, report.Limits = s.End(), s.Connection.Calls(), s.givenLimits()
	s.Flags.Progress.Phase("writing the result")
	return &report, nil
}

// Empty says that the registry has no repositories, and which registry it is.
// The screens then have its account, too.
func (s *Session) Empty(ctx context.Context) string {
	of := "these credentials"
	if account, err := s.Connection.Account(ctx); err == nil {
		of, s.Flags.account = "account "+account, account
	}
	return fmt.Sprintf("the registry of %s in Region %s has no repositories; "+
		"give another Region with --region, or other credentials with --profile", of, s.Region)
}

// Error gives the error of a run its exit status.
func Error(err error) error {
	_, refused := errors.AsType[*report.PlanError](err)
	_, none := errors.AsType[*selected.Error](err)
	_, known := errors.AsType[*exit.Error](err)
	switch {
	case refused || none:
		return exit.Usagef("%w", err)
	case known:
		return err
	}
	return exit.Failuref("%w", err)
}

// UseRegion sets the Region unless --region is given.
func (f *Flags) UseRegion(region string) { f.region = cmp.Or(f.region, region) }
