package plan_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// expireUntagged expires untagged images older than a day.
const expireUntagged = `{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}, "action": {"type": "expire"}}]}`

// verdicts returns the action and the protection of each planned image, by digest.
func verdicts(plan *plan.Plan) map[string]string {
	by := map[string]string{}
	for _, im := range plan.Images {
		by[im.Digest] = string(im.Action)
		for _, p := range im.ProtectedBy {
			by[im.Digest] += ", " + p.String()
		}
	}
	return by
}

func TestRelatedImagesOfAKeptImageAreKept(t *testing.T) {
	t.Parallel()
	cosign := "sha256-" + strings.Repeat("a", 64)
	for name, test := range map[string]struct {
		images   []evaluator.Image
		children map[string][]string
		config   string
		want     map[string]string
	}{
		"children of an index": {
			[]evaluator.Image{index("i", 2*day, "v1"), image("c", 3*day), image("other", 3*day)},
			map[string][]string{"i": {"c", "not listed"}},
			withPolicy(expireUntagged, ""),
			map[string]string{"c": "expire, child i", "other": "expire"},
		},
		"children of a protected index": {
			[]evaluator.Image{index("i", 2*day, "latest"), image("c", 3*day)},
			map[string][]string{"i": {"c"}},
			`{"policies": [{"policy": ` + expireOld + `}], "protect": {"inUse": [], "keepNewest": 0}}`,
			map[string]string{"i": "expire, tagPatterns latest", "c": "expire, child i"},
		},
		"referrers of an image": {
			[]evaluator.Image{image("s", 2*day, "v1"), withSubject(image("sig", 2*day), "s"), withSubject(image("orphan", 2*day), "gone")},
			nil,
			withPolicy(expireUntagged, ""),
			map[string]string{"sig": "expire, subject s", "orphan": "expire, orphan gone"},
		},
		"orphans only if they may be deleted": {
			[]evaluator.Image{image("s", 2*day, "v1"), withSubject(image("sig", 2*day), "s"), withSubject(image("orphan", 2*day), "gone")},
			nil,
			withPolicy(expireUntagged, `, "orphans": "delete"`),
			map[string]string{"sig": "expire, subject s", "orphan": "expire"},
		},
		"signatures by tag": {
			[]evaluator.Image{image("sha256:"+strings.Repeat("a", 64), time.Hour, "v1"), image("sig", 2*day, cosign+".sig")},
			nil,
			withPolicy(expireOld, ""),
			map[string]string{"sig": "expire, subject sha256:" + strings.Repeat("a", 64)},
		},
		"possible children of an unreadable index": {
			[]evaluator.Image{index("i", 2*day, "v1"), image("older", 3*day), image("newer", 2*day-time.Second)},
			nil,
			withPolicy(expireUntagged, ""),
			map[string]string{"older": "expire, unreadableIndex i", "newer": "expire, unreadableIndex i"},
		},
	} {
		w := newFakeRegistry(test.images...)
		w.Children = test.children
		plan := mustPlan(t, w, test.config)
		if diff := cmp.Diff(test.want, verdicts(&plan)); diff != "" {
			t.Errorf("%s: verdicts mismatch (-want +got):\n%s", name, diff)
		}
	}
}

func TestRelatedImagesFollowTheLastThatReferencesThem(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(
		index("dead", 3*day, "dead-1"), image("own", 3*day), image("shared", 3*day), image("named", 3*day, "amd64"),
		index("live", 2*day, "v2"), withSubject(image("sig", time.Hour), "own"))
	w.Children = map[string][]string{"dead": {"own", "shared", "named"}, "live": {"shared"}}
	p := mustPlan(t, w, withPolicy(expireDead, ""))
	want := map[string]string{"dead": "expire", "own": "follow", "sig": "follow"}
	if diff := cmp.Diff(want, verdicts(&p)); diff != "" {
		t.Errorf("verdicts mismatch (-want +got):\n%s", diff)
	}
	for _, im := range p.Images {
		if im.Action == plan.Follow && (im.Reason != "no other image references it; deleted with dead" || im.Rule != 0) {
			t.Errorf("%s: rule %d, reason %q", im.Digest, im.Rule, im.Reason)
		}
	}
	r := newRunner(t, w, withPolicy(expireDead, ""))
	report := run(t, &r)
	if got := report.Totals; got.Expired != 1 || got.Followed != 2 || got.Deleted != 3 {
		t.Errorf("totals %+v, want 1 expired, 2 followed and 3 deleted", got)
	}
	if diff := cmp.Diff([]string{"live", "named", "shared"}, w.Digests("app")); diff != "" {
		t.Errorf("left mismatch (-want +got):\n%s", diff)
	}
}

