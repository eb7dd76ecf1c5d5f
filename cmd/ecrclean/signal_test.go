package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/audit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// The first signal lets the call under way end, and no other begin.
func TestASignalEndsApplyAfterTheCallUnderWay(t *testing.T) {
	t.Parallel()
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP) // else what runs under nohup hands on that it is ignored
	for name, sent := range map[string]syscall.Signal{"SIGINT": syscall.SIGINT, "SIGTERM": syscall.SIGTERM, "SIGHUP": syscall.SIGHUP} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			registry := fakeecr.New()
			fill(registry, "app", 151)
			p := prepare(t, registry, "apply", "--yes", "--output", "json", "--log", "log")
			registry.Before("BatchDeleteImage", func() { p.interrupt(sent) })
			if status := p.run(t); status != exit.Incomplete {
				t.Errorf("%s ended with %d", p, status)
			}
			report := p.report(t)
			if got := report.Totals; got.Deleted != 100 || got.NotAttempted != 50 || !report.Incomplete {
				t.Errorf("incomplete is %t, totals %+v", report.Incomplete, got)
			}
			awstest.Equal(t, "images that are left", 51, len(registry.Images("app")))
			awstest.Equal(t, "BatchDeleteImage calls", 1, registry.Calls()["BatchDeleteImage"])
			if got := p.audited(t, "log"); got.Totals != (audit.Totals{Deleted: 100, NotAttempted: 50}) || !got.Finished || got.ID != report.RunID {
				t.Errorf("audit says run %s, finished %t, %+v", got.ID, got.Finished, got.Totals)
			}
			p.wantSaid(t, "ecrclean: "+sent.String()+" signal received; finishing 1 delete call; press Ctrl-C again to quit now\n",
				"ecrclean: incomplete: 1 repository failed or was skipped: app\n")
		})
	}
}

// A table, too, says what was not attempted; delete is as apply.
func TestASignalBeforeTheCallEndsDeleteWithoutIt(t *testing.T) {
	t.Parallel()
	registry := fakeecr.New()
	fill(registry, "app", 0)
	digest := registry.Put("app", fakeecr.Image{Tags: []string{"v1"}})
	p := prepare(t, registry, "delete", "app", "v1", "--yes", "--log", "log", "--config", `{"protect": {"inUse": [], "keepNewest": 0, "pushedWithinHours": 0}}`)
	registry.Before("DescribeImages", once(2, func() { p.end(syscall.SIGTERM) })) // the re-check
	if status := p.run(t); status != exit.Incomplete || len(registry.Images("app")) != 1 {
		t.Errorf("%s ended with %d, and %s is gone or not: %v", p, status, digest, registry.Images("app"))
	}
	awstest.Contains(t, p.out.String(), "deleted     0 images; not done: 1 not attempted\n")
	awstest.Equal(t, "BatchDeleteImage calls", 0, registry.Calls()["BatchDeleteImage"])
}

// The second signal ends the program as if it knew no signals; what was under way is in the log.
func TestASecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	registry := fakeecr.New()
	fill(registry, "app", 3)
	p := prepare(t, registry, "apply", "--yes", "--log", "log")
	registry.Before("BatchDeleteImage", func() {
		p.interrupt(syscall.SIGINT)
		_ = p.Process.Signal(syscall.SIGTERM) // without it the call goes on, and the status tells
		<-p.ended
	})
	status := p.run(t)
	if state, ok := p.ProcessState.Sys().(syscall.WaitStatus); status != -1 || !ok || state.Signal() != syscall.SIGTERM {
		t.Errorf("%s ended with %d: %v", p, status, p.ProcessState)
	}
	if got := p.audited(t, "log"); got.Totals != (audit.Totals{Unknown: 2}) || got.Finished {
		t.Errorf("audit says finished %t, %+v", got.Finished, got.Totals)
	}
}

