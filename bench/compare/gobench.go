package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// benchmarks has the values of benchmarks by name and unit, one for each round.
type benchmarks map[string]map[string][]float64

const module = "github.com/ecr-cleaner/ecr-cleaner/"

// goBench runs the benchmarks of a package in each round. It runs them on one processor,
// so that their time is processor time.
func goBench(ctx context.Context, o options, pkg, expression string) (benchmarks, error) {
	test := filepath.Join(o.dir, "bench.test")
	if out, err := exec.CommandContext(ctx, "go", "test", "-c", "-o", test, module+pkg).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go test -c %s: %w\n%s", pkg, err, out)
	}
	found := benchmarks{}
	for range o.rounds {
		cmd := exec.CommandContext(ctx, test, "-test.run=^$", "-test.bench="+expression, "-test.benchmem", "-test.benchtime="+o.benchtime.String(), "-test.cpu=1")
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("benchmarks of %s: %w\n%s", pkg, err, out)
		}
		for line := range bytes.Lines(out) {
			found.add(strings.Fields(string(line)))
		}
	}
	return found, nil
}

// add reads a line of results: a name, the number of iterations, and values with units. It
// skips other lines.
func (b benchmarks) add(fields []string) {
	if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
		return
	}
	if b[fields[0]] == nil {
		b[fields[0]] = map[string][]float64{}
	}
	for i := 2; i+1 < len(fields); i += 2 {
		if value, err := strconv.ParseFloat(fields[i], 64); err == nil {
			b[fields[0]][fields[i+1]] = append(b[fields[0]][fields[i+1]], value)
		}
	}
}

// median returns the median of a benchmark's unit.
func (b benchmarks) median(name, unit string) (float64, error) {
	if len(b[name][unit]) == 0 {
		return 0, fmt.Errorf("%s has no %s", name, unit)
	}
	return median(b[name][unit]), nil
}

// A contest compares the times of two benchmarks, in nanoseconds.
type contest struct{ one, other, ratio float64 }

func (b benchmarks) contest(name, other string) (c contest, err error) {
	const unit = "ns/op"
	if c.one, err = b.median(name, unit); err != nil {
		return c, err
	}
	if c.other, err = b.median(other, unit); err != nil {
		return c, err
	}
	ratios := make([]float64, min(len(b[name][unit]), len(b[other][unit])))
	for i := range ratios {
		ratios[i] = b[name][unit][i] / b[other][unit][i]
	}
	c.ratio = median(ratios)
	return c, nil
}

const milli = 1e6 // of nanoseconds

func pageRow(ctx context.Context, o options) (string, bool, error) {
	found, err := goBench(ctx, o, "bench", "^BenchmarkPage$")
	if err != nil {
		return "", false, err
	}
	c, err := found.contest("BenchmarkPage/path=client", "BenchmarkPage/path=sdk")
	return fmt.Sprintf("1/%.1f; %.2f ms against %.2f ms", 1/c.ratio, c.one/milli, c.other/milli), c.ratio <= 0.25, err
}

func evaluateRow(rules string, bound float64) func(context.Context, options) (string, bool, error) {
	return func(ctx context.Context, o options) (string, bool, error) {
		found, err := goBench(ctx, o, "internal/evaluator", "^Benchmark(Evaluate|SortByPush)$/^images=100000(,rules="+rules+")?$")
		if err != nil {
			return "", false, err
		}
		c, err := found.contest("BenchmarkEvaluate/images=100000,rules="+rules, "BenchmarkSortByPush/images=100000")
		return fmt.Sprintf("%.2f times; %.1f ms against %.1f ms", c.ratio, c.one/milli, c.other/milli), c.ratio <= bound, err
	}
}

// allocationsRow counts the allocations for many and for few images.
func allocationsRow(ctx context.Context, o options) (string, bool, error) {
	found, err := goBench(ctx, o, "internal/evaluator", "^BenchmarkEvaluate$/^images=(100|100000),rules=5$")
	if err != nil {
		return "", false, err
	}
	few, err := found.median("BenchmarkEvaluate/images=100,rules=5", "allocs/op")
	if err != nil {
		return "", false, err
	}
	many, err := found.median("BenchmarkEvaluate/images=100000,rules=5", "allocs/op")
	return fmt.Sprintf("%.0f, and %.0f for 100 images", many, few), many <= few+5, err
}
