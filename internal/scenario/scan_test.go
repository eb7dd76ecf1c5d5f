package scenario_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// The error of a source says what to do: which action to allow, or which entry to remove.
func TestAFailedSourceKeepsEverythingItCouldProtect(t *testing.T) {
	t.Parallel()
	type test struct {
		denied []string
		want   string
	}
	awstest.Each(t, map[string]test{
		"denied":      {[]string{"ListClusters"}, "allow the action ecs:ListClusters"},
		"denied late": {[]string{"ListTaskDefinitionFamilies"}, "allow the action ecs:ListTaskDefinitionFamilies"},
		"lambda":      {[]string{"lambda "}, "allow the action lambda:ListFunctions"},
	}, func(t *testing.T, c test) {
		f := withServices(t, draw("old 90d #v1"), nil, c.denied...)
		f.refused(t, c.want)
	})
	awstest.Parallel(t, "not offered", func(t *testing.T) {
		f := emptyFixture(draw("old 90d #v1"))
		f.connect(t, f.journal)
		f.refused(t, `take "ecs" out of protect.inUse`)
	})
}

// refused checks that nothing is removed because of the failed source.
func (f *fixture) refused(t *testing.T, want string) {
	t.Helper()
	report := f.apply(t, configuration("expire any pushed>30", `"inUse": ["ecs", "lambda"]`, ""))
	message := report.Repositories[0].Message
	if r := report.Repositories[0]; r.Skipped != plan.SkipScanFailed || !strings.Contains(message, want) || !report.Incomplete {
		t.Errorf("skipped %q: %s; want %q in it", r.Skipped, message, want)
	}
	awstest.Empty(t, "removing calls", f.removals())
}

// If the entry of a repository does not list the failed source, the repository is cleaned.
func TestOnlyEntriesThatListAFailedSourceRelyUponIt(t *testing.T) {
	t.Parallel()
	f := newFixture(t, draw("old 90d #v1\nrepository free\nold 90d #v1"))
	f.source("ecs").err = errDown
	report := f.apply(t, `{"policies": [
		{"name": "free", "repositories": ["free"], "policy": `+policy("expire any pushed>30")+`, "protect": {"inUse": [], "keepNewest": 0}},
		{"name": "others", "policy": `+policy("expire any pushed>30")+`, "protect": {"inUse": ["ecs"], "keepNewest": 0}}]}`)
	sameLines(t, "skipped", skips(&report), "app: in-use scan: in-use scan: ecs: the service is down")
	if app, free := f.left("app"), f.left("free"); len(app) != 1 || len(free) != 0 {
		t.Errorf("left: %v in app, %v in free", app, free)
	}
}

// The run scans again before a removal if the scan is older than ten minutes.
func TestScanAge(t *testing.T) {
	t.Parallel()
	const registry = `
		old  90d #v1
		used 90d #v2`
	type test struct {
		passes        time.Duration // between the scan and the removal
		second        string        // what is in use by then
		fails         error
		asked         int
		want, skipped string
	}
	awstest.Each(t, map[string]test{
		"ten minutes": {10 * time.Minute, "task/2 app:v1", nil, 1, `
			old: expire, deleted
			used: expire, inUse task/1`, ""},
		"longer, and another image is used now": {10*time.Minute + 1, "task/2 app:v1", nil, 2, `
			old: expire, inUse task/2
			used: expire, inUse task/1`, ""},
		"longer, and both are": {time.Hour, "task/1 app:v2\ntask/2 app:v1", nil, 2, `
			old: expire, inUse task/2
			used: expire, inUse task/1`, ""},
		"longer, and nothing is": {time.Hour, "", nil, 2, `
			old: expire
			used: expire, inUse task/1`, "app: in-use scan: in-use scan: ecs: had 1 use before and has none now; if that is right, plan again"},
		"longer, and it fails": {time.Hour, "task/1 app:v2", errDown, 2, `
			old: expire
			used: expire, inUse task/1`, "app: in-use scan: in-use scan: ecs: the service is down"},
	}, func(t *testing.T, c test) {
		f := newFixture(t, draw(registry))
		f.source("ecs").answer(t, "task/1 app:v2")
		f.onceBefore(first("GetRepositoryPolicy"), func() { // which is asked last
			f.clock.advance(c.passes)
			f.source("ecs").answer(t, c.second)
			f.source("ecs").err = c.fails
		})
		report := f.apply(t, configuration("expire any pushed>30", `"inUse": ["ecs"]`, ""))
		sameLines(t, "outcomes", f.outcomes(&report), c.want)
		sameLines(t, "skipped", skips(&report), c.skipped)
		awstest.Equal(t, "queries", c.asked, f.source("ecs").asked)
		awstest.Equal(t, "removed", strings.Contains(c.want, "deleted"), !slices.Contains(f.left("app"), "old"))
	})
}

// The run also scans again between two batches of one repository.
func TestScanAgeInTheMiddle(t *testing.T) {
	t.Parallel()
	f := newQuickFixture(picture{{name: "app"}})
	fill(f, "app", 0, 0, 150)
	f.server.Put("app", image{name: "used", age: 90 * day, tags: []string{"v1"}}.detail(noon))
	f.server.Put("app", image{name: "last", age: 80 * day, tags: []string{"v2"}}.detail(noon))
	f.source("ecs").answer(t, "task/1 app:v1")
	f.onceBefore(first("BatchDeleteImage"), func() {
		f.clock.advance(11 * time.Minute)
		f.source("ecs").answer(t, "task/1 app:v1\ntask/2 app:v2")
	})
	report := f.apply(t, configuration("expire any pushed>30", `"inUse": ["ecs"]`, ""))
	if got, asked := report.Totals, f.source("ecs").asked; got.Deleted != 150 || got.Protected != 2 || asked != 2 {
		t.Errorf("asked %d times, totals %+v", asked, got)
	}
	awstest.Equal(t, "images that are left", 2, len(f.server.Images("app")))
}
