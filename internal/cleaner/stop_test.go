package cleaner_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
)

const notAttempted = "not attempted: the run was stopped before it"

// A logged is a log of which the lines about images can be read.
type logged struct{ bytes.Buffer }

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewJSONHandler(&l.Buffer, nil)) }

// outcomes returns outcome and message of each line about an image, by digest.
// A second line on the same image is an error.
func (l *logged) outcomes(t *testing.T) map[string]string {
	t.Helper()
	by := map[string]string{}
	for line := range strings.Lines(l.String()) {
		var fields struct{ Msg, Digest, Outcome, Message string }
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		if fields.Msg != "image" {
			continue
		}
		if first, twice := by[fields.Digest]; twice {
			t.Errorf("%s is in the log twice: %s, and %s: %s", fields.Digest, first, fields.Outcome, fields.Message)
		}
		by[fields.Digest] = strings.TrimSuffix(fields.Outcome+": "+fields.Message, ": ")
	}
	return by
}

// reported returns outcome and message of each image of the repository "app"
// that has one.
func reported(t *testing.T, report *cleaner.Report) map[string]string {
	t.Helper()
	by := map[string]string{}
	for _, im := range repositoryOf(t, report, "app").Images {
		if im.Outcome != "" {
			by[im.ImageDigest] = strings.TrimSuffix(string(im.Outcome)+": "+im.Message, ": ")
		}
	}
	return by
}

// wantOutcomes checks that log and report say the same of every image.
func wantOutcomes(t *testing.T, want map[string]string, report *cleaner.Report, log *logged) {
	t.Helper()
	if diff := cmp.Diff(want, reported(t, report)); diff != "" {
		t.Errorf("outcomes in the report mismatch (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, log.outcomes(t)); diff != "" {
		t.Errorf("outcomes in the log mismatch (-want +got):\n%s", diff)
	}
}

// Whoever interrupts a run wants to know what it did.
func TestACallUnderWayIsSeenToItsEnd(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]string{"deleted": expireOld, "archived": archiveOld} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(index("i", 9*day), image("a", 9*day))
			w.children["i"] = []string{"a"}
			ctx, cancel := context.WithCancel(t.Context())
			r := newRunner(t, w, `{"policies": [{"policy": `+policy+`}], `+unprotected+`}`)
			log := &logged{}
			r.Remover, r.Log = slowly(t, w, cancel), log.logger()
			report, err := r.Run(ctx)
			if err != nil || !report.Incomplete || report.Handled() {
				t.Errorf("incomplete %t, %v", report.Incomplete, err)
			}
			wantOutcomes(t, map[string]string{"i": name, "a": notAttempted}, &report, log)
			if got := report.Totals; got.NotAttempted != 1 || got.Deleted+got.Archived != 1 || slices.Index(w.calls, name[:6]) == 0 {
				t.Errorf("totals %+v", got)
			}
		})
	}
}

// slowly returns a remover of the world whose removing calls are interrupted
// and take a second all the same.
func slowly(t *testing.T, w *world, interrupt func()) remover {
	t.Helper()
	r := w.remover()
	remove, archive := r.delete, r.archive
	wait := func(ctx context.Context) {
		interrupt()
		synctest.Wait()
		time.Sleep(time.Second)
		if ctx.Err() != nil {
			t.Error("the context of a removing call is done")
		}
	}
	r.delete = func(ctx context.Context, repository string, digests []string) (cleaner.Deletion, error) {
		wait(ctx)
		return remove(ctx, repository, digests)
	}
	r.archive = func(ctx context.Context, repository, digest string) error {
		wait(ctx)
		return archive(ctx, repository, digest)
	}
	return r
}

// Its answer may be lost on top of that.
func TestOfACallUnderWayItIsAskedWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(image("a", 9*day), image("b", 9*day))
		ctx, cancel := context.WithCancel(t.Context())
		r := newRunner(t, w, expireAll)
		remover := w.remover()
		remover.delete = func(_ context.Context, repository string, _ []string) (cleaner.Deletion, error) {
			w.take("delete", repository, []string{"a"})
			cancel()
			return cleaner.Deletion{}, errUnanswered
		}
		describe := remover.describe
		remover.describe = func(ctx context.Context, repository string, digests []string) ([]evaluator.Image, error) {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return describe(ctx, repository, digests)
		}
		log := &logged{}
		r.Remover, r.Log = remover, log.logger()
		report, err := r.Run(ctx)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcomes(t, map[string]string{
			"a": "deleted: unconfirmed: delete: no answer, but not there any more", "b": "failed: delete: no answer",
		}, &report, log)
	})
}

