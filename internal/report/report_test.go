package report_test

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

var update = flag.Bool("update", false, "rewrite testdata/report.json")

// one returns a registry and a runner on it in which every count of a report but
// untagged is not zero.
func one(t *testing.T) cleaner.Runner {
	t.Helper()
	archived := withStatus(image("sha256:refused", 9*day, "old"), evaluator.Archived)
	w := newFakeRegistry(
		index("sha256:index", 9*day, "dead-1"), image("sha256:child", 9*day), image("sha256:changed", 9*day, "dead-2"),
		image("sha256:gone", 9*day, "dead-3"), image("sha256:failed", 9*day, "dead-4"), image("sha256:blocked", 9*day, "dead-5"), image("sha256:unknown", 9*day, "dead-7"),
		pulled(image("sha256:used", 9*day, "dead-6", "latest"), day), restored(image("sha256:young", 99*day, "v1"), time.Hour), archived).
		Add("archive", image("sha256:a", 9*day, "v1")).Add("tags", image("sha256:a", 9*day, "dead-1", "v1")).Add("none").Add("big", image("sha256:a", 9*day), image("sha256:b", 9*day)).Add("late", image("sha256:a", 9*day))
	w.Children["sha256:index"] = []string{"sha256:child"}
	r := newRunner(t, w, `{"policies": [
		{"name": "dead", "repositories": ["app"], "policy": `+expireDead+`},
		{"name": "archive", "repositories": ["archive"], "policy": `+archiveOld+`},
		{"name": "untag", "repositories": ["tags"], "policy": `+strings.Replace(expireDead, "expire", "untag", 1)+`},
		{"name": "none", "repositories": ["none"], "policy": "none"},
		{"name": "big", "policy": `+expireOld+`, "limits": {"maxDeletionsPerRepository": 1}}],
		"protect": {"inUse": ["ecs"], "keepNewest": 0, "pulledWithinDays": 0, "pushedWithinHours": 0}}`)
	scans(&r, inuse.Scan{Counts: map[string]int{"ecs": 1}, Uses: []inuse.Use{use("sha256:used", "arn:aws:ecs:eu-west-1:123456789012:task/x")}})
	remover := w.Remover()
	refuse(&remover, "sha256:failed", "KmsError")
	refuse(&remover, "sha256:blocked", "ImageReferencedByManifestList")
	remove := remover.DeleteFunc
	remover.DeleteFunc = func(ctx context.Context, repository string, digests []string) (apply.Deletion, error) {
		rest := slices.DeleteFunc(slices.Clone(digests), func(digest string) bool { return digest == "sha256:unknown" })
		return remove(ctx, repository, rest) // and does not mention that image
	}
	stop := make(chan struct{})
	describe := remover.DescribeFunc
	remover.DescribeFunc = func(ctx context.Context, repository string, digests []string) ([]evaluator.Image, error) {
		if repository == "late" {
			close(stop)
			<-ctx.Done()
		}
		return describe(ctx, repository, digests)
	}
	r.Remover = remover
	r.Registry, r.Stop, r.Workers = changingAfterListing(w), stop, 1
	return r
}

// The file is an example of the public contract.
func TestReportHasTheDocumentedShape(t *testing.T) {
	t.Parallel()
	r := one(t)
	report := run(t, &r)
	report.Configuration = "sha256:of the configuration"
	report.End, report.Calls = now.Add(time.Minute), map[string]int{"DescribeImages": 4, "BatchDeleteImage": 2}
	got, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	const name = "testdata/report.json"
	if *update {
		if err := os.WriteFile(name, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("report mismatch (-want +got), rewrite with -update:\n%s", diff)
	}
}

// The report has the documented fields and those of a saved plan, and no other.
func TestReportHasTheDocumentedFields(t *testing.T) {
	t.Parallel()
	counts := "evaluated expired transitioned untagged followed protected deleted archived blocked changed gone failed unknown notAttempted tagsRemoved reclaimableBytes deletedBytes"
	for _, test := range []struct {
		of   any
		want string
	}{
		{report.Report{}, "version runId mode account region start end incomplete totals repositories calls" +
			" configuration inUse findings omitted"},
		{report.Repository{}, "name policy attachedPolicy skipped images message " + counts},
		{report.Totals{}, "repositories skipped attachedPolicies " + counts},
		{report.Image{}, "imageDigest imageTags verdict appliedRulePriority reason onExpire untag protectedBy outcome" +
			" message imageStatus imagePushedAt lastRecordedPullTime lastActivatedAt childrenPulledAt manifestReadFrom manifestReadTo imageSizeInBytes"},
		{plan.Protection{}, "kind by"},
		{finding.Finding{}, "kind repository message"},
		{report.Omitted{}, "repositories images findings"},
	} {
		got, want := fields(reflect.TypeOf(test.of)), sorted(strings.Fields(test.want))
		if diff := cmp.Diff(want, sorted(got)); diff != "" {
			t.Errorf("fields of %T mismatch (-want +got):\n%s", test.of, diff)
		}
	}
}

// fields returns the JSON names of the fields of a struct.
func fields(of reflect.Type) []string {
	var names []string
	for f := range of.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous:
			names = append(names, fields(f.Type)...)
		case name != "-":
			names = append(names, name)
		}
	}
	return names
}

