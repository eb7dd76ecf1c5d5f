// Command compare measures the figures of docs/performance.md and prints its table in
// Markdown. It runs the programs alternately: the function, the command-line tool, a script
// as people write it today, and a handler with only the ECR client. Every figure is the
// median of several repetitions. The table marks a figure that misses its bound.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/bench"
	"github.com/ecr-cleaner/ecr-cleaner/bench/accounts"
)

// options are the flags.
type options struct {
	dir, python, script string
	rounds, starts      int
	latency, benchtime  time.Duration
	size                bench.Size
	million, huge       bench.Size
	accounts            accounts.Scale
}

// A row is one line of the table.
type row struct {
	name, what, bound string
	// measure returns the text of the figure, and whether the figure is within the bound.
	measure func(context.Context, options) (figure string, ok bool, err error)
}

func rows() []row {
	return []row{
		{"plan", "plan, {size}, {latency} per call, 2 cores, against the script people write today", "30 times faster", planRow},
		{"apply", "apply on the same, about 23 % deleted, re-check included, against the script deleting without a re-check", "15 times faster", applyRow},
		{"page", "CPU per page of 1,000 images, client path in process (request to image values), against the plain SDK path", "1/4", pageRow},
		{"evaluate5", "`Evaluate`, 100,000 images, 5 rules, against sorting the same images by push time", "1.5 times", evaluateRow("5", 1.5)},
		{"evaluate50", "the same, 50 rules", "5 times", evaluateRow("50", 5)},
		{"allocations", "allocations of `Evaluate`, 100,000 images", "O(rules) and the result", allocationsRow},
		{"million", "peak resident memory of `bootstrap`, plan of {million}", "80 MB", millionRow},
		{"huge", "the same, {huge}", "80 MB", hugeRow},
		{"hugeall", "the same, all of them to go", "no bound", hugeAllRow},
		{"accounts", "peak resident memory of `bootstrap`, {accounts}", "256 MB, 600 s", accountsRow(defaultServices)},
		{"accountsall", "the same, all services", "256 MB, 600 s", accountsRow(accounts.Services)},
		{"calls", "calls of a plan without indexes, {size}, each with an attached policy", "1 per 1,000 images, 1 per attached policy, 1 per 1,000 repositories, 1 DescribeRegistry; none twice", callsRow},
		{"start", "start of `bootstrap` to its first request for work, against a handler with only the ECR client", "1.6 times", startRow("", 1.6)},
		{"startall", "the same, with every service, accounts, Regions and lists of references configured", "1.7 times", startRow(everything, 1.7)},
		{"zip", "zip", "5.0 MB", zipRow},
	}
}

func main() {
	o := options{
		million: bench.Size{Repositories: 1000, Images: 1000}, huge: bench.Size{Repositories: 1, Images: 100_000},
		accounts: accounts.Scale{
			Size: bench.Size{Repositories: 1, Images: 100_000, Small: 20}, Accounts: 200, Regions: 3, Denied: 4, Throttled: 5,
		},
	}
	flag.StringVar(&o.dir, "dir", "dist/bench", "where bootstrap, minimal, ecrclean, loadserver and zips/ are")
	flag.StringVar(&o.python, "python", "python3", "Python that has boto3")
	flag.StringVar(&o.script, "script", "bench/baseline.py", "the script to compare with")
	flag.IntVar(&o.rounds, "rounds", 5, "repetitions of a comparison")
	flag.IntVar(&o.starts, "starts", 41, "starts of each program")
	flag.DurationVar(&o.benchtime, "benchtime", 500*time.Millisecond, "time for each benchmark")
	flag.DurationVar(&o.latency, "latency", 20*time.Millisecond, "time that each call takes")
	flag.IntVar(&o.size.Repositories, "repositories", 100, "repositories of a comparison")
	flag.IntVar(&o.size.Images, "images", 1000, "images in each")
	only := flag.String("only", "", "only rows whose name matches this expression")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := table(ctx, os.Stdout, o, *only)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

// table measures and prints the rows.
func table(ctx context.Context, w io.Writer, o options, only string) error {
	if o.rounds < 1 || o.starts < 1 {
		return errors.New("-rounds and -starts must be at least 1")
	}
	chosen, err := regexp.Compile("^(?:" + cmp.Or(only, ".*") + ")$")
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "| what | at least | measured | `make performance` |\n|---|---|---|---|")
	var failed error
	for _, r := range rows() {
		if !chosen.MatchString(r.name) {
			continue
		}
		figure, ok, err := r.measure(ctx, o)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", r.name, err))
			figure = "not measured"
		} else if !ok {
			figure = "**missed**: " + figure
		}
		fmt.Fprintf(w, "| %s | %s | %s | `ONLY=%s` |\n", o.words(r.what), r.bound, figure, r.name)
	}
	return failed
}
