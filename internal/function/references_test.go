package function_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	made "github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

const (
	registryHost = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/"
	accountB     = "222222222222"
	writes       = `{"protect": {"inUse": ["ecs"]}, "references": {"s3": "s3://bucket/lists/"}}`
)

// serve has the handler connect to its registry, and to that S3.
func (f *fixture) serve(t *testing.T, store *awstest.S3, change func(*function.Registry)) {
	t.Helper()
	cfg := awstest.Attempts(awstest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/bucket/") {
			store.ServeHTTP(w, r)
			return
		}
		f.registry.ServeHTTP(w, r)
	})), 1)
	f.Connect = func(context.Context) (function.Registry, error) {
		r := function.Connect(cfg, f.Now)
		if change != nil {
			change(&r)
		}
		return r, nil
	}
}

// uses is an in-use source.
type uses struct {
	all []inuse.Use
	err error
}

func (uses) Name() string { return "ecs" }

func (u uses) Uses(context.Context) iter.Seq2[inuse.Use, error] {
	return inuse.Collect(func(c *inuse.Collector) error {
		for _, use := range u.all {
			c.AddKnown(use)
		}
		return u.err
	})
}

// writer returns a fixture of the function in account B, whose ECS has these uses.
func writer(t *testing.T, store *awstest.S3, source uses) *fixture {
	t.Helper()
	f := newFixture(t, writes)
	f.FunctionName = "lists"
	f.serve(t, store, func(r *function.Registry) {
		r.Account = func(context.Context) (string, error) { return accountB, nil }
		r.Sources = func(config.Config, string) []inuse.Source { return []inuse.Source{source} }
	})
	return f
}

func TestModeReferencesWritesTheList(t *testing.T) {
	t.Parallel()
	store := &awstest.S3{}
	f := writer(t, store, uses{all: []inuse.Use{
		made.Use("v1", "task/1"), made.Use("v1", "task/2"),
		{By: "task/3", Problem: "no image"},
		{By: "task/4", Reference: reference.Reference{Digest: awstest.Digest(1)}},
	}})
	got := f.handle(t, `{"mode": "references"}`)
	want := report.Report{
		Version: 1, RunID: "run-1", Mode: config.References, Account: accountB, Region: "eu-west-1", Start: now, End: now,
		Configuration: got.Configuration, Repositories: []report.Repository{}, InUse: map[string]int{"ecs": 3},
		References: &report.References{Location: "s3://bucket/lists/222222222222/eu-west-1.json", Count: 2},
		Findings: []finding.Finding{
			{Kind: finding.UnreadableReference, Message: "not in the list: task/3: no image"},
			{Kind: finding.UnreadableReference, Message: "not in the list: task/4: the repository of " + awstest.Digest(1) + " is not known"},
		},
		Calls: map[string]int{},
	}
	awstest.Equal(t, "report", made.ToJSON(t, want), made.ToJSON(t, got))
	awstest.Equal(t, "list", `{"version":1,"account":"222222222222","region":"eu-west-1","time":"2026-03-01T12:00:00Z","references":[
{"image":"123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1","by":"task/1"},
{"image":"123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1","by":"task/2"}
]}
`, store.Object("bucket/lists/222222222222/eu-west-1.json"))
	awstest.Equal(t, "calls of S3", map[string]int{"PUT": 1}, store.Calls)
	run := f.lines(t, "run")
	if len(run) != 1 || run[0]["mode"] != "references" || run[0]["incomplete"] != false || run[0]["references"].(map[string]any)["count"] != 2. {
		t.Errorf("lines of the run %v", run)
	}
	_, values := f.metrics(t)
	awstest.Equal(t, "metrics", map[string]string{"FunctionName": `"lists"`, "IncompleteRuns": "0 Count", "Duration": "0 Milliseconds"}, values)
}

// The whole object of the day before is replaced, and a location without a slash is the key.
func TestModeReferencesReplacesTheObject(t *testing.T) {
	t.Parallel()
	store := &awstest.S3{Objects: map[string]string{"bucket/list.json": strings.Repeat("x", 9999)}}
	f := writer(t, store, uses{})
	f.Configuration = `{"mode": "references", "protect": {"inUse": ["ecs"]}, "references": {"s3": "s3://bucket/list.json"}}`
	got := f.handle(t, `{"detail-type": "x", "detail": {}}`)
	awstest.Equal(t, "references", &report.References{Location: "s3://bucket/list.json"}, got.References)
	awstest.Equal(t, "list", `{"version":1,"account":"222222222222","region":"eu-west-1","time":"2026-03-01T12:00:00Z","references":[`+"\n]}\n", store.Object("bucket/list.json"))
}

