package cleaner_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config/selected"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

func TestRunReportsInTheOrderOfTheListing(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry().Add("z").Add("a").Add("m/x")
	r := newRunner(t, w, expireAll)
	r.Registry = fixture.Slowest(w.Reader(), "app")
	report := run(t, &r)
	var got []string
	for _, repository := range report.Repositories {
		got = append(got, repository.Name)
	}
	awstest.Equal(t, "repositories", []string{"app", "z", "a", "m/x"}, got)
}

func TestRunSelectsRepositories(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry().Add("team-a/x").Add("team-a/cache").Add("team-b/y").Add("unknown")
	r := newRunner(t, w, `{"repositories": {"include": ["team-*", "unknown"], "exclude": ["*/cache"]},
		"policies": [{"repositories": ["team-a/*"], "policy": "none"}, {"repositories": ["team-b/*"]}]}`)
	report := run(t, &r)
	want := map[string]plan.SkipCode{"team-a/x": plan.SkipNone, "team-b/y": plan.SkipNoPolicy, "unknown": plan.SkipNotConfigured}
	awstest.Equal(t, "skipped", want, skips(&report))
	if report.Totals.Repositories != 3 || report.Totals.Skipped != 3 || report.Incomplete || !report.Handled() {
		t.Errorf("totals %+v, incomplete %t, handled %t", report.Totals, report.Incomplete, report.Handled())
	}
}

func isSelectionError(err error) bool {
	_, is := errors.AsType[*selected.Error](err)
	return is
}

// A request for repositories that do not exist does nothing.
func TestRunRefusesARequestThatSelectsNothing(t *testing.T) {
	t.Parallel()
	for name, requested := range map[string][]string{"not there": {"app", "apo"}, "excluded": {"app", "secret"}} {
		w := newFakeRegistry(image("a", 9*day)).Add("secret", image("b", 9*day))
		r := newRunner(t, w, `{"repositories": {"exclude": ["secret"]}, `+expireAll[1:])
		for _, text := range requested {
			r.Config.Repositories.Requested = append(r.Config.Repositories.Requested, wildcard.Compile(text))
		}
		if report, err := r.Run(t.Context()); !isSelectionError(err) || len(report.Repositories) > 0 || len(w.Digests("app")) != 1 {
			t.Errorf("%s: %v, report %+v", name, err, report)
		}
	}
}

func TestRunThatOnlyPlansRemovesNothing(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 2*day))
	r := newRunner(t, w, `{"mode": "apply", `+expireAll[1:]) // the remover decides, not the configuration
	r.Remover = nil
	report := run(t, &r)
	if report.Mode != config.Plan || report.Totals.Expired != 1 || report.Totals.Deleted != 0 || len(w.Images["app"]) != 1 {
		t.Errorf("mode %s, totals %+v", report.Mode, report.Totals)
	}
	awstest.Equal(t, "outcome of a plan", plan.Outcome(""), outcomes(t, &report)["a"])
}

// After a failure in one repository the run continues with the others.
func TestRunGoesOnAfterFailures(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 2*day)).Add("unreadable", image("a", 2*day)).Add("gone", image("a", 2*day)).
		Add("undeletable", image("a", 2*day)).Add("last", image("a", 2*day))
	reader, remover := w.Reader(), w.Remover()
	images, remove := reader.ImagesFunc, remover.DeleteFunc
	reader.ImagesFunc = func(ctx context.Context, repository string) ([]evaluator.Image, error) {
		switch repository {
		case "unreadable":
			return []evaluator.Image{image("a", 2*day)}, errors.New("describe images: denied")
		case "gone":
			return nil, plan.ErrRepositoryNotFound
		}
		return images(ctx, repository)
	}
	remover.DeleteFunc = func(ctx context.Context, repository string, digests []string) (apply.Deletion, error) {
		if repository == "undeletable" {
			return apply.Deletion{}, errors.New("delete images: denied")
		}
		return remove(ctx, repository, digests)
	}
	r := newRunner(t, w, expireAll)
	r.Registry, r.Remover = reader, remover
	report := run(t, &r)
	want := map[string]plan.SkipCode{"unreadable": plan.SkipFailed, "gone": plan.SkipGone}
	awstest.Equal(t, "skipped", want, skips(&report))
	if got := report.Totals; got.Deleted != 2 || got.Failed != 1 || got.Repositories != 5 || got.Skipped != 2 {
		t.Errorf("totals %+v, want 2 deleted and 1 failed", got)
	}
	if !report.Incomplete || report.Handled() {
		t.Error("a run with failures counts as handled")
	}
	awstest.Equal(t, "message", "describe images: denied", repositoryOf(t, &report, "unreadable").Message)
}

