package review

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func sample() report.Report {
	return report.Report{
		Version: report.Version, RunID: "r", Mode: config.Plan, Account: "123456789012", Region: "eu-west-1", Start: noon, End: noon,
		Limits: &report.Limits{MaxDeletions: new(5)}, InUse: map[string]int{"ecs": 3}, Calls: map[string]int{"DescribeImages": 1},
		Findings: []finding.Finding{{Kind: finding.MovedTag, Repository: "app", Message: "moved"}},
		Repositories: []report.Repository{
			repository("app", expire("sha256:a"), expire("sha256:b")),
			repository("web"),
		},
	}
}

func repository(name string, images ...report.Image) report.Repository {
	if images == nil {
		images = []report.Image{}
	}
	return report.Repository{Name: name, Policy: "p", Counts: report.Counts{Evaluated: 9, Expired: len(images)}, Images: images}
}

func expire(digest string) report.Image {
	return report.Image{
		ImageDigest: digest, ImageTags: []string{"v1"}, Verdict: evaluator.Expire, AppliedRulePriority: 1, Reason: "pushed 31d ago, limit 30d",
		ImageStatus: evaluator.Active, ImagePushedAt: noon.AddDate(0, 0, -31), ImageSizeInBytes: 1000,
	}
}

// A report is the same, however it was written: by the tool, the function, or a program that
// sorts the members.
func TestReadReturnsTheReport(t *testing.T) {
	t.Parallel()
	want := sample()
	var indented bytes.Buffer
	awstest.NoError(t, want.WriteJSON(&indented))
	compact, err := json.Marshal(&want)
	awstest.NoError(t, err)
	var members map[string]any
	awstest.NoError(t, json.Unmarshal(compact, &members))
	sorted, err := json.MarshalIndent(members, "", "    ")
	awstest.NoError(t, err)
	for name, text := range map[string]string{
		"indented": indented.String(), "compact": string(compact), "sorted": string(sorted),
		"with the status of the call": string(compact) + "{\n\"StatusCode\": 200}\n",
	} {
		got, _, err := read(iotest.OneByteReader(strings.NewReader(text)))
		awstest.NoError(t, err)
		awstest.Equal(t, name, &want, got)
	}
}

func TestNoPartOfAReportIsAReport(t *testing.T) {
	t.Parallel()
	whole := sample()
	text, err := json.Marshal(&whole)
	awstest.NoError(t, err)
	for n := 1; n < len(text); n++ {
		if r, _, err := read(bytes.NewReader(text[:n])); err == nil || r != nil {
			t.Fatalf("%s is read as a report", text[:n])
		}
	}
}

func TestALogIsToldFromADocument(t *testing.T) {
	t.Parallel()
	line := `{"time":"2026-11-22T03:00:03Z","level":"INFO","msg":"run","run_id":"r","account":"1"}`
	for text, want := range map[string]bool{
		line: true, "\n" + line: true, "START RequestId: 1\n" + line: true, `{"events": [{"message": "x"`: true, "[1]": true, "": true,
		`{"level":"INFO","msg":"` + strings.Repeat("x", begin): true,
		`{"version": 1, "runId": "r"}`:                         false, `{`: false, `{"rules": [`: false, `{"account": "1", "findings": [{"message": "` + strings.Repeat("x", begin): false,
	} {
		for mark, text := range map[string]string{"": text, "\ufeff": "\ufeff" + text} {
			in, err := open(env.Env{Stdin: strings.NewReader(text)}, "-")
			awstest.NoError(t, err)
			awstest.Equal(t, mark+text[:min(len(text), 60)], want, in.log)
		}
	}
}
