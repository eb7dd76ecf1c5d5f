package cleaner_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/usage"
)

// An image that comes into use between two batches is kept. Each image is in the report once.
func TestAScanThatAgesBetweenBatchesIsMadeAgain(t *testing.T) {
	t.Parallel()
	images := numbered(300, 9*day)
	w := newFakeRegistry(append(images, image("sha256:old", 9*day, "v1"))...)
	r := newRunner(t, w, scanned)
	made := scans(&r, inuse.Scan{Uses: []inuse.Use{use("v1", "old task")}},
		inuse.Scan{Uses: []inuse.Use{use("v1", "old task"), use("sha256:0200", "new task")}})
	aging(&r, w.Remover(), 2)
	log := &logged{}
	r.Log = log.Logger()
	report := run(t, &r)
	awstest.Equal(t, "left", []string{"sha256:0200", "sha256:old"}, w.Digests("app"))
	awstest.Equal(t, "scans", 2, *made)
	got := report.Totals.Counts
	if n := len(repositoryOf(t, &report, "app").Images); n != 301 || got.Deleted != 299 || got.Protected != 2 || got.Evaluated != 301 {
		t.Errorf("%d images in the report, counts %+v", n, got)
	}
	awstest.Equal(t, "lines in the log", 299, len(log.Outcomes(t)))
}

// A repository without in-use sources needs no scan.
func TestAnOldScanDoesNotMatterToARepositoryWithoutSources(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", 9*day)).Add("free", numbered(250, 9*day)...)
	r := newRunner(t, w, `{"policies": [{"repositories": ["free"], "policy": `+expireOld+`, "protect": {"inUse": []}}, {"policy": `+expireOld+`}],
		"protect": {"inUse": ["ecs"], "tagPatterns": [], "keepNewest": 0, "pulledWithinDays": 0, "pushedWithinHours": 0}}`)
	made := scans(&r, inuse.Scan{})
	aging(&r, w.Remover(), 2)
	r.Workers = 1
	if report := run(t, &r); report.Totals.Deleted != 251 || *made != 1 {
		t.Errorf("%d scans, totals %+v", *made, report.Totals)
	}
}

// An image that ECR refused is tried again only after a new plan with a new scan.
func TestABlockedImageIsNotTriedAgainWithAnOldScan(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", 9*day), image("sha256:b", 9*day))
	r := newRunner(t, w, scanned)
	made := scans(&r, inuse.Scan{}, inuse.Scan{Uses: []inuse.Use{use("sha256:a", "new task")}})
	remover := w.Remover()
	refuse(&remover, "sha256:a", "ImageReferencedByManifestList")
	aging(&r, remover, 1)
	log := &logged{}
	r.Log = log.Logger()
	report := run(t, &r)
	awstest.Equal(t, "outcomes in the report", map[string]string{"sha256:b": "deleted"}, reported(t, &report))
	want := map[string]string{"sha256:a": "blocked: not removed, and then kept by a new plan", "sha256:b": "deleted"}
	awstest.Equal(t, "outcomes in the log, which has no open intent,", want, log.Outcomes(t))
	awstest.Equal(t, "protections", "[inUse new task]", fixture.ProtectedBy(&report)["sha256:a"])
	awstest.Equal(t, "scans", 2, *made)
}

// After a stop during a new plan the report and the log have an outcome for each image.
func TestAStopDuringANewPlan(t *testing.T) {
	t.Parallel()
	for _, during := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			w := newFakeRegistry(numbered(150, 9*day)...)
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
			aging(&r, w.Remover().BeforeDelete(func(string, []string) {
				if !during {
					close(stop)
				}
			}), 1)
			log := &logged{}
			r.Stop, r.Log = stop, log.Logger()
			report := run(t, &r)
			got := repositoryOf(t, &report, "app")
			if got.Skipped != "" || got.Deleted != 100 || got.NotAttempted != 50 || got.Evaluated != 150 {
				t.Errorf("during %t: skipped %q, counts %+v", during, got.Skipped, got.Counts)
			}
			awstest.Equal(t, fmt.Sprintf("during %t: calls", during), []string{"describe", "delete"}, w.Calls)
			wantOutcomes(t, reported(t, &report), &report, log)
		})
	}
}

// The age of a scan counts from its first call. A scan that takes longer than the maximum
// age has failed.
func TestTheAgeOfAScanCountsFromItsFirstCall(t *testing.T) {
	t.Parallel()
	for took, want := range map[time.Duration]struct{ deleted, scans int }{
		usage.MaxScanAge:                   {1, 1},
		usage.MaxScanAge + time.Nanosecond: {0, 1},
	} {
		w := newFakeRegistry(image("sha256:a", 9*day))
		r := newRunner(t, w, scanned)
		clock, made := now, 0
		r.Clock = func() time.Time { return clock }
		r.Scan = func(context.Context) inuse.Scan {
			made++
			at := clock
			clock = clock.Add(took)
			return inuse.Scan{At: at, Counts: map[string]int{"ecs": 0}}
		}
		report := run(t, &r)
		if report.Totals.Deleted != want.deleted || made != want.scans || report.Incomplete != (want.deleted == 0) {
			t.Errorf("a scan that takes %v: %d scans, incomplete %t, totals %+v", took, made, report.Incomplete, report.Totals)
		}
	}
}

