package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/bench"
	"github.com/ecr-cleaner/ecr-cleaner/bench/accounts"
)

// A registry is a running load server.
type registry struct {
	url  string
	cmd  *exec.Cmd
	busy time.Duration // of its processors, before the first call
}

// serve starts a load server and waits until it is ready.
func serve(ctx context.Context, o options, size bench.Size) (*registry, error) {
	return serveAccounts(ctx, o, accounts.Scale{Size: size, Regions: 1})
}

// serveAccounts is serve with other accounts around the registry.
func serveAccounts(ctx context.Context, o options, scale accounts.Scale) (*registry, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(o.dir, "loadserver"), "-latency="+o.latency.String(),
		fmt.Sprintf("-repositories=%d", scale.Repositories), fmt.Sprintf("-images=%d", scale.Images),
		fmt.Sprintf("-small=%d", scale.Small), fmt.Sprintf("-attached=%t", scale.Attached),
		fmt.Sprintf("-accounts=%d", scale.Accounts), fmt.Sprintf("-regions=%d", scale.Regions),
		fmt.Sprintf("-denied=%d", scale.Denied), fmt.Sprintf("-throttled=%d", scale.Throttled))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = cmd.Wait() // its standard error has the reason
		return nil, fmt.Errorf("start the load server: %w", err)
	}
	r := &registry{url: strings.TrimSpace(line), cmd: cmd}
	r.busy, err = processorTime(cmd.Process.Pid)
	return r, err
}

// end ends the server and returns its counts and the processor time of its answers.
func (r *registry) end() (stats bench.Stats, busy time.Duration, err error) {
	defer func() {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait() // killed
	}()
	after, err := processorTime(r.cmd.Process.Pid)
	if err != nil {
		return stats, 0, err
	}
	return stats, after - r.busy, r.get(bench.StatsPath, &stats)
}

// get reads an answer in JSON.
func (r *registry) get(path string, into any) error {
	answer, err := http.Get(r.url + path)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	return json.NewDecoder(answer.Body).Decode(into)
}

// environment returns the environment of a program that uses the registry.
func (r *registry) environment() []string {
	return append(isolated(), "AWS_ENDPOINT_URL="+r.url)
}

// isolated returns an environment without an account or a network.
func isolated() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "GOMAXPROCS=2",
		"AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local",
		"AWS_EC2_METADATA_DISABLED=true",
	}
}
