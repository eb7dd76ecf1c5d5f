package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// wantSameJSON checks that the text of a report has the values that encoding/json writes,
// with each image on one line.
func wantSameJSON(t *testing.T, r *report.Report) {
	t.Helper()
	want, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := r.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(generic(t, want), generic(t, text.Bytes())); diff != "" {
		t.Errorf("report (-encoding/json +WriteJSON):\n%s\n%s", diff, &text)
	}
	images := 0
	for _, repository := range r.Repositories {
		images += len(repository.Images)
	}
	awstest.Equal(t, "lines with an image", images, strings.Count(text.String(), "\n        {\"imageDigest\":"))
}

func generic(t *testing.T, text []byte) (value any) {
	t.Helper()
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return value
}

// fill sets a field of a report, of whatever type.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("<\"é\u202e\n" + v.Type().Name())
	case reflect.Int, reflect.Int64:
		v.SetInt(-17)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(1))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 3, 1, 12, 0, 0, 123_000_000, time.UTC)))
			return
		}
		for _, field := range v.Fields() {
			fill(field)
		}
	default:
		panic("a field of the report is of the new kind " + v.Kind().String())
	}
}

// Every field of an image is in the text, also fields added later.
func TestEachFieldOfAnImageIsWritten(t *testing.T) {
	t.Parallel()
	images := []report.Image{{}, {ImageTags: []string{}, Untag: []string{}, ProtectedBy: []plan.Protection{}}}
	for i := range reflect.TypeFor[report.Image]().NumField() {
		var im report.Image
		fill(reflect.ValueOf(&im).Elem().Field(i))
		images = append(images, im)
	}
	var full report.Image
	fill(reflect.ValueOf(&full).Elem())
	images = append(images, full)
	wantSameJSON(t, &report.Report{Repositories: []report.Repository{{Name: "app", Images: images}}})
}

func TestReportsAreWrittenWhole(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]*report.Report{
		"no repositories": {Repositories: []report.Repository{}, Calls: map[string]int{"<a>": 1}},
		"some": {
			Account: "\u0085", Findings: []finding.Finding{{Repository: "app", Message: "\x1b[31m"}}, Omitted: &report.Omitted{Images: 5},
			Repositories: []report.Repository{
				{Name: "app", Images: []report.Image{{ImageDigest: "sha256:a"}, {ImageDigest: "sha256:b"}}},
				{Name: "none", Skipped: plan.SkipNone, Message: "skipped", Images: []report.Image{}},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantSameJSON(t, r)
		})
	}
}

// errFull is the error of a full disk.
var errFull = errors.New("no space left on device")

// A disk accepts that number of bytes.
type disk int

func (d *disk) Write(text []byte) (int, error) {
	if len(text) > int(*d) {
		return int(*d), errFull
	}
	*d -= disk(len(text))
	return len(text), nil
}

func TestAReportThatCannotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	r := report.Report{Repositories: []report.Repository{{Name: "app"}, {Name: "web"}}}
	var text bytes.Buffer
	if err := r.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	for size := range text.Len() {
		if d := disk(size); !errors.Is(r.WriteJSON(&d), errFull) {
			t.Fatalf("no error on a disk of %d bytes, the report has %d", size, text.Len())
		}
	}
}

// randomReport returns a report of up to n repositories.
func randomReport(r *rand.Rand, n int) report.Report {
	text := func(most int) string { return strings.Repeat("é<\"x", r.IntN(most)) }
	rep := report.Report{
		Version: 1, RunID: "run", Start: now, End: now, Calls: map[string]int{"DescribeImages": r.IntN(1e6)},
		Repositories: []report.Repository{}, Totals: report.Totals{Repositories: r.IntN(1e5), Counts: report.Counts{Deleted: r.IntN(1e6)}},
	}
	for i := range r.IntN(n + 1) {
		repository := report.Repository{Name: fmt.Sprintf("r%d%s", i, text(3)), Policy: text(4), Images: []report.Image{}}
		switch r.IntN(4) {
		case 0:
			repository.Skipped, repository.Message = plan.SkipFailed, text(50)
		case 1:
			repository.Skipped = plan.SkipNoPolicy
		case 2:
			for range r.IntN(9) {
				repository.Expired++
				repository.Images = append(repository.Images, report.Image{
					ImageDigest: "sha256:" + text(16), ImageTags: []string{text(9)}, Verdict: "expire", Reason: text(9),
					ImagePushedAt: now.Add(time.Duration(r.Int64N(1e15))), ProtectedBy: []plan.Protection{{Kind: "x", By: text(9)}},
				})
			}
		}
		rep.Repositories = append(rep.Repositories, repository)
	}
	for range r.IntN(n/10 + 2) {
		rep.Findings = append(rep.Findings, finding.Finding{Kind: "k", Message: text(40)})
	}
	if sources := r.IntN(n); sources > 0 {
		rep.InUse = map[string]int{}
		for i := range sources {
			rep.InUse[fmt.Sprintf("ecs@%012d/eu-west-1", i)] = r.IntN(1e3)
		}
	}
	return rep
}