// An incomplete list would look complete.
func TestModeReferencesWritesNothingAfterAFailure(t *testing.T) {
	t.Parallel()
	const target = "s3://bucket/lists/222222222222/eu-west-1.json"
	for name, test := range map[string]struct {
		source   uses
		denied   bool
		findings []finding.Finding
	}{
		"of a source": {uses{[]inuse.Use{made.Use("v1", "task/1")}, errors.New("denied; allow it")}, false, []finding.Finding{
			{Kind: finding.ScanFailed, Message: "in-use scan: ecs: denied; allow it"},
			{Kind: finding.ListNotWritten, Message: "nothing was written to " + target + ", because in-use sources failed: do what the findings say, and run again"},
		}},
		"of the call that writes": {uses{}, true, []finding.Finding{
			{Kind: finding.ListNotWritten, Message: "the list was not written: put " + target + ": access denied; allow the action s3:PutObject on it"},
		}},
	} {
		store := &awstest.S3{Objects: map[string]string{"bucket/lists/222222222222/eu-west-1.json": "before"}, Denied: map[string]bool{"PUT": test.denied}}
		f := writer(t, store, test.source)
		got := f.handle(t, `{"mode": "references"}`)
		awstest.Equal(t, name+": findings", test.findings, got.Findings)
		if !got.Incomplete || got.References != nil || got.Handled() || store.Object("bucket/lists/222222222222/eu-west-1.json") != "before" {
			t.Errorf("%s: %+v, written %q", name, got, store.Objects)
		}
		awstest.Equal(t, name+": lists not written", 1, got.Undone()["lists not written"])
		_, values := f.metrics(t)
		awstest.Equal(t, name+": metric", "1 Count", values["IncompleteRuns"])
	}
}

func TestModeReferencesWritesNothingWithAWrongClock(t *testing.T) {
	t.Parallel()
	store := &awstest.S3{}
	f := newFixture(t, writes)
	f.Now = func() time.Time { return now.Add(time.Hour) }
	f.serve(t, store, func(r *function.Registry) {
		r.Sources = func(config.Config, string) []inuse.Source { return []inuse.Source{uses{}} }
	})
	_, err := f.Handle(t.Context(), json.RawMessage(`{"mode": "references"}`))
	wantError[*function.RegistryError](t, err, "nothing was written: the clock of this machine is wrong")
	awstest.Equal(t, "calls of S3", 0, len(store.Calls))
}

func TestModeReferencesRefuses(t *testing.T) {
	t.Parallel()
	for event, configuration := range map[string]string{
		`{"mode": "references", "repositories": ["a"]}`:          writes,
		`{"mode": "references", "maxDeletions": 1}`:              writes,
		`{"mode": "references", "maxDeletionsPerRepository": 1}`: writes,
		`{"mode": "references", "maxDeletedPercent": 1}`:         writes,
		`{"repositories": ["a"]}`:                                `{"mode": "references", ` + writes[1:],
		`{"mode": "references", "policy": {"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan",
			"countNumber": 1}, "action": {"type": "expire"}}]}}`: writes,
	} {
		_, err := newFixture(t, configuration).Handle(t.Context(), json.RawMessage(event))
		wantError[*function.RequestError](t, err, `a request with "mode": "references" has no other field`)
	}
	_, err := newFixture(t, writes).Handle(t.Context(), json.RawMessage(`{"mode": "references", "s3": "s3://other/"}`))
	wantError[*function.RequestError](t, err, `s3: is not a known key`)
	f := newFixture(t, `{}`)
	_, err = f.Handle(t.Context(), json.RawMessage(`{"mode": "references"}`))
	wantError[*function.ConfigurationError](t, err, `add "references": {"s3": "s3://bucket/prefix/"}`)
	awstest.Equal(t, "connections", 0, f.connects)
	f = newFixture(t, `{"protect": {"inUse": []}, "references": {"s3": "s3://bucket/prefix/"}}`)
	_, err = f.Handle(t.Context(), json.RawMessage(`{"mode": "references"}`))
	wantError[*function.ConfigurationError](t, err, "the configuration names no source in protect.inUse; name one")
	f = writer(t, &awstest.S3{}, uses{})
	connect := f.Connect
	f.Connect = func(ctx context.Context) (function.Registry, error) {
		r, err := connect(ctx)
		r.Account = func(context.Context) (string, error) { return "", errors.New("no caller") }
		return r, err
	}
	_, err = f.Handle(t.Context(), json.RawMessage(`{"mode": "references"}`))
	wantError[*function.RegistryError](t, err, "no caller")
}

