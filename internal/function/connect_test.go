package function_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

var clock = awstest.Clock

// The registry of the environment is used from end to end.
func TestConnectorConnectsToTheRegistryOfTheEnvironment(t *testing.T) {
	_, cfg := awstest.Registry(t)
	awstest.Environment(t, *cfg.BaseEndpoint)
	r, err := function.Connector(os.Getenv)("", "eu-north-1", clock)(t.Context())
	if err != nil || r.Region != "eu-north-1" {
		t.Fatalf("Connector: region %q, %v", r.Region, err)
	}
	for repository, err := range r.Reader.Repositories(t.Context()) {
		if err != nil || repository.Name != "app" {
			t.Errorf("Repositories yields %+v, %v", repository, err)
		}
	}
	awstest.Equal(t, "DescribeRepositories calls", 1, r.Calls()["DescribeRepositories"])
	account, err := r.Account(t.Context())
	awstest.NoError(t, err)
	awstest.Equal(t, "account", "123456789012", account)
	t.Setenv("AWS_REGION", "")
	_, err = function.Connector(os.Getenv)("", "", clock)(t.Context())
	awstest.ErrorIs(t, "no Region", err, awsclient.ErrNoRegion)
}

// If any of the calls fails, it is unknown whether pulls are recorded.
func TestConnectFindsOutWhetherPullsAreRecorded(t *testing.T) {
	t.Parallel()
	const role = "arn:aws:iam::123456789012:role/cleaner"
	registry, cfg := awstest.Registry(t)
	r := function.Connect(cfg, clock)
	awstest.Equal(t, "without an exclusion", plan.OwnPulls{Principal: role}, r.OwnPulls(t.Context()))
	registry.ExcludePulls(true)
	registry.FailNext("ListPullTimeUpdateExclusions", "", "ThrottlingException", 1)
	registry.FailNext("GetCallerIdentity", "", "Throttling", 1)
	awstest.Equal(t, "with an exclusion, and each call throttled once", plan.OwnPulls{Excluded: true, Principal: role}, r.OwnPulls(t.Context()))
	registry.Fail("ListPullTimeUpdateExclusions", "", "AccessDeniedException")
	if got := r.OwnPulls(t.Context()); got.Excluded || got.Err == nil {
		t.Errorf("where the exclusions cannot be read: %+v", got)
	}
	registry.Fail("ListPullTimeUpdateExclusions", "", "")
	registry.Fail("GetCallerIdentity", "", "AccessDenied")
	if got := r.OwnPulls(t.Context()); got.Excluded || got.Err == nil {
		t.Errorf("where the caller is not known: %+v", got)
	}
	registry.ExcludePulls(false)
	awstest.Equal(t, "where nobody is excluded, whoever the caller is", plan.OwnPulls{}, r.OwnPulls(t.Context()))
}

// An excluded principal with an unreadable ARN may be the caller.
func TestAnUnreadableExclusionIsAnError(t *testing.T) {
	t.Parallel()
	const role = "arn:aws:iam::123456789012:role/cleaner"
	for arns, want := range map[string]string{
		`"` + role + `"`: "excluded", `"arn:aws:iam::123456789012:role/path/cleaner"`: "excluded", `"arn:aws:iam::123456789012:role/other"`: "",
		`"arn:aws:iam::123456789012:user/cleaner"`: "", `"arn:aws:iam::123456789012:root"`: "",
		`"cleaner"`: "unknown", `""`: "unknown", `"arn:aws:iam::123456789012:role/*"`: "unknown", `"arn:aws:iam::123456789012:group/all"`: "unknown",
		`"cleaner", "` + role + `"`: "excluded",
	} {
		registry := fakeecr.New()
		cfg := awstest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ListPullTimeUpdateExclusions") {
				registry.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			fmt.Fprintf(w, `{"pullTimeUpdateExclusions": [%s]}`, arns)
		}))
		got := function.Connect(cfg, time.Now).OwnPulls(t.Context())
		if got.Excluded != (want == "excluded") || (got.Err != nil) != (want == "unknown") {
			t.Errorf("%s: %+v, want %q", arns, got, want)
		}
	}
}

// An emulator that does not know exclusions has none, and gets one call.
func TestAnEmulatorThatKnowsNoExclusions(t *testing.T) {
	t.Parallel()
	registry, asked := fakeecr.New(), 0
	cfg := awstest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ListPullTimeUpdateExclusions") {
			asked++
			http.Error(w, "<html>Internal Server Error</html>", http.StatusInternalServerError)
			return
		}
		registry.ServeHTTP(w, r)
	}))
	got := function.Connect(cfg, time.Now).OwnPulls(t.Context())
	if got.Excluded || got.Err != nil || asked != 1 {
		t.Errorf("%+v, asked %d times", got, asked)
	}
}

// A run reads the pull-time exclusions once, and only if it reads a manifest.
func TestARunAsksOnceWhetherPullsCount(t *testing.T) {
	t.Parallel()
	f := newFixture(t, expireAll)
	for _, name := range []string{"app", "other"} {
		f.push(name, 9*day)
		f.registry.Put(name, fakeecr.Image{PushedAt: now.Add(-9 * day), Children: []string{f.push(name, 9*day)}})
	}
	f.handle(t, `{}`)
	awstest.Equal(t, "ListPullTimeUpdateExclusions calls", 1, f.registry.Calls()["ListPullTimeUpdateExclusions"])
}

