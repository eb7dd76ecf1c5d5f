package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/bench"
	"github.com/ecr-cleaner/ecr-cleaner/bench/accounts"
)

// The bounds of a plan with other accounts. maxScan is the age limit of the in-use scan, and
// maxAnswer leaves room in the 256 KB of an asynchronous invocation's result.
const (
	accountsMemory = 256e6
	maxScan        = 10 * time.Minute
	maxAnswer      = 200_000
)

// The in-use sources of the rows: the default, and all.
var (
	defaultServices = []string{"ecs", "lambda"}
	allServices     = []string{
		"ecs", "lambda", "eks", "apprunner", "sagemaker", "batch", "codebuild", "bedrock-agentcore", "emr-serverless",
	}
)

// accountsRow measures a plan with in-use sources in other accounts. It is an error if the
// plan marks an image in use, does not mark one that nothing can use, or has other failed
// sources than those that the accounts deny.
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
		_, all, err := planned(ctx, o, r, bench.Configuration(policy))
		if err != nil {
			return "", false, err
		}
		l, marked, err := planned(ctx, o, r, o.accounts.Configuration(policy, services...))
		if err != nil {
			return "", false, err
		}
		failed, err := unanswered(l.out, o.accounts.Sources(services...))
		if err != nil {
			return "", false, err
		}
		if want := o.accounts.Failed(services...); !slices.Equal(failed, want) {
			return "", false, fmt.Errorf("%d sources failed: %q; want %q", len(failed), failed, want)
		}
		if err := o.accounts.Check(all, marked); err != nil {
			return "", false, err
		}
		var stats accounts.Stats
		if err := r.get(accounts.StatsPath, &stats); err != nil {
			return "", false, err
		}
		return fmt.Sprintf("%s in %s, CPU %s; %s calls of the sources, %s of them throttled, at most %d at a time, %s connections; %d of %s sources failed; answer %d KB",
				megabytes(l.peak), seconds(l.wall), seconds(l.busy), thousands(stats.Total()), thousands(stats.Throttled), stats.AtATime, thousands(stats.Connections),
				len(failed), thousands(len(o.accounts.Sources(services...))), len(l.out)/1000),
			0 < l.peak && l.peak <= accountsMemory && l.wall <= maxScan && len(l.out) <= maxAnswer, nil
	}
}

// planned runs the function in mode plan, and returns what its log marks.
func planned(ctx context.Context, o options, r *registry, configuration string) (*lambda, accounts.Marked, error) {
	environment := append(r.environment(), "CLEANER_CONFIG="+configuration, fmt.Sprintf("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%d", templateMemory))
	l, err := invoke(ctx, filepath.Join(o.dir, "bootstrap"), environment, `{"mode": "plan"}`)
	if err != nil {
		return nil, nil, err
	}
	marked, err := accounts.MarkedIn(l.log.Bytes())
	return l, marked, err
}

// unanswered returns the sources that are not in the counts of the report.
func unanswered(report []byte, sources []string) ([]string, error) {
	var counts struct{ InUse map[string]int }
	if err := json.Unmarshal(report, &counts); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return slices.DeleteFunc(sources, func(name string) bool { _, answered := counts.InUse[name]; return answered }), nil
}
