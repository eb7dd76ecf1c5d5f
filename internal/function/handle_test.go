package function_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

func TestHandlePlansUnlessToldToApply(t *testing.T) {
	t.Parallel()
	for _, event := range []string{
		`{}`, `{"mode": "plan"}`, `{"detail-type": "Scheduled Event", "detail": {}}`, `{"detail-type": "Scheduled Event", "detail": "{}"}`,
	} {
		f := newFixture(t, expireAll)
		f.push("app", 9*day)
		report := f.handle(t, event)
		if report.Mode != config.Plan || report.Totals.Expired != 1 || report.Totals.Deleted != 0 || len(f.registry.Images("app")) != 1 {
			t.Errorf("%s: mode %s, totals %+v", event, report.Mode, report.Totals)
		}
		if calls := f.registry.Calls(); calls["BatchDeleteImage"]+calls["UpdateImageStorageClass"] > 0 {
			t.Errorf("%s: calls %v", event, calls)
		}
	}
}

func TestHandleApplies(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ configuration, event string }{
		"by the request":       {expireAll, `{"mode": "apply"}`},
		"by the configuration": {`{"mode": "apply", ` + expireAll[1:], `{}`},
		"by an envelope":       {expireAll, `{"detail-type": "x", "detail": "{\"mode\": \"apply\"}"}`},
	} {
		f := newFixture(t, test.configuration)
		f.push("app", 9*day)
		young := f.push("app", time.Hour)
		report := f.handle(t, test.event)
		left := f.registry.Images("app")
		if report.Mode != config.Apply || report.Totals.Deleted != 1 || len(left) != 1 || left[0].Digest != young {
			t.Errorf("%s: mode %s, totals %+v", name, report.Mode, report.Totals)
		}
	}
}

func TestHandleFillsTheReport(t *testing.T) {
	t.Parallel()
	f := newFixture(t, expireAll)
	f.push("app", 9*day)
	f.later(time.Minute)
	got := f.handle(t, `{"mode": "apply"}`)
	if got.Version != 1 || got.RunID != "run-1" || got.Account != "123456789012" || got.Region != "eu-west-1" ||
		!got.Start.Equal(now) || got.Start.Location() != time.UTC || !got.End.Equal(now.Add(time.Minute)) || got.Incomplete {
		t.Errorf("report %+v", got)
	}
	if diff := cmp.Diff(f.registry.Calls(), got.Calls); diff != "" || len(got.Calls) == 0 {
		t.Errorf("calls mismatch (-registry +report):\n%s", diff)
	}
	c, _ := config.Parse([]byte(expireAll))
	if want, err := c.Hash(); err != nil || got.Configuration != want {
		t.Errorf("configuration %s, want %s (%v)", got.Configuration, want, err)
	}
}

func TestARequestNarrows(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `{"repositories": {"exclude": ["team/secret"]}, `+expireAll[1:])
	for _, name := range []string{"team/a", "team/b", "team/secret", "other"} {
		f.push(name, 9*day)
	}
	report := f.handle(t, `{"mode": "apply", "repositories": ["team/*"], "maxDeletions": 1}`)
	if report.Totals.Repositories != 2 || report.Totals.Deleted != 1 || report.Handled() {
		t.Errorf("totals %+v", report.Totals)
	}
	awstest.Equal(t, "images outside the request", 3, len(f.registry.Images("team/secret"))+len(f.registry.Images("other"))+len(f.registry.Images("team/b")))
	whole, _ := config.Parse([]byte(`{"repositories": {"exclude": ["team/secret"]}, ` + expireAll[1:]))
	if want, err := whole.Hash(); err != nil || report.Configuration != want {
		t.Errorf("the hash is that of the narrowed configuration (%v)", err)
	}
}

