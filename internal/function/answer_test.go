package function_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

func TestTheAnswerStaysSmallWhateverTheRegistry(t *testing.T) {
	t.Parallel()
	f := newFixture(t, expireAll)
	for i := range 3_000 {
		name := fmt.Sprintf("team/with-a-long-name/application-%04d", i)
		f.registry.CreateRepository(name)
		for j := range i % 3 {
			f.registry.Put(name, fakeecr.Image{PushedAt: now.Add(-9 * day), Tags: []string{fmt.Sprint("v", j)}})
		}
	}
	report := f.handle(t, `{}`)
	answer, err := json.Marshal(report)
	if err != nil || len(answer) > function.MaxAnswer {
		t.Errorf("the answer has %d bytes (%v), want at most %d", len(answer), err, function.MaxAnswer)
	}
	awstest.Equal(t, "repositories", 3_000, report.Totals.Repositories)
	awstest.Equal(t, "expired images", 3_000, report.Totals.Expired)
	if report.Omitted == nil || report.Omitted.Repositories+len(report.Repositories) != 3_000 || report.Omitted.Images != 3_000 {
		t.Errorf("omitted %+v, %d repositories in the answer", report.Omitted, len(report.Repositories))
	}
	awstest.Equal(t, "repositories in the log", 3_000, len(f.lines(t, "repository")))
}

// The keys are a contract: people's queries and alarms read them.
func TestTheLogTellsWhatHappened(t *testing.T) {
	t.Parallel()
	f := newFixture(t, expireAll)
	gone := f.push("app", 9*day, "v1")
	f.push("app", time.Hour)
	f.push("empty", time.Hour)
	f.handle(t, `{"mode": "apply"}`)
	keys := func(line map[string]any) []string { return slices.Sorted(maps.Keys(line)) }
	lines := f.lines(t, "image")
	if len(lines) != 1 || lines[0]["repository"] != "app" || lines[0]["digest"] != gone || lines[0]["outcome"] != "deleted" ||
		lines[0]["rule_priority"] != 1. || lines[0]["reason"] != "pushed 9d ago, limit 1d" || lines[0]["tags"] != "v1" {
		t.Errorf("image lines %v", lines)
	}
	want := []string{
		"digest", "level", "message", "msg", "outcome", "policy", "protected_by", "pushed_at", "reason", "repository", "rule_priority",
		"run_id", "size_in_bytes", "tags", "time", "unconfirmed", "untag", "verdict",
	}
	awstest.Equal(t, "keys of an image", want, keys(lines[0]))
	want = []string{
		"attempt", "digest", "level", "msg", "policy", "pushed_at", "reason", "repository", "rule_priority", "run_id", "size_in_bytes",
		"tags", "time", "untag", "verdict",
	}
	intents := f.lines(t, "intent")
	awstest.Equal(t, "intents", 1, len(intents))
	awstest.Equal(t, "keys of an intent", want, keys(intents[0]))
	lines = f.lines(t, "repository")
	slices.SortFunc(lines, func(a, b map[string]any) int {
		return strings.Compare(fmt.Sprint(a["repository"]), fmt.Sprint(b["repository"]))
	})
	if len(lines) != 2 || lines[0]["repository"] != "app" || lines[0]["deleted"] != 1. || lines[1]["repository"] != "empty" {
		t.Errorf("repository lines %v", lines)
	}
	want = []string{
		"archived", "blocked", "changed", "deleted", "evaluated", "expired", "failed", "gone", "level", "message", "msg", "not_attempted",
		"policy", "protected", "repository", "run_id", "skipped", "time", "transitioned", "unknown",
	}
	awstest.Equal(t, "keys of a repository", want, keys(lines[0]))
	lines = f.lines(t, "run")
	want = []string{"account", "calls", "incomplete", "level", "mode", "msg", "region", "run_id", "time", "totals", "undone"}
	awstest.Equal(t, "lines of the run", 1, len(lines))
	awstest.Equal(t, "keys of the run", want, keys(lines[0]))
	totals, _ := lines[0]["totals"].(map[string]any)
	if lines[0]["run_id"] != "run-1" || lines[0]["incomplete"] != false || totals["deleted"] != 1. {
		t.Errorf("run line %v", lines[0])
	}
}