// The run ends if every scan is too old when the new plan is ready.
func TestPlanningThatTakesLongerThanAScanMayBeOld(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", 9*day))
	r := newRunner(t, w, scanned)
	scans(&r, inuse.Scan{Counts: map[string]int{"ecs": 0}})
	clock := now
	r.Clock = func() time.Time { return clock }
	scan := r.Scan
	r.Scan = func(ctx context.Context) inuse.Scan {
		defer func() { clock = clock.Add(usage.MaxScanAge) }()
		return scan(ctx)
	}
	r.Log = before(t, func(slog.Record) { clock = clock.Add(time.Second) })
	report := run(t, &r)
	if got := report.Totals; got.Failed != 1 || len(w.Digests("app")) != 1 || !report.Incomplete {
		t.Errorf("totals %+v", got)
	}
}

// A newer scan for another repository does not make a plan younger.
func TestAPlanIsAsOldAsItsOwnScan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newFakeRegistry(numbered(150, 9*day)...).Add("b", image("sha256:b", 9*day))
		r := newRunner(t, w, scanned)
		r.Clock = time.Now
		made := 0
		r.Scan = func(context.Context) inuse.Scan {
			if made++; made == 1 {
				return inuse.Scan{}
			}
			return inuse.Scan{Uses: []inuse.Use{use("sha256:0120", "new task")}}
		}
		r.Registry = w.Reader().BeforeImages(func(repository string) {
			if repository == "b" {
				time.Sleep(usage.MaxScanAge + time.Minute) // and then scans
			}
		})
		r.Remover = w.Remover().BeforeDelete(func(string, []string) { time.Sleep(usage.MaxScanAge + 2*time.Minute) })
		if run(t, &r); !slices.Equal(w.Digests("app"), []string{"sha256:0120"}) {
			t.Errorf("after %d scans left are %v", made, w.Digests("app"))
		}
	})
}

// If no new plan can be made, the remaining images have the reason as their message. They
// are gone only if the repository is.
func TestANewPlanThatFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		listing error
		again   inuse.Scan
		want    string
		handled bool
	}{
		"listing fails":   {errors.New("denied"), inuse.Scan{}, "failed: planning again: denied", false},
		"out of time":     {context.DeadlineExceeded, inuse.Scan{}, "not attempted: planning again: not read completely: the run's time ran out (context deadline exceeded); run again, or allow more time", false},
		"repository gone": {plan.ErrRepositoryNotFound, inuse.Scan{}, "gone: the repository no longer exists", true},
		"scan fails": {
			nil,
			inuse.Scan{Failed: []inuse.Failure{{Source: "ecs", Err: errors.New("denied")}}},
			"failed: planning again: in-use scan: ecs: denied", false,
		},
	} {
		w := newFakeRegistry(numbered(150, 9*day)...)
		r := newRunner(t, w, scanned)
		scans(&r, inuse.Scan{}, test.again)
		reader, listings := w.Reader(), 0
		images := reader.ImagesFunc
		reader.ImagesFunc = func(ctx context.Context, repository string) ([]evaluator.Image, error) {
			if listings++; listings == 2 && test.listing != nil {
				return nil, test.listing
			}
			return images(ctx, repository)
		}
		r.Registry = reader
		aging(&r, w.Remover(), 1)
		log := &logged{}
		r.Log = log.Logger()
		report := run(t, &r)
		got := repositoryOf(t, &report, "app")
		said := map[string]int{}
		for _, im := range got.Images {
			said[strings.TrimSuffix(string(im.Outcome)+": "+im.Message, ": ")]++
		}
		awstest.Equal(t, name+": outcomes", map[string]int{"deleted": 100, test.want: 50}, said)
		if len(w.Digests("app")) != 50 || got.Skipped != "" || report.Handled() != test.handled || len(log.Outcomes(t)) != 150 {
			t.Errorf("%s: skipped %q, handled %t, %d lines in the log", name, got.Skipped, report.Handled(), len(log.Outcomes(t)))
		}
	}
}

// The new plan cannot read the index, which somebody has archived. The old plan read it.
func TestAChildStaysWithAnIndexThatIsArchivedBeforeANewPlan(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(fixture.Index("sha256:i", 9*day), image("sha256:c", 9*day))
	w.Children["sha256:i"] = []string{"sha256:c"}
	r := newRunner(t, w, scanned)
	scans(&r, inuse.Scan{})
	now := fixture.Now
	r.Clock = func() time.Time { return now }
	r.Remover = w.Remover().BeforeDescribe(func(string) {
		if now.After(fixture.Now) {
			return
		}
		now = now.Add(usage.MaxScanAge + time.Second) // the plan grows old, and the index changes
		w.Set("sha256:i", func(im *evaluator.Image) {
			im.Status, im.LastArchivedAt = evaluator.Archived, evaluator.At(fixture.Now)
		})
	})
	report := fixture.RunNamed(t, &r, "sha256:i", "sha256:c")
	awstest.Equal(t, "left", []string{"sha256:c", "sha256:i"}, w.Digests("app"))
	awstest.Equal(t, "outcome of the child", plan.Blocked, outcomes(t, &report)["sha256:c"])
}