func TestARetainedImageDoesNotFollow(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(index("dead", 3*day, "dead-1"), image("own", 3*day))
	w.Children = map[string][]string{"dead": {"own"}}
	retaining := strings.Replace(expireDead, `"rules": [`,
		`"rules": [{"rulePriority": 9, "selection": {"tagStatus": "untagged"}, "action": {"type": "retain"}}, `, 1)
	plan := mustPlan(t, w, withPolicy(retaining, ""))
	if diff := cmp.Diff(map[string]string{"dead": "expire"}, verdicts(&plan)); diff != "" {
		t.Errorf("verdicts mismatch (-want +got):\n%s", diff)
	}
}

func TestUntaggingIsPlannedAndRemovesNoImage(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(image("a", 3*day, "dead-1", "v1"), image("b", 3*day, "dead-2"))
	text := withPolicy(strings.Replace(expireDead, "expire", "untag", 1), "")
	plan := mustPlan(t, w, text)
	if diff := cmp.Diff(map[string]string{"a": "untag"}, verdicts(&plan)); diff != "" {
		t.Errorf("verdicts mismatch (-want +got):\n%s", diff)
	}
	r := newRunner(t, w, text)
	report := run(t, &r)
	if got := report.Totals; got.Untagged != 1 || got.TagsRemoved != 1 || got.Expired+got.Deleted != 0 || got.ReclaimableBytes != 0 {
		t.Errorf("totals %+v, want 1 that lost tags", got)
	}
	if diff := cmp.Diff([]string{"a", "b"}, w.Digests("app")); diff != "" {
		t.Errorf("left mismatch (-want +got):\n%s", diff)
	}
}

func TestFollowersCountInLimits(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int]plan.SkipCode{2: plan.SkipLimit, 3: ""} {
		w := newFakeRegistry(index("dead", 3*day, "dead-1"), image("a", 3*day), image("b", 3*day), image("kept", 3*day, "v1"))
		w.Children = map[string][]string{"dead": {"a", "b"}}
		r := newRunner(t, w, withPolicy(expireDead, fmt.Sprintf(`, "limits": {"maxDeletionsPerRepository": %d}`, limit)))
		report := run(t, &r)
		if got := report.Repositories[0].Skipped; got != want {
			t.Errorf("limit %d: skipped %q, want %q", limit, got, want)
		}
	}
}

// If the listing lacks the media type of an image, its manifest tells whether it is an
// index. If the manifest cannot be read, the image may be an index.
func TestAnImageWithoutAMediaTypeMayBeAnIndex(t *testing.T) {
	t.Parallel()
	untyped := image("sha256:i", 9*day)
	untyped.ManifestMediaType = ""
	for name, test := range map[string]struct {
		answer func(plan.Reading) plan.Reading
		want   []string // to be kept
	}{
		"an index": {func(r plan.Reading) plan.Reading {
			r.Children, r.Failed = map[string][]string{"sha256:i": {"sha256:c"}}, nil
			return r
		}, []string{"sha256:c", "sha256:i"}},
		"no index": {func(r plan.Reading) plan.Reading {
			r.Failed = []plan.Failure{{Digest: "sha256:i", Code: plan.CodeNoIndex}}
			return r
		}, []string{"sha256:c"}},
		"not read": {func(r plan.Reading) plan.Reading {
			r.Failed = []plan.Failure{{Digest: "sha256:i", Code: "KmsError"}}
			return r
		}, []string{"sha256:c", "sha256:i"}},
	} {
		w := newFakeRegistry(untyped, image("sha256:c", 9*day))
		r := newRunner(t, w, scanned)
		r.Registry = answering{w.Reader(), test.answer}
		scans(&r, inuse.Scan{Uses: []inuse.Use{use("sha256:c", "task")}})
		report := run(t, &r)
		if got := w.Digests("app"); !slices.Equal(got, test.want) || report.Incomplete != (name == "not read") {
			t.Errorf("%s: left %v, want %v; findings %v", name, got, test.want, report.Findings)
		}
	}
}

// answering is a registry with its own answer to requests for manifests.
type answering struct {
	reader
	answer func(plan.Reading) plan.Reading
}

func (a answering) Children(ctx context.Context, repository string, indexes []string) (plan.Reading, error) {
	reading, err := a.reader.Children(ctx, repository, indexes)
	return a.answer(reading), err
}