// A request for repositories that do not exist is an error, also if the rest of it is valid.
func TestARequestWithoutRepositoriesIsAnError(t *testing.T) {
	t.Parallel()
	for event, words := range map[string]string{
		`{"mode": "apply", "repositories": ["team/a", "team/x", "y*"]}`:      "no repository matches team/x (did you mean team/a?), y*; nothing was done",
		`{"mode": "apply", "repositories": ["team/*", "team/secret"]}`:       "the configuration excludes all that matches team/secret; nothing was done",
		`{"detail-type": "x", "detail": {"repositories": ["team/x"]}}`:       "no repository matches team/x",
		`{"detail-type": "x", "detail": "{\"repositories\": [\"team/x\"]}"}`: "no repository matches team/x",
	} {
		f := newFixture(t, `{"repositories": {"exclude": ["team/secret"]}, `+expireAll[1:])
		f.push("team/a", 9*day)
		f.push("team/secret", 9*day)
		report, err := f.Handle(t.Context(), []byte(event))
		wantError[*function.RequestError](t, err, words)
		if diff := cmp.Diff(map[string]int{"DescribeRepositories": 1}, f.registry.Calls()); diff != "" || report != nil {
			t.Errorf("%s: report %v, calls mismatch (-want +got):\n%s", event, report, diff)
		}
	}
	empty := newFixture(t, expireAll)
	if report := empty.handle(t, `{"mode": "apply"}`); report.Incomplete || report.Totals.Repositories != 0 {
		t.Errorf("an empty registry: %+v", report)
	}
	_, err := empty.Handle(t.Context(), []byte(`{"repositories": ["*"]}`))
	wantError[*function.RequestError](t, err, "no repository matches *")
}

func TestAPolicyOfTheRequestIsPlanned(t *testing.T) {
	t.Parallel()
	const request = `{"policy": {"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}]}`
	f := newFixture(t, `{"policies": [], "protect": {"inUse": [], "keepNewest": 0, "pushedWithinHours": 0}}`)
	f.push("app", 2*time.Hour)
	f.push("app", time.Hour)
	if report := f.handle(t, request+`}`); report.Totals.Expired != 1 || report.Repositories[0].Policy != "request" {
		t.Errorf("totals %+v", report.Totals)
	}
	_, err := f.Handle(t.Context(), []byte(request+`, "mode": "apply"}`))
	wantError[*function.RequestError](t, err, `request: a request with "policy" only plans`)
	if !errors.Is(err, config.ErrPolicyInApply) || f.connects != 1 {
		t.Errorf("%v after %d connections", err, f.connects)
	}
}

func TestABadRequestMakesNoCall(t *testing.T) {
	t.Parallel()
	for event, words := range map[string]string{
		``:                        "request: 1:1: is empty",
		`null`:                    "request: 1:1: must be an object, is null",
		`{"Mode": "apply"}`:       `request: 1:2: Mode: is not a known key`,
		`{"repositories": []}`:    "request: 1:18: repositories: is empty",
		`{"detail-type": "x"}`:    `request: 1:1: is an EventBridge envelope without "detail"`,
		`{"mode": 1, "other": 2}`: `must be a string, is a number; 1:13: other: is not a known key`,
	} {
		f := newFixture(t, expireAll)
		report, err := f.Handle(t.Context(), []byte(event))
		wantError[*function.RequestError](t, err, words)
		if report != nil || f.connects != 0 || len(f.registry.Calls()) > 0 {
			t.Errorf("%s: report %+v after %d connections", event, report, f.connects)
		}
	}
}

