package plan_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
)

// If a tag moves while the pages are listed, two listed images have it.
func TestEveryImageWithATagInUseIsKept(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", 9*day, "v1"), image("sha256:b", 8*day, "v1", "v2"), image("sha256:c", 7*day, "v1"), image("sha256:d", 9*day, "v3"))
	r := newRunner(t, w, scanned)
	scans(&r, inuse.Scan{Uses: []inuse.Use{use("v1", "task")}})
	report := run(t, &r)
	want := map[string]string{"sha256:a": "[inUse task]", "sha256:b": "[inUse task]", "sha256:c": "[inUse task]", "sha256:d": "[]"}
	if diff := cmp.Diff(want, protectedBy(&report)); diff != "" {
		t.Errorf("protections mismatch (-want +got):\n%s", diff)
	}
}

// A tag that several listed images have does not name one of them.
func TestATagOfSeveralImagesNamesNone(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", time.Hour, "v1"), image("sha256:b", time.Hour, "v1"), image("sha256:c", time.Hour, "v2"))
	const want = "the tag v1 is on 2 of the listed images, because it moved while they were listed; run again"
	runner := func() *cleaner.Runner { // each run needs a new scan
		r := newRunner(t, w, scanned)
		scans(&r, inuse.Scan{})
		return &r
	}
	_, err := runner().RunNamed(t.Context(), "app", []string{"v2", "v1"})
	wantError(t, err, want)
	_, err = runner().Explain(t.Context(), "app", "v1")
	wantError(t, err, want)
	if diff := cmp.Diff([]string{"sha256:a", "sha256:b", "sha256:c"}, w.Digests("app")); diff != "" {
		t.Errorf("left mismatch (-want +got):\n%s", diff)
	}
	if e, err := runner().Explain(t.Context(), "app", "sha256:a"); err != nil || e.Image.Digest != "sha256:a" {
		t.Errorf("by digest: %v, %v", e.Image.Digest, err)
	}
}

// If the digest of a reference is not listed, its tag decides.
func TestADigestThatIsNotListedFallsBackToItsTag(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("sha256:a", 9*day, "v1"), image("sha256:b", 8*day, "v1"), image("sha256:c", 7*day, "v2"))
	r := newRunner(t, w, scanned)
	lost := use("sha256:lost", "task")
	lost.Reference.Tag = "v1"
	scans(&r, inuse.Scan{Uses: []inuse.Use{lost, use("sha256:gone", "service")}})
	report := run(t, &r)
	want := map[string]string{"sha256:a": "[inUse task]", "sha256:b": "[inUse task]", "sha256:c": "[]"}
	if diff := cmp.Diff(want, protectedBy(&report)); diff != "" {
		t.Errorf("protections mismatch (-want +got):\n%s", diff)
	}
	const app = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app"
	var got []string
	for _, f := range report.Findings {
		got = append(got, string(f.Kind)+": "+f.Message)
	}
	findings := []string{
		"unlistedReference: task refers to " + app + ":v1@sha256:lost, which is not in the repository; the images with the tag v1 are kept instead",
		"unlistedReference: service refers to " + app + "@sha256:gone, which is not in the repository",
	}
	if diff := cmp.Diff(findings, got); diff != "" {
		t.Errorf("findings mismatch (-want +got):\n%s", diff)
	}
}