// After throttling there is nothing to ask.
func TestAStopEndsAPause(t *testing.T) {
	t.Parallel()
	for _, stopping := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(image("a", 9*day))
			ctx, cancel := context.WithCancel(t.Context())
			stop := make(chan struct{})
			r := newRunner(t, w, expireAll)
			remover := w.remover()
			failing(&remover, 1000, errThrottled, func(call int) {
				if call == 6 && stopping {
					close(stop)
				} else if call == 6 {
					cancel()
				}
			})
			log := &logged{}
			r.Remover, r.Log, r.Stop = remover, log.logger(), stop
			start := time.Now()
			report, err := r.Run(ctx)
			cancel()
			if took := time.Since(start); err != nil || took > 16*time.Second {
				t.Errorf("it takes %v, %v", took, err)
			}
			wantOutcomes(t, map[string]string{"a": notAttempted}, &report, log)
			if n := len(w.calls); n != 6 {
				t.Errorf("%d descriptions, want one before each attempt", n)
			}
		})
	}
}

func TestAStopBetweenBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(numbered(250, 9*day)...)
		stop := make(chan struct{})
		r := newRunner(t, w, expireAll)
		remover := w.remover()
		remove := remover.delete
		remover.delete = func(ctx context.Context, repository string, digests []string) (cleaner.Deletion, error) {
			if slices.Contains(w.calls, "delete") {
				close(stop)
				synctest.Wait()
			}
			return remove(ctx, repository, digests)
		}
		log := &logged{}
		r.Remover, r.Log, r.Stop = remover, log.logger(), stop
		report := run(t, &r)
		if want := []string{"describe", "delete", "describe", "delete"}; !slices.Equal(w.calls, want) {
			t.Errorf("calls %v, want %v", w.calls, want)
		}
		if got := report.Totals; got.Deleted != 200 || got.NotAttempted != 50 || !report.Incomplete {
			t.Errorf("totals %+v, incomplete %t", got, report.Incomplete)
		}
		wantOutcomes(t, reported(t, &report), &report, log)
	})
}

func TestNothingIsRemovedAfterAStop(t *testing.T) {
	t.Parallel()
	w := newWorld(image("a", 9*day))
	stop := make(chan struct{})
	reader := w.registry()
	images := reader.images
	reader.images = func(ctx context.Context, repository string) ([]evaluator.Image, error) {
		close(stop) // while the plan is made
		return images(ctx, repository)
	}
	r := newRunner(t, w, expireAll)
	r.Registry, r.Stop = reader, stop
	report := run(t, &r)
	if report.Totals.NotAttempted != 1 || len(w.calls) > 0 {
		t.Errorf("totals %+v, calls %v", report.Totals, w.calls)
	}
}

// aging makes the runner's clock pass the age of a scan at the n-th removing
// call.
func aging(r *cleaner.Runner, remover remover, at int) {
	clock, calls := now, 0
	remove := remover.delete
	remover.delete = func(ctx context.Context, repository string, digests []string) (cleaner.Deletion, error) {
		if calls++; calls == at {
			clock = clock.Add(cleaner.MaxScanAge + time.Second)
		}
		return remove(ctx, repository, digests)
	}
	r.Remover, r.Clock = remover, func() time.Time { return clock }
}

// What has come into use between two batches is spared, and each image is in
// the report once.
func TestAScanThatAgesBetweenBatchesIsMadeAgain(t *testing.T) {
	t.Parallel()
	images := numbered(300, 9*day)
	w := newWorld(append(images, image("sha256:old", 9*day, "v1"))...)
	r := newRunner(t, w, scanned)
	made := scans(&r, inuse.Scan{Uses: []inuse.Use{use("v1", "old task")}},
		inuse.Scan{Uses: []inuse.Use{use("v1", "old task"), use("sha256:0200", "new task")}})
	aging(&r, w.remover(), 2)
	log := &logged{}
	r.Log = log.logger()
	report := run(t, &r)
	if diff := cmp.Diff([]string{"sha256:0200", "sha256:old"}, w.digests("app")); diff != "" || *made != 2 {
		t.Errorf("%d scans, left mismatch (-want +got):\n%s", *made, diff)
	}
	got := report.Totals.Counts
	if n := len(repositoryOf(t, &report, "app").Images); n != 301 || got.Deleted != 299 || got.Protected != 2 || got.Evaluated != 301 {
		t.Errorf("%d images in the report, counts %+v", n, got)
	}
	if len(log.outcomes(t)) != 299 {
		t.Errorf("%d lines in the log", len(log.outcomes(t)))
	}
}

