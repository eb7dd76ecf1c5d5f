package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// A setup holds the flags that the commands on a registry share.
type setup struct {
	world
	config, profile, region string
	repositories            []string
	output, logFile         string
	deadline                time.Duration
}

func (s *setup) flags(c *cobra.Command) {
	s.configurationFlags(c)
	s.outputFlag(c)
}

// configurationFlags adds the flags of commands that use a registry and have their own
// output format.
func (s *setup) configurationFlags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&s.config, "config", s.getenv("CLEANER_CONFIG"), "configuration: a file, s3://BUCKET/KEY, ssm:/PARAMETER or the JSON text itself (environment: CLEANER_CONFIG)")
	s.accountFlags(c)
}

// accountFlags say where AWS is called.
func (s *setup) accountFlags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&s.profile, "profile", "", "profile of the shared AWS files (environment: AWS_PROFILE)")
	f.StringVar(&s.region, "region", "", "AWS region (environment: AWS_REGION)")
}

func (s *setup) outputFlag(c *cobra.Command) {
	c.Flags().StringVar(&s.output, "output", "table", "table or json")
}

func (s *setup) repositoriesFlag(c *cobra.Command) {
	c.Flags().StringSliceVar(&s.repositories, "repositories", nil, "only repositories that match one of these patterns; each pattern must match a repository; * matches any characters (repeatable, comma-separated)")
}

func (s *setup) deadlineFlag(c *cobra.Command) {
	c.Flags().DurationVar(&s.deadline, "deadline", 0, "stop and report after this long, such as 14m; 0 for no limit")
}

func (s *setup) logFlag(c *cobra.Command) {
	c.Flags().StringVar(&s.logFile, "log", "", "append the log to this file, for ecrclean audit FILE: each image before the call that removes it, and its outcome")
}

// limit returns the context of a run that keeps to the deadline, if there is
// one, and has the run stop in time.
func (s *session) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.deadline <= 0 {
		return ctx, func() {}
	}
	ctx, cancelAll := context.WithTimeout(ctx, s.deadline)
	run, stop, cancel := function.Limit(ctx, s.now())
	s.Stop = stop
	return run, func() { cancel(); cancelAll() }
}

// json reports whether the output is JSON, and refuses other formats.
func (s *setup) json() (bool, error) {
	switch s.output {
	case "json":
		return true, nil
	case "table":
		return false, nil
	}
	return false, usageError(fmt.Errorf("--output %s: must be table or json", s.output))
}

// load reads the configuration and prints its warnings.
func (s *setup) load(ctx context.Context) (config.Config, error) {
	c, warnings, err := config.Load(ctx, s.config, s.source(s.profile, s.region, s.now))
	if err != nil {
		return c, usageError(err)
	}
	for _, w := range warnings {
		fmt.Fprintln(s.stderr, "ecrclean: configuration:", w)
	}
	return c, nil
}

// request turns the flags into a request of that mode.
func (s *setup) request(c *cobra.Command, mode config.Mode) (config.Request, error) {
	request := config.Request{Mode: mode}
	if !c.Flags().Changed("repositories") {
		return request, nil
	}
	for _, text := range s.repositories {
		if text = strings.TrimSpace(text); text != "" {
			request.Repositories = append(request.Repositories, wildcard.Compile(text))
		}
	}
	if len(request.Repositories) == 0 {
		return request, usageError(errors.New("--repositories is empty and selects nothing; leave it out for every repository"))
	}
	return request, nil
}

// A session is a runner with its registry, ready to run.
type session struct {
	*setup
	cleaner.Runner
	registry function.Registry
	log      *runLog // of --log; nil for none
	// judge returns the error that ends a run that removes, as status does.
	judge func(*cleaner.Report) error
}

// session connects to the registry. The remover is left out: a command that
// removes puts it in.
func (s *setup) session(ctx context.Context, c config.Config, request config.Request, hash string) (*session, error) {
	run, err := c.Narrow(request)
	if err != nil {
		return nil, usageError(err)
	}
	registry, err := s.connector(s.profile, s.region, s.now)(ctx)
	if err != nil {
		return nil, usageError(err)
	}
	runner := registry.Runner(run, s.now)
	runner.ConfigurationHash, runner.RunID, runner.Stop = hash, newRunID(), ctx.Done()
	runner.Log = slog.New(slog.DiscardHandler)
	return &session{setup: s, registry: registry, Runner: runner, judge: status}, nil
}

// finish completes a report after a run.
func (s *session) finish(r *cleaner.Report) {
	r.End, r.Calls = s.End(), s.registry.Calls()
}

// status turns what a report says into the error that ends the program.
func status(r *cleaner.Report) error {
	if !r.Handled() {
		return errUnhandled
	}
	return nil
}

// runError classifies the error of a run.
func runError(err error) error {
	if _, refused := errors.AsType[*cleaner.SavedPlanError](err); refused {
		return usageError(err)
	}
	if _, none := errors.AsType[*config.SelectionError](err); none {
		return usageError(err)
	}
	if _, known := errors.AsType[*statusError](err); known {
		return err
	}
	return failure(err)
}

// supported refuses to apply a configuration that this version cannot honour;
// a plan goes ahead and says what it does without.
func (s *setup) supported(c config.Config, mode config.Mode) error {
	fields := c.Unsupported()
	switch {
	case len(fields) == 0:
		return nil
	case mode == config.Apply:
		return usageError(&config.UnsupportedError{Fields: fields})
	}
	fmt.Fprintf(s.stderr, "ecrclean: this plan does not consider: %s\n", strings.Join(fields, "; "))
	return nil
}

func exactArgs(n int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return usageError(fmt.Errorf("expects %s", what))
		}
		return nil
	}
}