// reader returns a fixture of the registry's function, and the digests of v1, which account B
// uses, and v2. Both are old.
func reader(t *testing.T, store *awstest.S3) (f *fixture, v1, v2 string) {
	t.Helper()
	f = newFixture(t, strings.Replace(expireAll, `"inUse": []`,
		`"inUse": [], "references": ["s3://bucket/lists/"], "expect": ["222222222222/eu-west-1"]`, 1))
	f.serve(t, store, nil)
	return f, f.push("app", 9*day, "v1"), f.push("app", 9*day, "v2")
}

// The function of account B writes, and that of the registry reads.
func TestAListFromAnotherAccountProtects(t *testing.T) {
	t.Parallel()
	store := &awstest.S3{}
	writer(t, store, uses{all: []inuse.Use{made.Use("v1", "task/1")}}).handle(t, `{"mode": "references"}`)
	f, v1, _ := reader(t, store)
	got := f.handle(t, `{"mode": "apply"}`)
	left := f.registry.Images("app")
	if got.Incomplete || got.Totals.Deleted != 1 || len(left) != 1 || left[0].Digest != v1 {
		t.Errorf("report %+v, left %v", got, left)
	}
	awstest.Equal(t, "uses", map[string]int{"s3://bucket/lists/": 0, "s3://bucket/lists/222222222222/eu-west-1": 1}, got.InUse)
}

// Nothing that account B could use is removed if its list is missing, old or another's.
func TestAListThatIsNotGoodKeepsWhatItsAccountMayUse(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"missing":                         "",
		"of yesterday":                    awstest.ListOf(accountB, "eu-west-1", 37*time.Hour, registryHost+"app:v1"),
		"of account C under the key of B": awstest.ListOf("333333333333", "eu-west-1", 0, registryHost+"app:v1"),
		"plain":                           registryHost + "app:v1",
	} {
		store := &awstest.S3{Objects: map[string]string{}}
		if content != "" {
			store.Objects["bucket/lists/222222222222/eu-west-1.json"] = content
		}
		f, _, _ := reader(t, store)
		f.registry.SetRepositoryPolicy("app", `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "ecr:*"}]}`)
		if got := f.handle(t, `{"mode": "apply"}`); !got.Incomplete || len(f.registry.Images("app")) != 2 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	// No policy admits account B to the repository, but an old list says that B uses it.
	const old = "bucket/lists/222222222222/eu-west-1.json"
	for content, want := range map[string]int{awstest.ListOf(accountB, "eu-west-1", 99*day, registryHost+"app:v1"): 2, "[]": 0} {
		f, _, _ := reader(t, &awstest.S3{Objects: map[string]string{old: content}})
		got := f.handle(t, `{"mode": "apply"}`)
		awstest.Equal(t, "images left after "+content, want, len(f.registry.Images("app")))
		awstest.Equal(t, "incomplete", true, got.Incomplete)
	}
	f, _, _ := reader(t, &awstest.S3{Denied: map[string]bool{"LIST": true}})
	if got := f.handle(t, `{"mode": "apply"}`); got.Repositories[0].Skipped != plan.SkipScanFailed || len(f.registry.Images("app")) != 2 {
		t.Errorf("denied listing: %+v", got)
	}
}

// A source of the configuration that no scan queries would protect nothing.
func TestEverySourceOfAPrefixIsQueried(t *testing.T) {
	t.Parallel()
	c := made.Configure(t, `{"protect": {"inUse": [], "references": ["s3://bucket/lists/"], "expect": ["222222222222/eu-west-1"]},
		"policies": [{"repositories": ["a"], "protect": {"expect": ["222222222222/eu-west-1", "333333333333/us-east-1"]}, "policy": "attached"},
			{"repositories": ["b"], "protect": {"references": ["s3://bucket/other/"], "expect": ["444444444444/us-east-1"]}, "policy": "attached"}]}`)
	names := map[string]int{}
	for _, source := range function.Connect(awsclient.Local("http://127.0.0.1:1", "eu-west-1"), clock).Sources(c, "run-1") {
		names[source.Name()]++
	}
	for _, p := range []config.Protect{c.Protect, c.Policies[0].Protect, c.Policies[1].Protect} {
		for _, name := range p.Sources() {
			awstest.Equal(t, "sources with the name "+name, 1, names[name])
		}
	}
	awstest.Equal(t, "sources", 5, len(names))
}
