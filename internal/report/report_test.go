package report_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
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
	archived := fixture.WithStatus(image("sha256:refused", 9*day, "old"), evaluator.Archived)
	w := fixture.NewFakeRegistry(
		fixture.Index("sha256:index", 9*day, "dead-1"), image("sha256:child", 9*day), image("sha256:changed", 9*day, "dead-2"),
		image("sha256:gone", 9*day, "dead-3"), image("sha256:failed", 9*day, "dead-4"), image("sha256:blocked", 9*day, "dead-5"), image("sha256:unknown", 9*day, "dead-7"),
		fixture.Pulled(image("sha256:used", 9*day, "dead-6", "latest"), day), fixture.Restored(image("sha256:young", 99*day, "v1"), time.Hour), archived).
		Add("archive", image("sha256:a", 9*day, "v1")).Add("tags", image("sha256:a", 9*day, "dead-1", "v1")).Add("none").Add("big", image("sha256:a", 9*day), image("sha256:b", 9*day)).Add("late", image("sha256:a", 9*day))
	w.Children["sha256:index"] = []string{"sha256:child"}
	r := fixture.NewRunner(t, w, `{"policies": [
		{"name": "dead", "repositories": ["app"], "policy": `+fixture.ExpireDead+`},
		{"name": "archive", "repositories": ["archive"], "policy": `+fixture.ArchiveOld+`},
		{"name": "untag", "repositories": ["tags"], "policy": `+strings.Replace(fixture.ExpireDead, "expire", "untag", 1)+`},
		{"name": "none", "repositories": ["none"], "policy": "none"},
		{"name": "big", "policy": `+fixture.ExpireOld+`, "limits": {"maxDeletionsPerRepository": 1}}],
		"protect": {"inUse": ["ecs"], "keepNewest": 0, "pulledWithinDays": 0, "pushedWithinHours": 0}}`)
	fixture.Scans(&r, inuse.Scan{Counts: map[string]int{"ecs": 1}, Uses: []inuse.Use{fixture.Use("sha256:used", "arn:aws:ecs:eu-west-1:123456789012:task/x")}})
	remover := w.Remover()
	fixture.Refuse(&remover, "sha256:failed", "KmsError")
	fixture.Refuse(&remover, "sha256:blocked", "ImageReferencedByManifestList")
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
	r.Registry, r.Stop, r.Workers = fixture.ChangingAfterListing(w), stop, 1
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
	awstest.Equal(t, "report, which -update rewrites,", strings.Split(string(want), "\n"), strings.Split(string(got), "\n"))
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
			" configuration limits inUse references findings omitted continuation notReached"},
		{report.Repository{}, "name policy attachedPolicy partial skipped images message " + counts},
		{report.Totals{}, "repositories skipped attachedPolicies " + counts},
		{report.Image{}, "imageDigest imageTags verdict appliedRulePriority reason onExpire untag protectedBy outcome" +
			" message imageStatus imagePushedAt lastRecordedPullTime lastActivatedAt childrenPulledAt manifestReadFrom manifestReadTo imageSizeInBytes"},
		{plan.Protection{}, "kind by"},
		{finding.Finding{}, "kind repository message"},
		{report.Limits{}, "maxDeletions maxDeletionsPerRepository maxDeletedPercent"},
		{report.References{}, "location count"},
		{report.Omitted{}, "repositories images findings sources"},
	} {
		got, want := fields(reflect.TypeOf(test.of)), fixture.Sorted(strings.Fields(test.want))
		awstest.Equal(t, fmt.Sprintf("fields of %T", test.of), want, fixture.Sorted(got))
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
	awstest.Equal(t, "totals", sum.Interface(), rep.Totals.Counts)
	got := rep.Totals
	got.Counts = report.Counts{}
	awstest.Equal(t, "totals", report.Totals{Repositories: 6, Skipped: 2}, got)
	for i := range sum.NumField() {
		if name := sum.Type().Field(i).Name; sum.Field(i).Int() == 0 {
			t.Errorf("this test says nothing about %s", name)
		}
	}
}

// Each planned image is counted once by its verdict and at most once by its outcome.
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
	w := fixture.NewFakeRegistry(fixture.Index("i", 9*day), image("a", 9*day), image("b", 9*day, "latest")).Add("archive", image("a", 9*day))
	r := fixture.NewRunner(t, w, `{"policies": [{"repositories": ["archive"], "policy": `+fixture.ArchiveOld+`}, {"policy": `+fixture.ExpireOld+`}],
		"protect": {"inUse": [], "keepNewest": 0}}`)
	w.Children["i"] = []string{}
	report := run(t, &r)
	awstest.Equal(t, "reclaimable bytes", int64(100), report.Totals.ReclaimableBytes)
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
		awstest.Equal(t, fmt.Sprintf("%+v: Handled()", test), test.want, report.Handled())
	}
}

