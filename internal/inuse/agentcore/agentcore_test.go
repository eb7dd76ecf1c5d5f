package agentcore_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/agentcore"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

// The answers are written from the documentation of the API, and the SDK's module reads the
// same from them. Moto has agent runtimes and no harnesses.
// https://docs.aws.amazon.com/bedrock-agentcore-control/latest/APIReference/Welcome.html

type object = inusetest.Object

const registry = inusetest.Registry

func newSource(cfg aws.Config) inuse.Source {
	return agentcore.New(query.Environment{AWS: cfg, Clock: awstest.Clock})
}

func source(t *testing.T, s *inusetest.Service) inuse.Source {
	t.Helper()
	return newSource(inusetest.Config(t, s))
}

func container(image string) object {
	return object{"containerConfiguration": object{"containerUri": registry + image}}
}

func agentRuntime(id, version string) object {
	return object{"agentRuntimeId": id, "agentRuntimeArn": id, "agentRuntimeVersion": version}
}

func harness(id, version string) object {
	return object{"harnessId": id, "arn": id, "harnessVersion": version}
}

// busy returns a service with an agent runtime of two versions, one with code, and two
// harnesses, of which one has an image.
func busy() *inusetest.Service {
	return &inusetest.Service{
		Call: call, Token: "nextToken", Missing: inusetest.Fault{Status: http.StatusNotFound, Code: "ResourceNotFoundException", Message: "not found"},
		Lists: map[string]inusetest.List{
			"ListAgentRuntimes":                {Member: "agentRuntimes", Items: []object{agentRuntime("agent-1", "2"), agentRuntime("code-1", "1")}},
			"ListAgentRuntimeVersions agent-1": {Member: "agentRuntimes", Items: []object{agentRuntime("agent-1", "1"), agentRuntime("agent-1", "2")}},
			"ListAgentRuntimeVersions code-1":  {Member: "agentRuntimes", Items: []object{agentRuntime("code-1", "1")}},
			"ListHarnesses":                    {Member: "harnesses", Items: []object{harness("own-1", "3"), harness("plain-1", "1")}},
			"ListHarnessVersions own-1":        {Member: "harnessVersions", Items: []object{harness("own-1", "2"), harness("own-1", "3")}},
			"ListHarnessVersions plain-1":      {Member: "harnessVersions", Items: []object{harness("plain-1", "1")}},
		},
		Objects: map[string]object{
			"GetAgentRuntime agent-1 1": {"agentRuntimeArn": "agent-1", "agentRuntimeArtifact": container("agent:v1")},
			"GetAgentRuntime agent-1 2": {"agentRuntimeArn": "agent-1", "agentRuntimeArtifact": container("agent@" + inusetest.Digest("2"))},
			"GetAgentRuntime code-1 1":  {"agentRuntimeArn": "code-1", "agentRuntimeArtifact": object{"codeConfiguration": object{"runtime": "PYTHON_3_13"}}},
			"GetHarness own-1 2":        {"harness": object{"environmentArtifact": container("tools:v2")}},
			"GetHarness own-1 3":        {"harness": object{"environmentArtifact": container("tools:v3")}},
			"GetHarness plain-1 1":      {"harness": object{"harnessId": "plain-1"}},
		},
	}
}

func call(r *http.Request, _ object) string {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	kind, method := "AgentRuntime", http.MethodPost
	if parts[0] == "harnesses" {
		kind, method = "Harness", http.MethodGet
	}
	name := "Get" + kind
	switch {
	case len(parts) == 1 && kind == "Harness":
		name = "ListHarnesses"
	case len(parts) == 1:
		name = "ListAgentRuntimes"
	case len(parts) == 3 && parts[2] == "versions":
		name = "List" + kind + "Versions " + parts[1]
	default:
		method = http.MethodGet
		name += " " + parts[1] + " " + r.URL.Query().Get("version") + r.URL.Query().Get("harnessVersion")
	}
	if r.Method != method || strings.HasSuffix(r.URL.Path, "/") != (kind == "AgentRuntime") {
		panic(r.Method + " " + r.URL.Path)
	}
	return name
}

func TestEachVersionUsesItsImage(t *testing.T) {
	t.Parallel()
	inusetest.WantUses(t, source(t, busy()), "agent:v1 agent-1", "agent@"+inusetest.Digest("2")+" agent-1", "tools:v2 own-1", "tools:v3 own-1")
}

func TestTheSourceDoesWhatAllDo(t *testing.T) {
	t.Parallel()
	inusetest.CheckSource(t, agentcore.Actions, busy, newSource)
}

func TestWhatIsDeletedMeanwhileIsNoFailure(t *testing.T) {
	t.Parallel()
	s := busy()
	delete(s.Lists, "ListAgentRuntimeVersions agent-1")
	delete(s.Objects, "GetHarness own-1 2")
	inusetest.WantUses(t, source(t, s), "tools:v3 own-1")
}

// The listing of versions may not have a new one yet.
func TestTheListedVersionCounts(t *testing.T) {
	t.Parallel()
	s := busy()
	s.Lists["ListAgentRuntimeVersions agent-1"] = inusetest.List{Member: "agentRuntimes", Items: []object{agentRuntime("agent-1", "1")}}
	inusetest.WantUses(t, source(t, s), "agent:v1 agent-1", "agent@"+inusetest.Digest("2")+" agent-1", "tools:v2 own-1", "tools:v3 own-1")
}

// A Region may have agent runtimes and no harnesses yet. Then there are no others to list.
func TestARegionWithoutHarnesses(t *testing.T) {
	t.Parallel()
	unknown := inusetest.Fault{Status: http.StatusNotFound, Code: "UnknownOperationException"}
	s := busy()
	s.Fail("ListHarnesses", unknown)
	inusetest.WantUses(t, source(t, s), "agent:v1 agent-1", "agent@"+inusetest.Digest("2")+" agent-1")
	s.Fail("ListAgentRuntimes", unknown)
	inusetest.WantFailure(t, source(t, s), `take "bedrock-agentcore" out of protect.inUse`)
}

func TestAnAnswerThatCannotBeUnderstoodIsAFailure(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		call string
		out  object
		want string
	}{
		{"GetAgentRuntime agent-1 1", object{"agentRuntimeArtifact": container("TWO words")}, "get agent runtime agent-1, version 1: agent-1: "},
		{"GetAgentRuntime agent-1 1", object{"agentRuntimeArtifact": object{"other": object{}}}, "neither an image nor code"},
		{"GetHarness own-1 3", object{"harness": object{"environmentArtifact": object{"other": object{}}}}, "get harness own-1, version 3: its artifact is"},
		{"GetHarness own-1 3", object{"other": "x"}, "GetHarness"},
	} {
		s := busy()
		s.Objects[c.call] = c.out
		inusetest.WantFailure(t, source(t, s), c.want)
	}
}
