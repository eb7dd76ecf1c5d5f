package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/bench"
)

func planRow(ctx context.Context, o options) (string, bool, error) { return against(ctx, o, false, 30) }

func applyRow(ctx context.Context, o options) (string, bool, error) { return against(ctx, o, true, 15) }

// against compares the function and the tool with the script. Each round runs the three
// programs one after the other and has two ratios. It measures each process from its start
// to its answer or end.
func against(ctx context.Context, o options, remove bool, bound float64) (string, bool, error) {
	names := []string{"script", "bootstrap", "ecrclean"}
	programs := []program{script, function, tool}
	var walls, busy [3][]time.Duration
	var ratios [3][]float64
	var served []time.Duration
	for range o.rounds {
		var runs [3]run
		for i, p := range programs {
			var err error
			if runs[i], err = on(ctx, o, o.size, p, remove); err != nil {
				return "", false, fmt.Errorf("%s: %w", names[i], err)
			}
			if err := sameWork(runs[0], runs[i], o.size); err != nil {
				return "", false, fmt.Errorf("%s: %w", names[i], err)
			}
			walls[i] = append(walls[i], runs[i].wall)
			busy[i] = append(busy[i], runs[i].busy)
			ratios[i] = append(ratios[i], runs[0].wall.Seconds()/runs[i].wall.Seconds())
		}
		served = append(served, runs[1].served)
	}
	figures := []string{fmt.Sprintf("%.1f times (`bootstrap`), %.1f times (`ecrclean`)", median(ratios[1]), median(ratios[2]))}
	for i, name := range names {
		figures = append(figures, fmt.Sprintf("%s %s, CPU %s", name, seconds(median(walls[i])), seconds(median(busy[i]))))
	}
	figures = append(figures, "serving `bootstrap` took CPU "+seconds(median(served)))
	return strings.Join(figures, "; "), min(median(ratios[1]), median(ratios[2])) >= bound, nil
}

// sameWork returns an error unless both programs have the same result.
func sameWork(a, b run, size bench.Size) error {
	if b.evaluated != size.Total() || a.expired != b.expired || a.stats.Digests != b.stats.Digests {
		return fmt.Errorf("evaluated %d, expired %d and left %d images; the script expired %d and left %d",
			b.evaluated, b.expired, b.stats.Images, a.expired, a.stats.Images)
	}
	return nil
}

// memoryBound is the bound for the memory of a plan, in bytes.
const memoryBound = 80e6

// smallest is the smallest memory size of a Lambda function, in MB.
const smallest = 128

func millionRow(ctx context.Context, o options) (string, bool, error) {
	return peaks(ctx, o, o.million, memoryBound, bench.None, bench.Some)
}

func hugeRow(ctx context.Context, o options) (string, bool, error) {
	return peaks(ctx, o, o.huge, memoryBound, bench.None, bench.Some)
}

func hugeAllRow(ctx context.Context, o options) (string, bool, error) {
	return peaks(ctx, o, o.huge, math.MaxInt64, bench.All)
}

// peaks measures plans that mark those shares of the images.
func peaks(ctx context.Context, o options, size bench.Size, bound int64, shares ...bench.Share) (figure string, ok bool, err error) {
	ok = true
	for _, share := range shares {
		done, err := on(ctx, o, size, cleaner(smallest, bench.Policy(size.Images, share)), false)
		if err != nil {
			return "", false, err
		}
		if done.evaluated != size.Total() {
			return "", false, fmt.Errorf("evaluated %d images", done.evaluated)
		}
		figure += fmt.Sprintf("%s in %s with %s marked; ", megabytes(done.peak), seconds(done.wall), share)
		ok = ok && 0 < done.peak && done.peak <= bound
	}
	return figure + fmt.Sprintf("memory size %d MB", smallest), ok, nil
}

func callsRow(ctx context.Context, o options) (string, bool, error) {
	size := o.size
	size.Attached = true
	done, err := on(ctx, o, size, cleaner(templateMemory, `"attached"`), false)
	if err != nil {
		return "", false, err
	}
	pages := func(n int) int { return (n + 999) / 1000 }
	bound := map[string]int{
		"DescribeRegistry": 1, "DescribeRepositories": pages(size.Repositories), "GetLifecyclePolicy": size.Repositories,
		"DescribeImages": size.Repositories * pages(size.Images),
	}
	ok := len(done.stats.Repeats) == 0
	for operation, n := range done.stats.Calls {
		ok = ok && n <= bound[operation]
	}
	repeated := "none twice"
	if len(done.stats.Repeats) > 0 {
		repeated = "twice or more: " + counts(done.stats.Repeats)
	}
	return counts(done.stats.Calls) + "; " + repeated, ok, nil
}

// everything is a configuration with all in-use sources.
const everything = `{"protect": {
  "inUse": ["ecs", "lambda", "eks", "apprunner", "sagemaker", "batch", "codebuild", "bedrock-agentcore", "emr-serverless"],
  "regions": ["us-east-1", "eu-central-1"],
  "accounts": [{"roleArn": "arn:aws:iam::222222222222:role/ecr-cleaner-member", "externalId": "external", "regions": ["eu-west-1", "us-east-1"]}],
  "references": ["s3://bucket/prefix/"], "expect": ["333333333333/eu-west-1"]},
 "policies": [{"name": "attached", "policy": "attached"}]}`

// startRow starts both programs alternately, the function with a configuration unless it is
// "". None gets an event.
func startRow(configuration string, bound float64) func(context.Context, options) (string, bool, error) {
	return func(ctx context.Context, o options) (string, bool, error) {
		return starts(ctx, o, configuration, bound)
	}
}

func starts(ctx context.Context, o options, configuration string, bound float64) (string, bool, error) {
	var ready [2][]time.Duration
	var ratios []float64
	for range o.starts {
		for i, name := range []string{"minimal", "bootstrap"} {
			l, err := invoke(ctx, filepath.Join(o.dir, name), append(isolated(), "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128", "CLEANER_CONFIG="+configuration), "")
			if err != nil {
				return "", false, err
			}
			ready[i] = append(ready[i], l.ready)
		}
		last := len(ready[0]) - 1
		ratios = append(ratios, ready[1][last].Seconds()/ready[0][last].Seconds())
	}
	ratio := median(ratios)
	return fmt.Sprintf("%.2f times; %.1f ms against %.1f ms, %d starts each", ratio,
		median(ready[1]).Seconds()*1000, median(ready[0]).Seconds()*1000, o.starts), ratio <= bound, nil
}

func zipRow(_ context.Context, o options) (figure string, ok bool, err error) {
	ok = true
	for _, arch := range []string{"arm64", "x86_64"} {
		info, err := os.Stat(filepath.Join(o.dir, arch, "cleaner.zip"))
		if err != nil {
			return "", false, err
		}
		figure += fmt.Sprintf("%s %.2f MB; ", arch, float64(info.Size())/1e6)
		ok = ok && (arch != "arm64" || info.Size() <= 5_000_000) // which is the default
	}
	return figure[:len(figure)-len("; ")], ok, nil
}