// A plan that is cut short is shown and not saved, because the older file may be complete.
func TestASignalEndsAPlan(t *testing.T) {
	t.Parallel()
	registry := fakeecr.New()
	fill(registry, "app", 3)
	fill(registry, "web", 3)
	p := prepare(t, registry, "plan", "--out", "plan.json", "--output", "json")
	awstest.NoError(t, os.WriteFile(filepath.Join(p.Dir, "plan.json"), []byte("older"), 0o600))
	registry.Before("DescribeImages", once(1, func() { p.end(syscall.SIGTERM) }))
	p.Env = append(p.Env, "CLEANER_CONCURRENCY=1")
	if status := p.run(t); status != exit.Incomplete {
		t.Errorf("%s ended with %d", p, status)
	}
	for _, r := range p.report(t).Repositories {
		if r.Skipped != plan.SkipInterrupted || !strings.HasSuffix(r.Message, ": terminated signal received") {
			t.Errorf("%s: %q, %q", r.Name, r.Skipped, r.Message)
		}
	}
	awstest.Equal(t, "older plan", "older", p.file(t, "plan.json"))
	p.wantSaid(t, "ecrclean: plan.json is not written: the plan is not complete\n")
}

// Before anything is removed the words are plain, whatever was waited for.
func TestASignalBeforeAnythingIsRemoved(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		// at is the call during which the signal comes; it is the question if there is none.
		at   string
		want []string
	}{
		"apply, listing":  {[]string{"apply", "--yes"}, "DescribeRepositories", []string{"ecrclean: nothing was removed: interrupt signal received\n"}},
		"apply, planning": {[]string{"apply"}, "DescribeImages", []string{"ecrclean: nothing was removed: interrupt signal received\n"}},
		"apply, asking":   {[]string{"apply"}, "", []string{"\nNothing was removed.\n", "ecrclean: not done: interrupt signal received\n"}},
		"delete, asking":  {[]string{"delete", "app", "v1"}, "", []string{"\nNothing was removed.\n", "ecrclean: not done: interrupt signal received\n"}},
		"detach, asking":  {[]string{"attach", "--detach"}, "", []string{"\nNothing was changed.\n", "ecrclean: not done: interrupt signal received\n"}},
		"plan, listing":   {[]string{"plan"}, "DescribeRepositories", []string{"ecrclean: not done: interrupt signal received\n"}},
		"explain":         {[]string{"explain", "app", "v1"}, "DescribeImages", []string{"ecrclean: not done: interrupt signal received\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			registry := fakeecr.New()
			fill(registry, "app", 2)
			registry.Put("app", fakeecr.Image{Tags: []string{"v1"}})
			registry.SetLifecyclePolicy("app", keepOne("x"))
			p := prepare(t, registry, append(test.args, "--config", `{"protect": {"inUse": [], "keepNewest": 0, "pushedWithinHours": 0}}`)...)
			p.Stdin = silence(t)
			if test.at != "" {
				registry.Before(test.at, once(1, func() { p.end(syscall.SIGINT) }))
			} else {
				go func() {
					p.errors.await("Type yes to go on: ")
					p.interrupt(syscall.SIGINT)
				}()
			}
			if status := p.run(t); status != exit.Failed || p.out.Len() > 0 {
				t.Errorf("%s ended with %d, standard output %q", p, status, &p.out)
			}
			p.wantSaid(t, test.want...)
			if n := len(registry.Images("app")); n != 3 || registry.LifecyclePolicy("app") == "" {
				t.Errorf("%d images are left, the policy is %q", n, registry.LifecyclePolicy("app"))
			}
		})
	}
}

// A fault ends no program without a word, or as if the command line were wrong.
func TestAPanicIsAFailure(t *testing.T) {
	t.Parallel()
	var out, errs strings.Builder
	e := env.Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Getenv: func(string) string { panic("fault") }}
	status := run(t.Context(), e, []string{"plan"})
	if status != exit.Failed || !strings.HasPrefix(errs.String(), "ecrclean: the program is faulty: fault; please report it with the following lines\ngoroutine ") {
		t.Errorf("status %d, error stream\n%s", status, &errs)
	}
}

// A command that calls nobody does not wait for its input either.
func TestASignalEndsTheWaitForInput(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"convert"}, {"check", "-"}, {"audit", "-"}, {"invoke", "-"}, {"attach", "--policy", "-"}} {
		t.Run(args[0], func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			var out, errs strings.Builder
			e := env.Env{Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" }}
			e.Stdin = reader(func([]byte) (int, error) {
				cancel(errors.New("enough"))
				<-t.Context().Done() // longer than the test
				return 0, io.EOF
			})
			if status := run(ctx, e, args); status != exit.Failed || out.Len() > 0 || errs.String() != "ecrclean: not done: enough\n" {
				t.Errorf("status %d, standard output %q, error stream %q", status, &out, &errs)
			}
		})
	}
}

type reader func([]byte) (int, error)

func (r reader) Read(text []byte) (int, error) { return r(text) }