func TestRunNeedsTheWholeListOfRepositories(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 2*day))
	reader := w.Reader()
	cut := errors.New("cut short")
	reader.RepositoriesFunc = func(context.Context) ([]plan.Repository, error) {
		return []plan.Repository{{Name: "app", RegistryID: fixture.Account}}, cut
	}
	r := newRunner(t, w, expireAll)
	r.Registry = reader
	if _, err := r.Run(t.Context()); !errors.Is(err, cut) {
		t.Errorf("Run: %v, want the error", err)
	}
	if len(w.Calls) > 0 {
		t.Errorf("the calls %v are made", w.Calls)
	}
}

func TestRunOfAnEmptyRegistry(t *testing.T) {
	t.Parallel()
	r := newRunner(t, &fakeRegistry{}, expireAll)
	report := run(t, &r)
	if got := fixture.ToJSON(t, report.Repositories); got != "[]" || report.Account != "" || report.Incomplete {
		t.Errorf("repositories %s, account %q, incomplete %t", got, report.Account, report.Incomplete)
	}
}

func TestRunStartsNoRepositoryAfterItsStop(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 2*day)).Add("b", image("a", 2*day)).Add("c", image("a", 2*day))
	stop := make(chan struct{})
	r := newRunner(t, w, expireAll)
	r.Stop, r.Workers = stop, 1
	r.Registry = w.Reader().BeforeImages(func(repository string) {
		if repository == "b" {
			close(stop)
		}
	})
	report := run(t, &r)
	awstest.Equal(t, "skipped", map[string]plan.SkipCode{"c": plan.SkipDeadline}, skips(&report))
	awstest.Equal(t, "message", "not started: the run's time ran out; run again, or allow more time", repositoryOf(t, &report, "c").Message)
	if len(w.Digests("c")) != 1 || !report.Incomplete {
		t.Errorf("incomplete %t, left %v", report.Incomplete, w.Digests("c"))
	}
}

func TestRunWithACancelledContextRemovesNothing(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 2*day)).Add("b", image("a", 2*day))
	ctx, cancel := context.WithCancel(t.Context())
	reader := w.Reader()
	reader.ImagesFunc = func(ctx context.Context, _ string) ([]evaluator.Image, error) {
		cancel()
		return nil, ctx.Err()
	}
	r := newRunner(t, w, expireAll)
	r.Registry = reader
	report, err := r.Run(ctx)
	if err != nil || len(skips(&report)) != 2 || !report.Incomplete {
		t.Errorf("Run = %+v, %v; want two failed repositories", report, err)
	}
	if slices.Contains(w.Calls, "delete") {
		t.Errorf("calls %v", w.Calls)
	}
}

func TestRunBoundsTheRepositoriesInFlight(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry()
	for i := range 40 {
		w.Add("r" + string(rune('a'+i)))
	}
	var inFlight, most atomic.Int32
	reader := w.Reader()
	reader.ImagesFunc = func(context.Context, string) ([]evaluator.Image, error) {
		n := inFlight.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			continue
		}
		time.Sleep(100 * time.Microsecond)
		inFlight.Add(-1)
		return nil, nil
	}
	r := newRunner(t, w, expireAll)
	r.Registry, r.Workers = reader, 3
	run(t, &r)
	if n := most.Load(); n > 3 {
		t.Errorf("%d repositories in flight, want at most 3", n)
	}
}

