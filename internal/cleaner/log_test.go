package cleaner_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// wantOutcomes checks the outcomes in the report and in the log.
func wantOutcomes(t *testing.T, want map[string]string, report *report.Report, log *logged) {
	t.Helper()
	awstest.Equal(t, "outcomes in the report", want, reported(t, report))
	awstest.Equal(t, "outcomes in the log", want, log.Outcomes(t))
}

// Each outcome is in the log once, and equals the one in the report.
func TestEveryOutcomeHasOneLineInTheLog(t *testing.T) {
	t.Parallel()
	images := numbered(120, 9*day)
	images = append(images, index("sha256:index", 9*day), image("sha256:child", 9*day), image("sha256:blocked", 9*day),
		image("sha256:failed", 9*day), image("sha256:tagged", 9*day), image("sha256:gone", 9*day), image("sha256:saved", 9*day), image("sha256:young", time.Hour))
	w := newFakeRegistry(images...)
	w.Children["sha256:index"] = []string{"sha256:child"}
	saved := save(t, w, expireAll)
	w.Set("sha256:saved", func(im *evaluator.Image) { im.Tags = []string{"since"} })
	r := newRunner(t, w, expireAll)
	remover := w.Remover()
	refuse(&remover, "sha256:index", "KmsError")
	refuse(&remover, "sha256:failed", "KmsError")
	refuse(&remover, "sha256:blocked", "ImageReferencedByManifestList")
	log := &logged{}
	r.Registry = fixture.ChangingAfterListing(w)
	r.Remover, r.Log, r.Saved = remover, log.Logger(), saved
	describe := remover.DescribeFunc
	remover.DescribeFunc = func(ctx context.Context, repository string, digests []string) ([]evaluator.Image, error) {
		return slices.DeleteFunc(must(describe(ctx, repository, digests)), func(im evaluator.Image) bool { return im.Digest == "sha256:gone" }), nil
	}
	r.Remover = remover
	report := run(t, &r)
	got := report.Totals
	if got.Deleted != 120+1 || got.Blocked != 2 || got.Failed != 2 || got.Changed != 1 || got.Gone != 1 {
		t.Errorf("totals %+v", got)
	}
	wantOutcomes(t, reported(t, &report), &report, log)
	awstest.Equal(t, "images in the log", 127, len(log.Outcomes(t)))
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
	w := newFakeRegistry(numbered(250, 9*day)...)
	r := newRunner(t, w, expireAll)
	log := &logged{}
	r.Log = log.Logger()
	r.Remover = w.Remover().BeforeDescribe(func(string) {
		awstest.Equal(t, "images in the log, which are the deleted ones,", 250-len(w.Digests("app")), len(log.Outcomes(t)))
	})
	run(t, &r)
}

// Also an image whose re-check fails has an outcome in the log.
func TestARecheckThatFailsIsLogged(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 9*day))
	r := newRunner(t, w, expireAll)
	log := &logged{}
	remover := w.Remover()
	remover.DescribeFunc = func(context.Context, string, []string) ([]evaluator.Image, error) {
		return nil, fmt.Errorf("describe: %w", errors.ErrUnsupported)
	}
	r.Remover, r.Log = remover, log.Logger()
	report := run(t, &r)
	wantOutcomes(t, map[string]string{"a": "failed: re-check: describe: unsupported operation"}, &report, log)
}