func TestConnectQueriesTheConfiguredSources(t *testing.T) {
	t.Parallel()
	r := function.Connect(awsclient.Local("http://127.0.0.1:1", "eu-west-1"), clock)
	for text, want := range map[string]string{
		`{}`:                                 "ecs lambda",
		`{"protect": {"inUse": ["lambda"]}}`: "lambda",
		`{"protect": {"inUse": ["eks"]}}`:    "eks",
		`{"protect": {"inUse": []}}`:         "",
		`{"protect": {"inUse": [], "references": ["b", "a"]}, "policies": [{"protect": {"inUse": ["ecs"]}}]}`: "ecs a b",
		`{"protect": {"inUse": ["ecs"], "regions": ["us-east-1"], "references": ["a"]}}`:                      "ecs a ecs@us-east-1",
	} {
		c, problems := config.Parse([]byte(text))
		awstest.Empty(t, "problems", problems)
		var names []string
		for _, source := range r.Sources(c, "run-1") {
			names = append(names, source.Name())
		}
		awstest.Equal(t, text+": sources", want, strings.Join(names, " "))
	}
}

// An error page in answer to a question about service revisions means that an
// emulator has none. Whatever may be AWS, in a VPC or behind a proxy, has failed.
func TestConnectTellsEmulatorsOfECSByTheirEndpoint(t *testing.T) {
	t.Parallel()
	plain, secure := httptest.NewServer(oneService("nginx")), httptest.NewTLSServer(oneService("nginx"))
	defer plain.Close()
	defer secure.Close()
	c, problems := config.Parse([]byte(`{"protect": {"inUse": ["ecs"], "taskDefinitionRevisions": 0}}`))
	awstest.Empty(t, "problems", problems)
	for server, fails := range map[*httptest.Server]bool{plain: false, secure: true} {
		cfg := awsclient.Local(server.URL, "eu-west-1")
		cfg.HTTPClient, cfg.Retryer = server.Client(), func() aws.Retryer { return aws.NopRetryer{} }
		scan := inuse.Scope{}.Run(t.Context(), function.Connect(cfg, clock).Sources(c, "run-1"), now)
		if failed := len(scan.Failed) > 0; failed != fails {
			t.Errorf("%s: failures %v, want some: %t", server.URL, scan.Failed, fails)
		}
	}
}

// oneService plays an ECS that has one service and one idle family, with that image. It
// answers to questions about deployments with an error page.
func oneService(image string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		answer, known := map[string]string{
			"ListClusters":               `{"clusterArns": ["prod"]}`,
			"ListTasks":                  `{"taskArns": []}`,
			"ListServices":               `{"serviceArns": ["s"]}`,
			"DescribeServices":           `{"services": [{"serviceArn": "s", "taskDefinition": "app:1"}]}`,
			"ListTaskDefinitionFamilies": `{"families": ["idle"]}`,
			"ListTaskDefinitions":        `{"taskDefinitionArns": ["arn:aws:ecs:eu-west-1:222222222222:task-definition/idle:1"]}`,
			"DescribeTaskDefinition":     `{"taskDefinition": {"registeredAt": 1, "containerDefinitions": [{"image": "` + image + `"}]}}`,
		}[operation]
		if !known {
			http.Error(w, "<html>Internal Server Error</html>", http.StatusInternalServerError)
			return
		}
		_, _ = w.Write([]byte(answer)) // the client reports a wrong answer
	}
}

// A list of references is a file or an S3 object, and protects the images in it.
func TestListsOfReferencesProtect(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	f.connect(awstest.Serve(t, f.registry))
	listed := f.push("app", 9*day, "v1")
	f.push("app", 9*day, "v2")
	name := filepath.Join(t.TempDir(), "list.txt")
	awstest.NoError(t, os.WriteFile(name, []byte("123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1\n"), 0o600))
	f.Configuration = strings.Replace(expireAll, `"inUse": []`, `"inUse": [], "references": ["`+name+`"]`, 1)
	report := f.handle(t, `{"mode": "apply"}`)
	if left := f.registry.Images("app"); len(left) != 1 || left[0].Digest != listed || report.InUse[name] != 1 {
		t.Errorf("%d images are left, uses %v, %+v", len(left), report.InUse, report.Repositories)
	}
	for _, location := range []string{name + ".missing", "s3://bucket/key"} {
		f.Configuration = strings.Replace(expireAll, `"inUse": []`, `"inUse": [], "references": ["`+location+`"]`, 1)
		report := f.handle(t, `{"mode": "apply"}`)
		if got := report.Repositories[0]; got.Skipped != plan.SkipScanFailed || !strings.Contains(got.Message, location) {
			t.Errorf("%s: skipped %q: %s", location, got.Skipped, got.Message)
		}
	}
}

