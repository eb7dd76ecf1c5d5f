package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/bench"
	"github.com/ecr-cleaner/ecr-cleaner/bench/accounts"
)

// build builds the programs and returns options for short measurements.
func build(t *testing.T) options {
	t.Helper()
	o := options{
		dir: t.TempDir(), python: "sh", script: "testdata/script.sh", rounds: 1, starts: 1, latency: time.Millisecond, benchtime: time.Millisecond,
		size: bench.Size{Repositories: 2, Images: 20}, million: bench.Size{Repositories: 3, Images: 20}, huge: bench.Size{Repositories: 1, Images: 50},
		accounts: accounts.Scale{Size: bench.Size{Repositories: 1, Images: 50, Small: 4}, Accounts: 3, Regions: 2, Denied: 1},
	}
	for program, pkg := range map[string]string{
		"bootstrap": "./cmd/cleaner", "ecrclean": "./cmd/ecrclean", "loadserver": "./bench/loadserver", "minimal": "./bench/minimal",
	} {
		cmd := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(o.dir, program), pkg)
		cmd.Dir = "../.."
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", pkg, err, out)
		}
	}
	return o
}

func TestRowsMeasure(t *testing.T) {
	t.Parallel()
	o := build(t)
	for name, test := range map[string]struct {
		measure func() (string, bool, error)
		want    string
	}{
		"plan":        {func() (string, bool, error) { return planRow(t.Context(), o) }, "; bootstrap 0."},
		"memory":      {func() (string, bool, error) { return millionRow(t.Context(), o) }, " with 23 % marked; memory size 128 MB"},
		"huge":        {func() (string, bool, error) { return hugeRow(t.Context(), o) }, " with 23 % marked; "},
		"all":         {func() (string, bool, error) { return hugeAllRow(t.Context(), o) }, " with all marked; "},
		"accounts":    {func() (string, bool, error) { return accountsRow(defaultServices)(t.Context(), o) }, "; 6 of 14 sources failed; answer "},
		"calls":       {func() (string, bool, error) { return callsRow(t.Context(), o) }, "2 DescribeImages, 1 DescribeRegistry, 1 DescribeRepositories, 2 GetLifecyclePolicy; none twice"},
		"page":        {func() (string, bool, error) { return pageRow(t.Context(), o) }, " ms against "},
		"allocations": {func() (string, bool, error) { return allocationsRow(t.Context(), o) }, " for 100 images"},
		"evaluate":    {func() (string, bool, error) { return evaluateRow("5", 1.5)(t.Context(), o) }, " times; "},
		"start":       {func() (string, bool, error) { return startRow("", 1.6)(t.Context(), o) }, ", 1 starts each"},
	} {
		t.Run(name, func(t *testing.T) {
			figure, _, err := test.measure()
			if err != nil || !strings.Contains(figure, test.want) {
				t.Errorf("%q, %v; want %q in it", figure, err, test.want)
			}
		})
	}
	// The script of the test removes nothing, so that the remaining images differ.
	t.Run("programs that do not do the same are not compared", func(t *testing.T) {
		figure, _, err := applyRow(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), "the script expired 8 and left 40") {
			t.Errorf("%q, %v; want an error", figure, err)
		}
	})
}

func TestProgramsThatAreNotThereAreErrors(t *testing.T) {
	t.Parallel()
	o := options{dir: t.TempDir(), rounds: 1, starts: 1, size: bench.Size{Repositories: 1, Images: 1}}
	for _, r := range rows() {
		if slices.Contains([]string{"page", "evaluate5", "evaluate50", "allocations"}, r.name) {
			continue // benchmarks of the repository
		}
		if figure, _, err := r.measure(t.Context(), o); err == nil {
			t.Errorf("%s: %q, want an error", r.name, figure)
		}
	}
	loadserver := filepath.Join(o.dir, "loadserver")
	if err := os.WriteFile(loadserver, []byte("#!/bin/sh\necho http://127.0.0.1:1\nexec sleep 9\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := on(t.Context(), o, o.size, script, false); err == nil {
		t.Error("no error for a server that does not answer")
	}
}

func TestReportsThatAreNotWholeAreErrors(t *testing.T) {
	t.Parallel()
	for _, report := range []string{"", `{"incomplete": true}`, `{"totals": {"skipped": 1}}`} {
		if _, err := reported(measured{out: []byte(report)}); err == nil {
			t.Errorf("no error for %q", report)
		}
	}
}

func TestZipsAreMeasured(t *testing.T) {
	t.Parallel()
	o := options{dir: t.TempDir()}
	if _, _, err := zipRow(t.Context(), o); err == nil {
		t.Error("no error without zips")
	}
	for arch, size := range map[string]int64{"arm64": 5_000_000, "x86_64": 5_010_000} {
		name := filepath.Join(o.dir, arch, "cleaner.zip")
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if figure, ok, err := zipRow(t.Context(), o); figure != "arm64 5.00 MB; x86_64 5.01 MB" || !ok || err != nil {
		t.Errorf("%q, %t, %v", figure, ok, err)
	}
}

func TestTableHasTheChosenRows(t *testing.T) {
	t.Parallel()
	o := options{dir: t.TempDir(), rounds: 1, starts: 1, latency: 20 * time.Millisecond, size: bench.Size{Repositories: 1000, Images: 7}}
	var out strings.Builder
	const header = "| what | at least | measured | `make performance` |\n|---|---|---|---|\n"
	if err := table(t.Context(), &out, o, "none"); err != nil || out.String() != header {
		t.Errorf("no row: %v\n%s", err, &out)
	}
	out.Reset()
	err := table(t.Context(), &out, o, "zip|plan")
	if want := "| zip | 5.0 MB | not measured | `ONLY=zip` |\n"; err == nil || !strings.HasSuffix(out.String(), want) || !strings.Contains(out.String(), "plan, 1,000 repositories × 7 images, 20 ms per call, ") {
		t.Errorf("without programs: %v\n%s", err, &out)
	}
	if err := table(t.Context(), &out, o, "("); err == nil {
		t.Error("no error for an expression that is none")
	}
	if err := table(t.Context(), &out, options{}, "none"); err == nil {
		t.Error("no error for no rounds")
	}
}

func TestBenchmarkResultsAreRead(t *testing.T) {
	t.Parallel()
	b := benchmarks{}
	for line := range strings.Lines("goos: linux\nBenchmarkA 10 300 ns/op 5 allocs/op\nBenchmarkB 10 100 ns/op\nBenchmarkA 10 500 ns/op 7 allocs/op\nBenchmarkB 10 250 ns/op\nPASS\n") {
		b.add(strings.Fields(line))
	}
	got, err := b.contest("BenchmarkA", "BenchmarkB")
	if diff := cmp.Diff(contest{500, 250, 3}, got, cmp.AllowUnexported(contest{})); diff != "" || err != nil {
		t.Errorf("contest: %v, mismatch (-want +got):\n%s", err, diff)
	}
	if _, err := b.contest("BenchmarkA", "BenchmarkC"); err == nil {
		t.Error("no error for a benchmark that did not run")
	}
}