// What relies on no scan does not wait for one.
func TestAScanThatAgesDoesNotMatterToWhoDoesNotRelyOnIt(t *testing.T) {
	t.Parallel()
	w := newWorld(image("sha256:a", 9*day)).add("free", numbered(250, 9*day)...)
	r := newRunner(t, w, `{"policies": [{"repositories": ["free"], "policy": `+expireOld+`, "protect": {"inUse": []}}, {"policy": `+expireOld+`}],
		"protect": {"inUse": ["ecs"], "tagPatterns": [], "keepNewest": 0, "pulledWithinDays": 0, "pushedWithinHours": 0}}`)
	made := scans(&r, inuse.Scan{})
	aging(&r, w.remover(), 2)
	r.Workers = 1
	if report := run(t, &r); report.Totals.Deleted != 251 || *made != 1 {
		t.Errorf("%d scans, totals %+v", *made, report.Totals)
	}
}

// What ECR refuses is tried again by a plan with a new scan, not by the old one.
func TestWhatIsBlockedIsNotTriedAgainWithAnOldScan(t *testing.T) {
	t.Parallel()
	w := newWorld(image("sha256:a", 9*day), image("sha256:b", 9*day))
	r := newRunner(t, w, scanned)
	made := scans(&r, inuse.Scan{}, inuse.Scan{Uses: []inuse.Use{use("sha256:a", "new task")}})
	remover := w.remover()
	refuse(&remover, "sha256:a", "ImageReferencedByManifestList")
	aging(&r, remover, 1)
	log := &logged{}
	r.Log = log.logger()
	report := run(t, &r)
	wantOutcomes(t, map[string]string{"sha256:b": "deleted"}, &report, log)
	if got := protectedBy(&report)["sha256:a"]; got != "[inUse new task]" || *made != 2 {
		t.Errorf("%d scans, protected by %s", *made, got)
	}
}

// A stop that comes while a scan is too old leaves nothing unsaid.
func TestAStopWhileItIsPlannedAgain(t *testing.T) {
	t.Parallel()
	for _, during := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(numbered(150, 9*day)...)
			r := newRunner(t, w, scanned)
			stop := make(chan struct{})
			made := 0
			scans(&r, inuse.Scan{})
			scan := r.Scan
			r.Scan = func(ctx context.Context) inuse.Scan {
				if made++; made == 2 {
					close(stop)
				}
				return scan(ctx)
			}
			remover := w.remover()
			remove := remover.delete
			remover.delete = func(ctx context.Context, repository string, digests []string) (cleaner.Deletion, error) {
				if !during {
					close(stop)
				}
				return remove(ctx, repository, digests)
			}
			aging(&r, remover, 1)
			log := &logged{}
			r.Stop, r.Log = stop, log.logger()
			report := run(t, &r)
			got := repositoryOf(t, &report, "app")
			if got.Skipped != "" || got.Deleted != 100 || got.NotAttempted != 50 || got.Evaluated != 150 {
				t.Errorf("during %t: skipped %q, counts %+v", during, got.Skipped, got.Counts)
			}
			if !slices.Equal(w.calls, []string{"describe", "delete"}) {
				t.Errorf("during %t: calls %v", during, w.calls)
			}
			wantOutcomes(t, reported(t, &report), &report, log)
		})
	}
}

// A scan that takes longer than it may be old is new when it ends.
func TestTheAgeOfAScanCountsFromItsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(image("sha256:a", 9*day))
	r := newRunner(t, w, scanned)
	clock, made := now, 0
	r.Clock = func() time.Time { return clock }
	r.Scan = func(context.Context) inuse.Scan {
		made++
		at := clock
		clock = clock.Add(2 * cleaner.MaxScanAge)
		return inuse.Scan{At: at}
	}
	if report := run(t, &r); report.Totals.Deleted != 1 || made != 1 {
		t.Errorf("%d scans, totals %+v", made, report.Totals)
	}
}

