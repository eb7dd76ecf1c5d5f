package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
	if n := strings.Count(text.String(), "\n        {\"imageDigest\":"); n != images {
		t.Errorf("%d lines with an image, want %d", n, images)
	}
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
