package emrserverless_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/emrserverless"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// The answers are written from the documentation of the API. The SDK's module reads those
// about applications, and has no images of job runs yet. Moto has no images at all.
// https://docs.aws.amazon.com/emr-serverless/latest/APIReference/API_JobRun.html

type object = inusetest.Object

const registry = inusetest.Registry

var sha = inusetest.Digest

func newSource(cfg aws.Config) inuse.Source {
	return emrserverless.New(query.Environment{AWS: cfg, Clock: awstest.Clock})
}

func image(name, digest string) object {
	image := object{"imageUri": registry + name}
	if digest != "" {
		image["resolvedImageDigest"] = digest
	}
	return object{"imageConfiguration": image}
}

func with(o object, name string, value any) object {
	o[name] = value
	return o
}

// busy returns a service with a started application, one without an image, one that was
// never started and one that is gone. The job run is older than the image of its application.
func busy() *inusetest.Service {
	started := with(image("spark:v2", sha("2")), "workerTypeSpecifications", object{"EXECUTOR": image("worker:v1", sha("3")), "DRIVER": object{}})
	s := &inusetest.Service{
		Call: call, Token: "nextToken", Missing: inusetest.Fault{Status: http.StatusNotFound, Code: "ResourceNotFoundException", Message: "no such application"},
		Lists: map[string]inusetest.List{
			"ListApplications": {Member: "applications", Items: []object{
				{"id": "a1", "arn": "started", "state": "STARTED"},
				{"id": "a2", "arn": "plain", "state": "STOPPED"},
				{"id": "a3", "arn": "new", "state": "CREATED"},
				{"id": "a4", "arn": "gone", "state": "TERMINATED"},
			}},
		},
		Objects: map[string]object{
			"GetApplication a1": {"application": with(started, "state", "STARTED")},
			"GetApplication a2": {"application": object{"state": "STOPPED"}},
			"GetApplication a3": {"application": with(with(image("next:v1", ""), "state", "CREATED"), "interactiveConfiguration", object{"studioEnabled": true})},
			"GetApplication a4": {"application": image("gone:v1", sha("4"))},
			"GetJobRun j1":      {"jobRun": image("spark:v1", sha("1"))},
			"GetJobRun j2":      {"jobRun": object{"jobRunId": "j2"}},
		},
	}
	for _, of := range []string{"a1", "a2", "a3"} {
		for _, state := range []string{"SUBMITTED", "QUEUED", "PENDING", "SCHEDULED", "RUNNING", "CANCELLING"} {
			s.Lists["ListJobRuns "+of+" "+state] = inusetest.List{Member: "jobRuns"}
		}
	}
	run(s, "a1", "j1", "RUNNING")
	run(s, "a1", "j2", "PENDING")
	return s
}

// run adds a job run to an application.
func run(s *inusetest.Service, of, id, state string) {
	s.Lists["ListJobRuns "+of+" "+state] = inusetest.List{Member: "jobRuns", Items: []object{{"id": id, "arn": id, "state": state}}}
}

func call(r *http.Request, _ object) string {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch len(parts) {
	case 1:
		return "ListApplications"
	case 2:
		return "GetApplication " + parts[1]
	case 3:
		return "ListJobRuns " + parts[1] + " " + r.URL.Query().Get("states")
	}
	return "GetJobRun " + parts[3]
}

func source(t *testing.T, s *inusetest.Service) inuse.Source {
	t.Helper()
	return newSource(inusetest.Config(t, s))
}

func TestApplicationsAndJobRunsUseTheirImages(t *testing.T) {
	t.Parallel()
	inusetest.WantUses(t, source(t, busy()),
		"spark:v2 started", "spark:v2@"+sha("2")+" started", "worker:v1 started", "worker:v1@"+sha("3")+" started",
		"spark:v1 j1", "spark:v1@"+sha("1")+" j1", "next:v1 new")
}