// The modification time of a regular file is the time of its list. Other files have no such time.
func TestListsInFilesHaveAMaximumAge(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	f.connect(awstest.Serve(t, f.registry))
	f.push("app", 9*day, "v1")
	name := filepath.Join(t.TempDir(), "list.txt")
	awstest.NoError(t, os.WriteFile(name, []byte("123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1\n"), 0o600))
	for _, c := range []struct {
		location, setting string
		age               time.Duration
		want              string
	}{
		{name, "", 1000 * day, ""},
		{name, `, "referencesMaxAgeHours": 48`, 2 * day, ""},
		{name, `, "referencesMaxAgeHours": 48`, 2*day + time.Second, "the list is more than 48 hours old; write it again"},
		{os.DevNull, `, "referencesMaxAgeHours": 48`, 0, "the list is empty"},
	} {
		if c.location == name {
			awstest.NoError(t, os.Chtimes(name, now, now.Add(-c.age)))
		}
		f.Configuration = strings.Replace(expireAll, `"inUse": []`, `"inUse": [], "references": ["`+c.location+`"]`+c.setting, 1)
		report := f.handle(t, `{"mode": "apply"}`)
		if got := report.Repositories[0]; !strings.Contains(got.Message, c.want) || (c.want == "") != (got.Skipped == "") || len(f.registry.Images("app")) != 1 {
			t.Errorf("%s, %v old%s: skipped %q: %s", c.location, c.age, c.setting, got.Skipped, got.Message)
		}
	}
}

// If a service does not answer, the cleaner deletes nothing.
func TestASourceThatDoesNotAnswerKeepsAllImages(t *testing.T) {
	t.Parallel()
	f := newFixture(t, strings.Replace(expireAll, `"inUse": []`, `"inUse": ["ecs", "lambda"]`, 1))
	f.connect(awstest.Serve(t, f.registry)) // it has neither service
	f.push("app", 9*day)
	report := f.handle(t, `{"mode": "apply"}`)
	if report.Repositories[0].Skipped != plan.SkipScanFailed || report.Totals.Deleted != 0 || !report.Incomplete {
		t.Errorf("%+v", report.Repositories[0])
	}
}

func TestPutObjectWritesToTheStore(t *testing.T) {
	t.Parallel()
	_, cfg := awstest.Registry(t) // it has no S3
	r := function.Connect(cfg, clock)
	err := r.PutObject(t.Context(), "s3://bucket/key", []byte("x"))
	if err == nil || !strings.HasPrefix(err.Error(), "put s3://bucket/key: S3 answered 4") {
		t.Errorf("PutObject: %v", err)
	}
}

// A silent client gets no answer, as in a VPC without an endpoint.
var silent = awstest.Client(func(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
})

func TestOwnPullsAreNotWaitedForWithoutEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if got := function.Connect(awstest.Offline(silent), time.Now).OwnPulls(t.Context()); got.Excluded || got.Err == nil {
			t.Errorf("%+v, although nobody answered", got)
		}
		if waited := time.Since(start); waited > time.Minute {
			t.Errorf("waited for %v", waited)
		}
	})
}

// A family that nothing names protects its image until its images were idle for so long.
func TestIdleFamiliesProtectNothingAfterFamilyDays(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	families := `{"families": ["preview"]}`
	f.connect(awstest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		target := r.Header.Get("X-Amz-Target")
		_, operation, _ := strings.Cut(target, ".")
		if !strings.HasPrefix(target, "AmazonEC2ContainerServiceV20141113.") {
			f.registry.ServeHTTP(w, r)
			return
		}
		answer, known := map[string]string{
			"ListClusters":               `{"clusterArns": []}`,
			"ListDaemonTaskDefinitions":  `{"daemonTaskDefinitions": []}`,
			"ListTaskDefinitionFamilies": families,
			"ListTaskDefinitions":        `{"taskDefinitionArns": ["arn:aws:ecs:eu-west-1:123456789012:task-definition/preview:1"]}`,
			"DescribeTaskDefinition": `{"taskDefinition": {"registeredAt": 1, "containerDefinitions": [
				{"image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1"}, {"image": "999999999999.dkr.ecr.eu-west-1.amazonaws.com/app:v1"},
				{"image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:v1"}, {"image": "nginx"}]}}`,
		}[operation]
		if !known {
			t.Errorf("unexpected call %s", operation)
		}
		_, _ = w.Write([]byte(answer)) // the client reports a wrong answer
	})))
	f.push("app", 40*day, "v1")
	for days, left := range map[int]int{0: 1, 41: 1, 39: 0} {
		f.Configuration = strings.Replace(expireAll, `"inUse": []`, fmt.Sprintf(`"inUse": ["ecs"], "ecs": {"familyDays": %d}`, days), 1)
		report := f.handle(t, `{"mode": "plan"}`)
		if got := report.Totals.Protected; got != left || report.Incomplete {
			t.Errorf("after %d days %d images are protected, want %d: %+v", days, got, left, report.Findings)
		}
	}
	f.registry.Fail("DescribeImages", "", "AccessDeniedException")
	if report := f.handle(t, `{"mode": "plan"}`); report.Totals.Expired != 0 {
		t.Errorf("without the times of the images: %+v", report.Totals)
	}
}