func TestTotalsAreTheSums(t *testing.T) {
	t.Parallel()
	r := one(t)
	rep := run(t, &r)
	sum := reflect.ValueOf(&report.Counts{}).Elem()
	for _, repository := range rep.Repositories {
		for i := range sum.NumField() {
			sum.Field(i).SetInt(sum.Field(i).Int() + reflect.ValueOf(repository.Counts).Field(i).Int())
		}
	}
	if diff := cmp.Diff(sum.Interface(), rep.Totals.Counts); diff != "" {
		t.Errorf("totals mismatch (-sum +totals):\n%s", diff)
	}
	got := rep.Totals
	got.Counts = report.Counts{}
	if want := (report.Totals{Repositories: 6, Skipped: 2}); got != want {
		t.Errorf("totals %+v, want %+v", got, want)
	}
	for i := range sum.NumField() {
		if name := sum.Type().Field(i).Name; sum.Field(i).Int() == 0 {
			t.Errorf("this test says nothing about %s", name)
		}
	}
}

// Each planned image is counted once by its verdict and at most once by its
// outcome.
func TestCountsAddUpToTheImages(t *testing.T) {
	t.Parallel()
	r := one(t)
	rep := run(t, &r)
	for _, repository := range rep.Repositories {
		c := repository.Counts
		if n := c.Expired + c.Transitioned + c.Untagged + c.Followed + c.Protected; n != len(repository.Images) {
			t.Errorf("%s: %d by verdict, %d images", repository.Name, n, len(repository.Images))
		}
		settled := slices.DeleteFunc(slices.Clone(repository.Images), func(im report.Image) bool { return im.Outcome == "" })
		if n := c.TagsRemoved + c.Deleted + c.Archived + c.Blocked + c.Changed + c.Gone + c.Failed + c.Unknown + c.NotAttempted; n != len(settled) {
			t.Errorf("%s: %d by outcome, %d images with one", repository.Name, n, len(settled))
		}
	}
}

// The size of an index is that of its largest child, which counts already. AWS still
// charges for archived images.
func TestReclaimableBytesAreThoseOfDeletedImages(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(index("i", 9*day), image("a", 9*day), image("b", 9*day, "latest")).Add("archive", image("a", 9*day))
	r := newRunner(t, w, `{"policies": [{"repositories": ["archive"], "policy": `+archiveOld+`}, {"policy": `+expireOld+`}],
		"protect": {"inUse": [], "keepNewest": 0}}`)
	w.Children["i"] = []string{}
	report := run(t, &r)
	if got := report.Totals.ReclaimableBytes; got != 100 {
		t.Errorf("%d bytes, want the 100 of one image", got)
	}
	if images, bytes := report.Removals(); images != 3 || bytes != 100 {
		t.Errorf("Removals() = %d, %d; want 3, 100", images, bytes)
	}
}

func TestHandled(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		mode       config.Mode
		incomplete bool
		skipped    plan.SkipCode
		want       bool
	}{
		{config.Plan, false, "", true},
		{config.Apply, false, plan.SkipNoPolicy, true},
		{config.Apply, true, "", false},
		{config.Plan, true, "", false},
		{config.Apply, false, plan.SkipLimit, false},
		{config.Plan, false, plan.SkipLimit, true},
	} {
		report := report.Report{Mode: test.mode, Incomplete: test.incomplete, Repositories: []report.Repository{{}, {Skipped: test.skipped}}}
		if got := report.Handled(); got != test.want {
			t.Errorf("%+v: Handled() = %t, want %t", test, got, test.want)
		}
	}
}
