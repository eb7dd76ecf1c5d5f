package function_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
)

const memberRole = "arn:aws:iam::222222222222:role/ecr-cleaner-member"

// inAccount returns a fixture with an account that runs app:v1 in ECS, in every Region, and
// with the images app:v1 and app:v2. Neither runs in the registry's own account.
func inAccount(t *testing.T, account string) (*fixture, *inusetest.STS) {
	t.Helper()
	f := newFixture(t, strings.Replace(expireAll, `"inUse": []`, `"inUse": [], "taskDefinitionRevisions": 0, "accounts": [`+account+`]`, 1))
	f.push("app", 9*day, "v1")
	f.push("app", 9*day, "v2")
	sts, runs := &inusetest.STS{}, oneService(inusetest.Registry+"app:v1")
	f.connect(awstest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch account, _, service := inusetest.Signer(r); {
		case service == "sts":
			sts.ServeHTTP(w, r)
		case account == "222222222222":
			runs(w, r)
		default:
			f.registry.ServeHTTP(w, r)
		}
	})))
	return f, sts
}

// Without Regions, an account is queried in the registry's. The run's ID is the name of the
// session, so that both logs of CloudTrail have it.
func TestImagesOfAnotherAccountStay(t *testing.T) {
	t.Parallel()
	f, sts := inAccount(t, `{"roleArn": "`+memberRole+`", "inUse": ["ecs"]}`)
	report := f.handle(t, `{"mode": "apply"}`)
	left := f.registry.Images("app")
	if len(left) != 1 || left[0].Tags[0] != "v1" || !report.Handled() {
		t.Errorf("left: %+v; findings: %v", left, report.Findings)
	}
	awstest.Equal(t, "uses", map[string]int{"ecs@222222222222/eu-west-1": 1}, report.InUse)
	for _, call := range sts.Assumed() {
		awstest.Equal(t, "role and session", memberRole+" run-1", call.Get("RoleArn")+" "+call.Get("RoleSessionName"))
		awstest.Equal(t, "an external ID", false, call.Has("ExternalId"))
	}
	awstest.Equal(t, "run in the report", "run-1", report.RunID)
}

func TestAnAccountThatDeniesItsRole(t *testing.T) {
	t.Parallel()
	f, sts := inAccount(t, `{"roleArn": "`+memberRole+`", "externalId": "the-word", "inUse": ["ecs"], "regions": ["us-east-1", "eu-west-1"]}`)
	sts.Refuse = func(form url.Values) (int, string, string) {
		if form.Get("Action") == "AssumeRole" {
			return http.StatusForbidden, "AccessDenied", "not authorized to perform: sts:AssumeRole"
		}
		return 0, "", ""
	}
	report := f.handle(t, `{"mode": "apply"}`)
	awstest.Equal(t, "handled", false, report.Handled())
	failed := 0
	for _, found := range report.Findings {
		if found.Kind == finding.ScanFailed {
			awstest.Contains(t, found.Message, "in-use scan: ecs@222222222222/", "assume role "+memberRole, "denied to arn:aws:iam::123456789012:role/cleaner")
			failed++
		}
	}
	awstest.Equal(t, "findings", 2, failed)
	if strings.Contains(f.log.String(), "the-word") {
		t.Error("the external ID is in the log")
	}
}

// The activity of images is that of the registry, whose account all sources need to know.
func TestSourcesElsewhereKnowTheActivityHere(t *testing.T) {
	t.Parallel()
	f, _ := inAccount(t, `{"roleArn": "`+memberRole+`", "inUse": ["ecs"], "regions": ["us-east-1", "eu-west-1", "eu-north-1"]}`)
	f.Configuration = strings.Replace(f.Configuration, `"taskDefinitionRevisions": 0`, `"taskDefinitionRevisions": 1, "ecs": {"familyDays": 5}`, 1)
	report := f.handle(t, `{"mode": "plan"}`)
	awstest.Equal(t, "findings", 0, len(report.Findings))
	awstest.Equal(t, "calls of DescribeRepositories by the run and by all sources", 2, f.registry.Calls()["DescribeRepositories"])
}

// A source that the configuration names and that nothing queries has failed.
func TestASourceThatIsNotQueriedHasFailed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, strings.Replace(expireAll, `"inUse": []`, `"inUse": ["ecs"], "regions": ["us-east-1"]`, 1))
	f.push("app", 9*day, "v1")
	report := f.handle(t, `{"mode": "apply"}`)
	awstest.Equal(t, "images that are left", 1, len(f.registry.Images("app")))
	var messages []string
	for _, found := range report.Findings {
		messages = append(messages, found.Message)
	}
	const why = ": it was not queried: the program is faulty; please report it"
	awstest.Equal(t, "findings", []string{"in-use scan: ecs" + why, "in-use scan: ecs@us-east-1" + why}, messages)
}