func TestTheSourceDoesWhatAllDo(t *testing.T) {
	t.Parallel()
	inusetest.CheckSource(t, emrserverless.Actions, busy, newSource)
}

func TestWhatIsDeletedMeanwhileIsNoFailure(t *testing.T) {
	t.Parallel()
	s := busy()
	delete(s.Objects, "GetApplication a1")
	delete(s.Lists, "ListJobRuns a2 RUNNING")
	inusetest.WantUses(t, source(t, s), "next:v1 new")
	s = busy()
	delete(s.Objects, "GetJobRun j1")
	s.Lists["ListApplications"].Items[2]["state"] = "TERMINATED"
	inusetest.WantUses(t, source(t, s), "spark:v2 started", "spark:v2@"+sha("2")+" started", "worker:v1 started", "worker:v1@"+sha("3")+" started")
}

// The API does not tell which images interactive sessions run. The tag may have moved.
func TestSessionsMayUseAnyImageUnlessTheDigestIsKnown(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]bool{"STARTED": true, "STARTING": true, "STOPPING": true, "STOPPED": false, "CREATED": false} {
		s := busy()
		s.Objects["GetApplication a3"] = object{"application": with(with(image("next:v1", ""), "state", state),
			"interactiveConfiguration", object{"studioEnabled": true, "livyEndpointEnabled": false})}
		scan := inuse.Scope{}.Run(t.Context(), []inuse.Source{source(t, s)}, inusetest.Now)
		awstest.Equal(t, "failed", 0, len(scan.Failed))
		for _, use := range scan.Uses {
			awstest.Equal(t, use.Reference.Repository+" of an application that is "+state, want && use.Reference.Repository == "next", use.AllImages)
		}
	}
}

// A job run keeps the image that its tag had, also if the API does not say which that was.
func TestAJobRunWithoutAnImageMayUseAnyOfTheApplications(t *testing.T) {
	t.Parallel()
	s := busy()
	run(s, "a3", "j2", "RUNNING")
	scan := inuse.Scope{}.Run(t.Context(), []inuse.Source{source(t, s)}, inusetest.Now)
	awstest.Equal(t, "failed", 0, len(scan.Failed))
	for _, use := range scan.Uses {
		awstest.Equal(t, "all of "+use.Reference.Repository, use.Reference.Repository == "next", use.AllImages)
	}
}

// A job run that moves on while the states are listed is in a later list.
func TestAJobRunThatMovesOnIsFound(t *testing.T) {
	t.Parallel()
	s := busy()
	s.Lists["ListJobRuns a1 RUNNING"] = inusetest.List{Member: "jobRuns"}
	cfg := inusetest.ConfigFor("https://aws.invalid")
	cfg.HTTPClient = awstest.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		listing := call(r, nil)
		s.ServeHTTP(w, r)
		if listing == "ListJobRuns a1 PENDING" {
			run(s, "a1", "j1", "RUNNING")
		}
	}))
	got, err := inusetest.Uses(t, newSource(cfg))
	awstest.NoError(t, err)
	awstest.Equal(t, "the run is found", true, slices.Contains(got, "spark:v1 j1"))
}

func TestAnAnswerThatCannotBeUnderstoodIsAFailure(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		call string
		out  object
		want string
	}{
		{"GetApplication a1", object{"application": image("TWO words", "")}, "get application a1: started: "},
		{"GetApplication a1", object{"application": image("spark:v1", "sha256:1")}, "get application a1: started: recorded digest"},
		{"GetApplication a1", object{"other": "x"}, "GetApplication"},
		{"GetJobRun j1", object{"jobRun": image("TWO words", "")}, "get job run j1: j1: "},
		{"GetJobRun j1", object{"jobRun": nil}, "GetJobRun"},
	} {
		s := busy()
		s.Objects[c.call] = c.out
		inusetest.WantFailure(t, source(t, s), c.want)
	}
}
