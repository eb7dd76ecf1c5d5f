package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/bench"
)

// A run is the result of one program on a fresh registry.
type run struct {
	measured
	stats  bench.Stats
	served time.Duration // processor time of the registry
	// evaluated and expired are from the report of the program.
	evaluated, expired int
}

// A program plans or applies on a registry.
type program func(ctx context.Context, o options, r *registry, remove bool) (run, error)

// on runs a program on a fresh registry.
func on(ctx context.Context, o options, size bench.Size, p program, remove bool) (run, error) {
	r, err := serve(ctx, o, size)
	if err != nil {
		return run{}, err
	}
	done, err := p(ctx, o, r, remove)
	stats, served, endErr := r.end()
	done.stats, done.served = stats, served
	return done, errors.Join(err, endErr)
}

// script is a script as people write it today.
func script(ctx context.Context, o options, r *registry, remove bool) (run, error) {
	args := []string{o.script, "--days", strconv.Itoa(bench.UntaggedDays), "--keep", strconv.Itoa(bench.Keep(o.size.Images))}
	if remove {
		args = append(args, "--apply")
	}
	cmd := exec.CommandContext(ctx, o.python, args...)
	cmd.Env = r.environment()
	m, err := measure(cmd)
	if err != nil {
		return run{}, err
	}
	var said struct{ Evaluated, Expired int }
	err = json.Unmarshal(m.out, &said)
	return run{measured: m, evaluated: said.Evaluated, expired: said.Expired}, err
}

// tool is ecrclean.
func tool(ctx context.Context, o options, r *registry, remove bool) (run, error) {
	args := []string{"plan", "--output", "json"}
	if remove {
		args = []string{"apply", "--yes", "--output", "json"}
	}
	cmd := exec.CommandContext(ctx, filepath.Join(o.dir, "ecrclean"), args...)
	cmd.Env = append(r.environment(), "CLEANER_CONFIG="+bench.Configuration(bench.Policy(o.size.Images, bench.Some)))
	m, err := measure(cmd)
	if err != nil {
		return run{}, err
	}
	return reported(m)
}

// cleaner is the function with a memory size in MB, a policy and a mode.
func cleaner(memory int, policy string) program {
	return func(ctx context.Context, o options, r *registry, remove bool) (run, error) {
		event := `{"mode": "plan"}`
		if remove {
			event = `{"mode": "apply"}`
		}
		environment := append(r.environment(), "CLEANER_CONFIG="+bench.Configuration(policy),
			fmt.Sprintf("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%d", memory))
		l, err := invoke(ctx, filepath.Join(o.dir, "bootstrap"), environment, event)
		if err != nil {
			return run{}, err
		}
		return reported(l.measured)
	}
}

// templateMemory is the memory size of the template.
const templateMemory = 256

func function(ctx context.Context, o options, r *registry, remove bool) (run, error) {
	return cleaner(templateMemory, bench.Policy(o.size.Images, bench.Some))(ctx, o, r, remove)
}

// reported reads the totals of a report.
func reported(m measured) (run, error) {
	var report struct {
		Incomplete bool
		Totals     struct{ Evaluated, Expired, Skipped int }
	}
	if err := json.Unmarshal(m.out, &report); err != nil {
		return run{}, fmt.Errorf("report: %w", err)
	}
	if report.Incomplete || report.Totals.Skipped > 0 {
		return run{}, fmt.Errorf("report: incomplete, or some of it skipped: %+v", report.Totals)
	}
	return run{measured: m, evaluated: report.Totals.Evaluated, expired: report.Totals.Expired}, nil
}