// Whatever becomes of an image, and whenever, is in the log once and as in the
// report.
func TestEveryOutcomeHasOneLineInTheLog(t *testing.T) {
	t.Parallel()
	images := numbered(120, 9*day)
	images = append(images, index("sha256:index", 9*day), image("sha256:child", 9*day), image("sha256:blocked", 9*day),
		image("sha256:failed", 9*day), image("sha256:tagged", 9*day), image("sha256:gone", 9*day), image("sha256:saved", 9*day), image("sha256:young", time.Hour))
	w := newWorld(images...)
	w.children["sha256:index"] = []string{"sha256:child"}
	saved := save(t, w, expireAll)
	w.set("sha256:saved", func(im *evaluator.Image) { im.Tags = []string{"since"} })
	r := newRunner(t, w, expireAll)
	remover := w.remover()
	refuse(&remover, "sha256:index", "KmsError")
	refuse(&remover, "sha256:failed", "KmsError")
	refuse(&remover, "sha256:blocked", "ImageReferencedByManifestList")
	log := &logged{}
	r.Registry = spoilAfterListing{w.registry(), w}
	r.Remover, r.Log, r.Saved = remover, log.logger(), saved
	describe := remover.describe
	remover.describe = func(ctx context.Context, repository string, digests []string) ([]evaluator.Image, error) {
		return slices.DeleteFunc(must(describe(ctx, repository, digests)), func(im evaluator.Image) bool { return im.Digest == "sha256:gone" }), nil
	}
	r.Remover = remover
	report := run(t, &r)
	got := report.Totals
	if got.Deleted != 120+1 || got.Blocked != 2 || got.Failed != 2 || got.Changed != 1 || got.Gone != 1 {
		t.Errorf("totals %+v", got)
	}
	wantOutcomes(t, reported(t, &report), &report, log)
	if n := len(log.outcomes(t)); n != 127 {
		t.Errorf("%d images in the log, want 127", n)
	}
}

func must(images []evaluator.Image, err error) []evaluator.Image {
	if err != nil {
		panic(err)
	}
	return images
}

// The lines of a batch are in the log before the next one begins.
func TestTheLogIsWrittenAfterEachCall(t *testing.T) {
	t.Parallel()
	w := newWorld(numbered(250, 9*day)...)
	r := newRunner(t, w, expireAll)
	log := &logged{}
	r.Log = log.logger()
	remover := w.remover()
	describe := remover.describe
	remover.describe = func(ctx context.Context, repository string, digests []string) ([]evaluator.Image, error) {
		if n, want := len(log.outcomes(t)), 250-len(w.digests("app")); n != want {
			t.Errorf("%d images are in the log, %d are deleted", n, want)
		}
		return describe(ctx, repository, digests)
	}
	r.Remover = remover
	run(t, &r)
}

// The unanswered question is settled as well.
func TestARecheckThatFailsIsLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(image("a", 9*day))
	r := newRunner(t, w, expireAll)
	log := &logged{}
	remover := w.remover()
	remover.describe = func(context.Context, string, []string) ([]evaluator.Image, error) {
		return nil, fmt.Errorf("describe: %w", errors.ErrUnsupported)
	}
	r.Remover, r.Log = remover, log.logger()
	report := run(t, &r)
	wantOutcomes(t, map[string]string{"a": "failed: re-check: describe: unsupported operation"}, &report, log)
}

// What another repository has learned meanwhile is not in the plan.
func TestAPlanIsAsOldAsItsOwnScan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(numbered(150, 9*day)...).add("b", image("sha256:b", 9*day))
		r := newRunner(t, w, scanned)
		r.Clock = time.Now
		made := 0
		r.Scan = func(context.Context) inuse.Scan {
			if made++; made == 1 {
				return inuse.Scan{}
			}
			return inuse.Scan{Uses: []inuse.Use{use("sha256:0120", "new task")}}
		}
		reader, remover := w.registry(), w.remover()
		images, remove := reader.images, remover.delete
		reader.images = func(ctx context.Context, repository string) ([]evaluator.Image, error) {
			if repository == "b" {
				time.Sleep(cleaner.MaxScanAge + time.Minute) // and then scans
			}
			return images(ctx, repository)
		}
		remover.delete = func(ctx context.Context, repository string, digests []string) (cleaner.Deletion, error) {
			time.Sleep(cleaner.MaxScanAge + 2*time.Minute)
			return remove(ctx, repository, digests)
		}
		r.Registry, r.Remover = reader, remover
		if run(t, &r); !slices.Equal(w.digests("app"), []string{"sha256:0120"}) {
			t.Errorf("after %d scans left are %v", made, w.digests("app"))
		}
	})
}