func TestABadConfigurationMakesNoCall(t *testing.T) {
	t.Parallel()
	for configuration, words := range map[string]string{
		`{"mode": "go"}`:       `configuration: 1:10: mode: "go" is not known`,
		`missing.json`:         "read configuration: file does not exist",
		`{"policies": [null]}`: "configuration: 1:15: policies[0]: must be an object, is null",

		`{"protect": {"kubeconfig": "k"}}`: "configuration: protect.kubeconfig: only ecrclean reads a kubeconfig, not the function",
	} {
		f := newFixture(t, configuration)
		_, err := f.Handle(t.Context(), []byte(`{}`))
		wantError[*function.ConfigurationError](t, err, words)
		awstest.Equal(t, configuration+": connections", 0, f.connects)
	}
	f := newFixture(t, `missing.json`)
	_, err := f.Handle(t.Context(), []byte(`{}`))
	awstest.ErrorIs(t, "a missing file", err, fs.ErrNotExist)
}

// Ignoring an unsupported protection would delete images.
func TestApplyRefusesUnsupportedFields(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `{"report": {"html": true, "sns": "arn:aws:sns:eu-west-1:123456789012:t"}}`)
	f.push("app", 9*day)
	_, err := f.Handle(t.Context(), []byte(`{"mode": "apply"}`))
	wantError[*function.ConfigurationError](t, err,
		`configuration: apply does not support these yet: report.html (set false); report.sns (set "")`)
	if unsupported, ok := errors.AsType[*config.UnsupportedError](err); !ok || len(unsupported.Fields) != 2 || f.connects != 0 {
		t.Errorf("%v after %d connections", err, f.connects)
	}
	f.handle(t, `{}`) // a plan goes ahead, and says so
	got := f.lines(t, "plan does not consider all of the configuration")
	if len(got) != 1 || got[0]["level"] != "WARN" || len(got[0]["fields"].([]any)) != 2 {
		t.Errorf("log lines %v", got)
	}
}

func TestARegistryThatCannotBeListedIsAnError(t *testing.T) {
	t.Parallel()
	f := newFixture(t, expireAll)
	f.push("app", 9*day)
	f.registry.Fail("DescribeRepositories", "", "AccessDeniedException")
	report, err := f.Handle(t.Context(), []byte(`{"mode": "apply"}`))
	wantError[*function.RegistryError](t, err, "not authorized to perform: ecr:DescribeRepositories")
	if report != nil || len(f.registry.Images("app")) != 1 {
		t.Errorf("report %+v", report)
	}
	broken := errors.New("no credentials")
	f.Connect = func(context.Context) (function.Registry, error) { return function.Registry{}, broken }
	_, err = f.Handle(t.Context(), []byte(`{}`))
	wantError[*function.RegistryError](t, err, "no credentials")
	awstest.ErrorIs(t, "a wrapped cause", err, broken)
}

func TestFailuresInRepositoriesAreInTheReport(t *testing.T) {
	t.Parallel()
	f := newFixture(t, expireAll)
	f.push("app", 9*day)
	f.push("other", 9*day)
	f.registry.Fail("DescribeImages", "app", "AccessDeniedException")
	report := f.handle(t, `{"mode": "apply"}`)
	if !report.Incomplete || report.Totals.Deleted != 1 || report.Repositories[0].Skipped != "failed" {
		t.Errorf("report %+v", report)
	}
}

func TestWarningsAreLogged(t *testing.T) {
	t.Parallel()
	const odd = `{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "tagged", "tagPrefixList": ["a", "a"],
		"countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}]}`
	f := newFixture(t, `{"policies": [{"policy": `+odd+`}]}`)
	f.handle(t, `{"policy": `+odd+`}`)
	got := f.lines(t, "suspicious")
	want := map[string]string{
		"request":       `1:103: policy.rules[0].selection.tagPrefixList[1]: warning: "a" is in the list already; once is enough`,
		"configuration": `1:117: policies[0].policy.rules[0].selection.tagPrefixList[1]: warning: "a" is in the list already; once is enough`,
	}
	for _, line := range got {
		if document, _ := line["document"].(string); line["problem"] != want[document] || line["level"] != "WARN" {
			t.Errorf("log line %v, want %q", line, want[document])
		}
	}
	if len(got) != 2 {
		t.Errorf("%d log lines, want one for each document", len(got))
	}
}