// Two runs on the same registry differ only in times and IDs.
func TestRunIsDeterministic(t *testing.T) {
	t.Parallel()
	report := func(workers int) string {
		w := newFakeRegistry(numbered(30, 2*day)...)
		for _, name := range []string{"b", "c", "d", "e"} {
			images := numbered(20, 2*day)
			images = append(images, index("i-"+name, 3*day, "v1"))
			w.Add(name, images...)
			w.Children["i-"+name] = []string{"sha256:0001", "sha256:0002"}
		}
		r := newRunner(t, w, `{"policies": [{"policy": `+expireOld+`}], "limits": {"maxDeletions": 60}, "protect": {"inUse": [], "tagPatterns": ["v*"]}}`)
		r.Workers = workers
		return fixture.ToJSON(t, run(t, &r))
	}
	want := report(1)
	for i := range 20 {
		if got := report(1 + i%8); got != want {
			t.Fatalf("reports differ:\n%s\n%s", want, got)
		}
	}
}

// The log alone says which images were removed, and why.
func TestRunLogsEveryImageAndEveryRepository(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 2*day, "v1", "v2"), image("b", 3*day), image("young", time.Hour)).Add("none")
	remover := w.Remover()
	refuse(&remover, "b", "KmsError")
	r := newRunner(t, w, expireAll)
	var log bytes.Buffer
	r.Remover, r.Log, r.Workers = remover, slog.New(slog.NewJSONHandler(&log, nil)), 1
	run(t, &r)
	var got []map[string]any
	for line := range strings.Lines(log.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		delete(fields, "time")
		got = append(got, fields)
	}
	intentLine := func(digest, tags, pushed, reason string) map[string]any {
		return map[string]any{
			"level": "INFO", "msg": "intent", "run_id": "run-1", "repository": "app", "policy": "old", "digest": digest, "tags": tags, "pushed_at": pushed,
			"size_in_bytes": 100., "verdict": "expire", "untag": "", "rule_priority": 1., "reason": reason, "attempt": 1.,
		}
	}
	imageLine := func(level, digest, tags, pushed, outcome, message, reason string) map[string]any {
		line := intentLine(digest, tags, pushed, reason)
		delete(line, "attempt")
		maps.Copy(line, map[string]any{"level": level, "msg": "image", "protected_by": "", "outcome": outcome, "unconfirmed": false, "message": message})
		return line
	}
	repositoryLine := func(level, name string, evaluated, expired, deleted, failed float64) map[string]any {
		return map[string]any{
			"level": level, "msg": "repository", "run_id": "run-1", "repository": name, "policy": "old", "evaluated": evaluated, "expired": expired,
			"transitioned": 0., "protected": 0., "deleted": deleted, "archived": 0., "blocked": 0., "changed": 0., "gone": 0.,
			"failed": failed, "unknown": 0., "not_attempted": 0., "skipped": "", "message": "",
		}
	}
	want := []map[string]any{
		intentLine("b", "", "2026-02-26T12:00:00Z", "pushed 3d ago, limit 1d"),
		intentLine("a", "v1 v2", "2026-02-27T12:00:00Z", "pushed 2d ago, limit 1d"),
		imageLine("ERROR", "b", "", "2026-02-26T12:00:00Z", "failed", "KmsError", "pushed 3d ago, limit 1d"),
		imageLine("INFO", "a", "v1 v2", "2026-02-27T12:00:00Z", "deleted", "", "pushed 2d ago, limit 1d"),
		repositoryLine("ERROR", "app", 3, 2, 1, 1),
		repositoryLine("INFO", "none", 0, 0, 0, 0),
	}
	awstest.Equal(t, "log", want, got)
}

func TestRunCountsItsRepositories(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry().Add("a").Add("b")
	r := newRunner(t, w, `{"repositories": {"include": ["a", "b"]}}`)
	r.Progress = &cleaner.Progress{}
	for range 2 { // the second run counts anew
		run(t, &r)
		handled, all := r.Progress.Counts()
		awstest.Equal(t, "handled, all", [2]int{2, 2}, [2]int{handled, all})
	}
	_, _, err := r.Assign(t.Context())
	handled, all := r.Progress.Counts()
	awstest.Equal(t, "handled, all of Assign, also of excluded ones", [2]int{3, 3}, [2]int{handled, all})
	awstest.NoError(t, err)
}