func TestReadPlan(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"version": 1, "mode": "plan"}`:  "",
		`{`:                               "is not a saved plan: unexpected end of JSON input; write one with plan --out",
		`{"mode": 1}`:                     "is not a saved plan: mode cannot be a JSON number; write one with plan --out",
		`[]`:                              "is not a saved plan: it cannot be a JSON array; write one with plan --out",
		`{"version": 2, "mode": "plan"}`:  "is a report of version 2, not 1; plan again",
		`{"version": 1, "mode": "apply"}`: `is the report of mode "apply", not a plan; write one with plan --out`,
		`{"version": 1, "mode": "plan", "omitted": {"findings": 1}}`: "was shortened and lacks images; write one with plan --out",
	} {
		got := ""
		if _, err := report.ReadPlan([]byte(text)); err != nil {
			got = err.Error()
		}
		awstest.Equal(t, text, want, got)
	}
	awstest.Equal(t, "error", "saved plan is old", (&report.PlanError{Reason: "is old"}).Error())
}

func TestTheRepositoriesOfASavedPlan(t *testing.T) {
	t.Parallel()
	images := []report.Image{{ImageDigest: "a"}, {ImageDigest: "kept", ProtectedBy: []plan.Protection{{Kind: plan.ByTagPattern}}}}
	images[0].ManifestReadFrom = now
	r := report.Report{Repositories: []report.Repository{
		{Name: "app", Images: images},
		{Name: "skipped", Images: images, Skipped: plan.SkipLimit},
	}}
	for name, want := range map[string][]string{"app": {"a"}, "skipped": nil, "missing": nil} {
		repository := r.Repository(name)
		var removable, read []string
		for _, im := range repository.Removable() {
			removable = append(removable, im.ImageDigest)
		}
		for _, im := range repository.ManifestReads() {
			read = append(read, im.Digest)
			if !im.Read.From.Equal(now) {
				t.Errorf("%s: the manifest of %s was read at %v", name, im.Digest, im.Read.From)
			}
		}
		awstest.Equal(t, name+": removable images", want, removable)
		awstest.Equal(t, name+": manifests that were read", want, read)
	}
}

// A saved image has the action of a fresh plan, whether it expires or follows another.
func TestWants(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		saved report.Image
		fresh plan.Image
		want  bool
	}{
		{report.Image{Verdict: evaluator.Expire}, plan.Image{Action: evaluator.Expire}, true},
		{report.Image{Verdict: evaluator.Expire}, plan.Image{Action: plan.Follow}, true},
		{report.Image{Verdict: plan.Follow}, plan.Image{Action: evaluator.Expire}, true},
		{report.Image{Verdict: evaluator.Transition}, plan.Image{Action: evaluator.Expire}, false},
		{report.Image{Verdict: evaluator.Expire, OnExpire: config.ArchiveExpired}, plan.Image{Action: evaluator.Expire}, false},
		{report.Image{Verdict: evaluator.Untag, Untag: []string{"a"}}, plan.Image{Action: evaluator.Untag, Untag: []string{"a"}}, true},
		{report.Image{Verdict: evaluator.Untag, Untag: []string{"a"}}, plan.Image{Action: evaluator.Untag, Untag: []string{"b"}}, false},
	} {
		awstest.Equal(t, fmt.Sprintf("%+v and %+v", c.saved, c.fresh), c.want, c.saved.Wants(&c.fresh))
		if c.saved.Archives() != (c.saved.Verdict == evaluator.Transition || c.saved.OnExpire != "") {
			t.Errorf("%+v: archives %v", c.saved, c.saved.Archives())
		}
	}
}

// A planned image is the same after it was reported, saved and read.
func TestPlannedIsTheReverseOfOfImage(t *testing.T) {
	t.Parallel()
	want := plan.Image{
		Image: fixture.Pulled(fixture.Restored(image("sha256:a", 9*day, "v1"), day), day), Action: evaluator.Untag, Untag: []string{"v1"}, Rule: 3, Reason: "old",
	}
	saved := report.OfImage(&want)
	awstest.Equal(t, "saved image", saved, report.OfImage(new(saved.Planned())))
}

func TestUndone(t *testing.T) {
	t.Parallel()
	r := one(t)
	rep := run(t, &r)
	want := map[string]int{"images failed": 1, "images unknown": 1, "images not attempted": 1}
	awstest.Equal(t, "undone", want, rep.Undone())
	awstest.Equal(t, "incomplete", true, rep.Incomplete)
	if got := (&report.Report{}).Undone(); len(got) > 0 {
		t.Errorf("an empty report has undone %v", got)
	}
}
