package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/bench"
	"github.com/ecr-cleaner/ecr-cleaner/bench/accounts"
)

// The bounds of a plan with other accounts. maxScan is the age limit of the in-use scan.
// maxAnswer leaves room in the 256 KB for the result of an asynchronous invocation.
const (
	accountsMemory = 256e6
	maxScan        = 10 * time.Minute
	maxAnswer      = 200_000
)

// defaultServices are the in-use sources of the default configuration.
var defaultServices = []string{"ecs", "lambda"}

// accountsRow measures a plan with in-use sources in other accounts. A plan that marks or
// keeps other images than it should is an error.
func accountsRow(services []string) func(context.Context, options) (string, bool, error) {
	return func(ctx context.Context, o options) (figure string, ok bool, err error) {
		r, err := serveAccounts(ctx, o, o.accounts)
		if err != nil {
			return "", false, err
		}
		defer func() {
			_, _, endErr := r.end()
			err = errors.Join(err, endErr)
		}()
		policy := bench.Policy(o.accounts.Images, bench.Some)
		_, without, err := planned(ctx, o, r, bench.Configuration(policy))
		if err != nil {
			return "", false, err
		}
		l, with, err := planned(ctx, o, r, o.accounts.Configuration(policy, services...))
		if err != nil {
			return "", false, err
		}
		if err := o.accounts.Check(without, with, services...); err != nil {
			return "", false, err
		}
		var stats accounts.Stats
		if err := r.get(accounts.StatsPath, &stats); err != nil {
			return "", false, err
		}
		return fmt.Sprintf("%s in %s, CPU %s; %s calls of the sources, %s of them throttled, at most %d at a time, %s connections; %d of %s sources failed; answer %d KB",
				megabytes(l.peak), seconds(l.wall), seconds(l.busy), thousands(stats.Total()), thousands(stats.Throttled), stats.AtATime, thousands(stats.Connections),
				len(with.Failed), thousands((o.accounts.Places()+1)*len(services)), len(l.out)/1000),
			0 < l.peak && l.peak <= accountsMemory && l.wall <= maxScan && len(l.out) <= maxAnswer, nil
	}
}

// planned runs the function in mode plan, and returns what its log says.
func planned(ctx context.Context, o options, r *registry, configuration string) (*lambda, accounts.Outcome, error) {
	environment := append(r.environment(), "CLEANER_CONFIG="+configuration, fmt.Sprintf("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%d", templateMemory))
	l, err := invoke(ctx, filepath.Join(o.dir, "bootstrap"), environment, `{"mode": "plan"}`)
	if err != nil {
		return nil, accounts.Outcome{}, err
	}
	outcome, err := accounts.ReadLog(l.log.Bytes())
	return l, outcome, err
}