func imagesOf(report *report.Report) int {
	n := 0
	for _, repository := range report.Repositories {
		n += len(repository.Images)
	}
	return n
}

// A report of any registry fits, and counts the missing parts.
func TestFit(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		rep := randomReport(r, 60)
		repositories, images, findings, sources := len(rep.Repositories), imagesOf(&rep), len(rep.Findings), len(rep.InUse)
		totals, before := rep.Totals, toJSON(t, rep)
		size := 1_200 + r.IntN(20_000)
		rep.Fit(size)
		after := toJSON(t, rep)
		if len(after) > size {
			t.Fatalf("%d bytes, want at most %d:\n%s", len(after), size, after)
		}
		if len(before) <= size && after != before {
			t.Fatalf("a report of %d bytes is changed to fit %d", len(before), size)
		}
		if diff := cmp.Diff(totals, rep.Totals); diff != "" {
			t.Fatalf("totals mismatch (-before +after):\n%s", diff)
		}
		var omitted report.Omitted
		if rep.Omitted != nil {
			omitted = *rep.Omitted
		}
		want := report.Omitted{Repositories: repositories - len(rep.Repositories), Images: images - imagesOf(&rep), Findings: findings - len(rep.Findings), Sources: sources - len(rep.InUse)}
		if omitted != want || (rep.Omitted != nil) != (len(before) > size) {
			t.Fatalf("omitted %+v, want %+v", rep.Omitted, want)
		}
	}
}

// The sources with uses say more than those without.
func TestFitLeavesOutSourcesWithoutUsesFirst(t *testing.T) {
	t.Parallel()
	rep := report.Report{InUse: map[string]int{}}
	for i := range 5_000 {
		rep.InUse[fmt.Sprintf("ecs@%012d/eu-west-1", i)] = max(0, i-4_990)
	}
	rep.Fit(4_000)
	used := 0
	for _, n := range rep.InUse {
		used += n
	}
	if size := len(toJSON(t, rep)); used != 45 || len(rep.InUse)+rep.Omitted.Sources != 5_000 || size > 4_000 {
		t.Errorf("%d uses in %d sources, omitted %+v, %d bytes", used, len(rep.InUse), rep.Omitted, size)
	}
	small := report.Report{InUse: map[string]int{"ecs": 0}, Repositories: make([]report.Repository, 100)}
	small.Fit(2_000)
	awstest.Equal(t, "sources of a long report", map[string]int{"ecs": 0}, small.InUse)
}

// Repositories with failures or removals are left out last.
func TestFitLeavesOutQuietRepositoriesFirst(t *testing.T) {
	t.Parallel()
	make := func() report.Report {
		r := report.Report{Start: now, End: now}
		for i := range 100 {
			repository := report.Repository{Name: fmt.Sprintf("quiet-%d", i), Images: []report.Image{}}
			if i%10 == 0 {
				repository.Name, repository.Skipped = fmt.Sprintf("failed-%d", i), plan.SkipFailed
			}
			if i%10 == 1 {
				repository.Name, repository.Expired, repository.Images = fmt.Sprintf("busy-%d", i), 1, []report.Image{{ImageDigest: "sha256:x"}}
			}
			r.Repositories = append(r.Repositories, repository)
		}
		return r
	}
	kinds := func(report report.Report) map[string]int {
		by := map[string]int{}
		for _, repository := range report.Repositories {
			kind, _, _ := strings.Cut(repository.Name, "-")
			by[kind]++
		}
		return by
	}
	whole := make()
	size := len(toJSON(t, whole))
	whole.Fit(size - 1)
	if got := whole.Omitted; got.Images == 0 || got.Images > 2 || got.Repositories != 0 || len(whole.Repositories[1].Images) != 1 {
		t.Errorf("one byte too many costs %+v", got)
	}
	half := make()
	half.Fit(size / 2)
	if got := kinds(half); got["failed"] != 10 || got["busy"] != 10 || got["quiet"] == 80 || half.Omitted.Images != 10 {
		t.Errorf("in half the size there are %v, omitted %+v", got, half.Omitted)
	}
	little := make()
	little.Fit(size / 20)
	if got := kinds(little); got["quiet"] != 0 || got["failed"]+got["busy"] == 0 {
		t.Errorf("in a twentieth of the size there are %v", got)
	}
	awstest.Equal(t, "first repository", "failed-0", little.Repositories[0].Name)
}

func TestFitOfAPlanThatIsSaved(t *testing.T) {
	t.Parallel()
	w := fixture.NewFakeRegistry(fixture.Numbered(100, 9*day)...)
	r := fixture.NewRunner(t, w, fixture.ExpireAll)
	r.Remover = nil
	rep := run(t, &r)
	rep.Fit(2_000)
	if _, err := report.ReadPlan([]byte(toJSON(t, rep))); err == nil {
		t.Error("a plan that lacks images can be applied")
	}
}
