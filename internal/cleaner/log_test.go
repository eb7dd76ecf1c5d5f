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
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

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
