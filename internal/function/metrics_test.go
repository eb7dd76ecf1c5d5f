package function_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/services"
)

// An emf is a line in the embedded metric format, as CloudWatch reads it.
type emf struct {
	AWS struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	} `json:"_aws"`
}

// metrics returns the line of metrics, and the values with their units by name.
func (f *fixture) metrics(t *testing.T) (line emf, values map[string]string) {
	t.Helper()
	var members map[string]json.RawMessage
	for text := range strings.Lines(f.log.String()) {
		if !strings.Contains(text, `"_aws"`) {
			continue
		}
		if members != nil {
			t.Error("there are several lines of metrics")
		}
		awstest.NoError(t, json.Unmarshal([]byte(text), &line))
		awstest.NoError(t, json.Unmarshal([]byte(text), &members))
	}
	values = map[string]string{}
	for _, d := range line.AWS.CloudWatchMetrics {
		for _, dimension := range d.Dimensions[0] {
			values[dimension] = string(members[dimension])
		}
		for _, m := range d.Metrics {
			values[m.Name] = string(members[m.Name]) + " " + m.Unit
		}
	}
	return line, values
}

func TestTheFunctionWritesMetrics(t *testing.T) {
	t.Parallel()
	f := newFixture(t, strings.Replace(expireAll, `"tagPatterns": []`, `"tagPatterns": ["keep"]`, 1))
	f.FunctionName = "cleaner"
	f.push("app", 9*day)
	f.push("app", 8*day)
	f.push("app", 8*day, "keep")
	refused := f.push("app", 7*day)
	f.registry.RefuseImage(refused, "KmsError")
	f.push("denied", 9*day)
	f.registry.Fail("DescribeImages", "denied", "AccessDeniedException")
	f.later(90 * time.Second)
	f.handle(t, `{"mode": "apply"}`)
	line, values := f.metrics(t)
	want := map[string]string{
		"FunctionName": `"cleaner"`, "ImagesExpired": "3 Count", "ImagesProtected": "1 Count", "ImagesDeleted": "2 Count", "ImagesArchived": "0 Count",
		"ImagesFailed": "1 Count", "RepositoriesSkipped": "1 Count", "IncompleteRuns": "1 Count", "ReclaimableBytes": "300 Bytes", "Duration": "90000 Milliseconds",
	}
	awstest.Equal(t, "metrics", want, values)
	directives := line.AWS.CloudWatchMetrics
	if len(directives) != 1 || directives[0].Namespace != "EcrCleaner" || !cmp.Equal(directives[0].Dimensions, [][]string{{"FunctionName"}}) {
		t.Errorf("directives %+v", directives)
	}
	awstest.Equal(t, "timestamp", now.Add(90*time.Second).UnixMilli(), line.AWS.Timestamp)
}

// A manifest that ECR refuses makes the run incomplete, with any code, in the metric,
// the answer and the log. Only an item of an answer with status 200 has failed. An
// image that was deleted in the meantime is no failure.
func TestAManifestThatIsRefusedIsSeenInTheMetrics(t *testing.T) {
	t.Parallel()
	for _, code := range fakeecr.ImageFailureCodes {
		f := newFixture(t, expireAll)
		f.FunctionName = "cleaner"
		child := f.push("app", 9*day)
		index := f.registry.Put("app", fakeecr.Image{PushedAt: now.Add(-8 * day), Children: []string{child}})
		f.connect(awstest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".BatchGetImage") {
				f.registry.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			fmt.Fprintf(w, `{"images": [], "failures": [{"imageId": {"imageDigest": %q}, "failureCode": %q, "failureReason": "because"}]}`, index, code)
		})))
		report := f.handle(t, `{"mode": "apply"}`)
		_, values := f.metrics(t)
		want := map[bool]string{true: "1 Count", false: "0 Count"}[code != "ImageNotFound"]
		if values["IncompleteRuns"] != want || report.Incomplete != (want == "1 Count") || report.Handled() == report.Incomplete {
			t.Errorf("%s: incomplete %t, metrics %v", code, report.Incomplete, values)
		}
		said := func(finding finding.Finding) bool { return strings.Contains(finding.Message, code+": because") }
		if !slices.ContainsFunc(report.Findings, said) || !strings.Contains(f.log.String(), code+": because") {
			t.Errorf("%s: findings %v", code, report.Findings)
		}
	}
}

// The tool runs the handler as well, and CloudWatch does not read its log.
func TestWithoutAFunctionThereAreNoMetrics(t *testing.T) {
	t.Parallel()
	f := newFixture(t, expireAll)
	f.handle(t, `{}`)
	if _, values := f.metrics(t); len(values) > 0 {
		t.Errorf("metrics %v", values)
	}
}

// A run that left something undone says in its last line how much, and why.
func TestUndoneImagesAreCountedByReason(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		disturb func(*fixture)
		want    map[string]any
	}{
		"nothing":      {func(*fixture) {}, map[string]any{}},
		"a repository": {func(f *fixture) { f.registry.Fail("DescribeImages", "web", "AccessDeniedException") }, map[string]any{"failed": 1.0}},
		"images": {func(f *fixture) {
			f.registry.RefuseImage(f.push("app", 9*day), "KmsError")
			f.registry.RefuseImage(f.push("web", 9*day), "KmsError")
		}, map[string]any{"images failed": 2.0}},
		"an attached policy": {func(f *fixture) {
			f.Configuration = `{"protect": {"inUse": []}}`
			f.registry.SetLifecyclePolicy("app", `{"rules": 7}`)
		}, map[string]any{"invalid policy": 1.0}},
		"a source": {func(f *fixture) {
			f.Configuration = strings.Replace(expireAll, `"inUse": []`, `"inUse": ["apprunner"]`, 1)
			connect := f.Connect
			f.Connect = func(ctx context.Context) (function.Registry, error) {
				r, err := connect(ctx)
				r.Sources = func(config.Config, string) []inuse.Source {
					return []inuse.Source{services.New("apprunner", query.Environment{})}
				}
				return r, err
			}
		}, map[string]any{"in-use scan": 2.0, "in-use sources": 1.0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, expireAll)
			f.push("app", 9*day)
			f.push("web", 9*day)
			test.disturb(f)
			report := f.handle(t, `{"mode": "apply"}`)
			line := f.lines(t, "run")[0]
			awstest.Equal(t, "undone", test.want, line["undone"])
			level := map[bool]string{true: "ERROR", false: "INFO"}[report.Incomplete]
			if report.Incomplete != (len(test.want) > 0) || line["incomplete"] != report.Incomplete || line["level"] != level {
				t.Errorf("incomplete %v, the line says %v at the level %v", report.Incomplete, line["incomplete"], line["level"])
			}
			awstest.Equal(t, "lines about findings", len(report.Findings), len(f.lines(t, "finding")))
		})
	}
}
