package scenario_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// hosts are spellings of an image of team/app, and whether they protect it.
var hosts = []struct {
	name, image string
	stays       bool
	finding     string // the beginning of the finding about the host, or ""
}{
	{"this registry", host + "/team/app:v1", true, ""},
	{"this registry in upper case", strings.ToUpper(host) + "/team/app:v1", true, ""},
	{"another account", "210987654321.dkr.ecr." + region + ".amazonaws.com/team/app:v1", false, ""},
	{"another Region", account + ".dkr.ecr.us-east-1.amazonaws.com/team/app:v1", false, ""},
	{"no host", "team/app:v1", true, "1 reference names no registry host"},
	{"a proxy", "proxy.example.com/team/app:v1", true, "1 reference names the host proxy.example.com"},
	{"a proxy in upper case", "PROXY.Example.com/team/app:v1", true, "1 reference names the host proxy.example.com"},
	{"a proxy that adds a path", "proxy.example.com/ecr/eu/team/app:v1", true, "1 reference names the host proxy.example.com"},
	{"a proxy with the account in the path", "proxy.example.com:8443/" + account + "/team/app:v1", true, "1 reference names the host proxy.example.com:8443"},
	{"a CNAME", "images.corp/team/app:v1", true, "1 reference names the host images.corp"},
	{"a proxy, by digest", "proxy.example.com/team/app@" + digestOf("image"), true, "1 reference names the host proxy.example.com"},
	{"a scheme", "docker-pullable://proxy.example.com/team/app:v1", true, "1 reference names the host proxy.example.com"},
	{"public ECR", "public.ecr.aws/team/app:v1", true, "1 reference names the host public.ecr.aws"},
	{"Docker Hub", "docker.io/team/app:v1", true, "1 reference names the host docker.io"},
	{"localhost with a port", "localhost:5000/team/app:v1", true, "1 reference names the host localhost:5000"},
	{"localhost", "localhost/team/app:v1", true, "1 reference names the host localhost"},
	{"an IPv6 host", "[fd00::1]:5000/team/app:v1", true, "1 reference names the host [fd00::1]:5000"},
	{"an alias", "mirror.example.com/team/app:v1", true, ""},
	{"an alias in upper case", "Mirror.example.COM/team/app:v1", true, ""},
	{"an alias of another Region", "far.example.com/team/app:v1", false, ""},
	{"an alias with a prefix", "mirror.example.com/deep/app:v1", true, ""},
	{"an alias with a port", "mirror.example.com:5000/team/app:v1", true, "1 reference names the host mirror.example.com:5000"},
	{"another tag", "proxy.example.com/team/app:v2", false, "1 reference names the host proxy.example.com"},
	{"another repository", "proxy.example.com/team/apple:v1", false, ""},
	{"a part of a name", "proxy.example.com/myteam/app:v1", false, ""},
}

const aliases = `"registryAliases": {"mirror.example.com": "` + host + `", "far.example.com": "` + account + `.dkr.ecr.us-east-1.amazonaws.com",
	"mirror.example.com/deep": "` + host + `/team"}`

// hostFixture returns a registry with an image that the policy expires.
func hostFixture(t *testing.T) *fixture {
	t.Helper()
	return newFixture(t, draw("repository team/app\n image 90d #v1\n repository web\n newer 1d"))
}

// applyWith applies a policy that expires the image, and returns the findings about hosts.
func (f *fixture) applyWith(t *testing.T, protect string) (findings []string) {
	t.Helper()
	report := f.apply(t, configuration("expire any pushed>30", aliases+", "+protect, ""))
	for _, line := range f.findings(&report) {
		if message, about := strings.CutPrefix(line, ": unknownRegistryHost: "); about {
			findings = append(findings, message)
		}
	}
	if len(skips(&report)) > 0 {
		t.Errorf("skipped: %v", skips(&report))
	}
	return findings
}

func TestHostsInLists(t *testing.T) {
	t.Parallel()
	written := noon.Add(-time.Hour).Format(time.RFC3339)
	elsewhere := account + ".dkr.ecr.us-east-1.amazonaws.com/x" // a good line beside it
	for format, list := range map[string]func(image string) string{
		"lines": func(image string) string { return elsewhere + "y\n" + image + "\n" },
		"array": func(image string) string { return `["` + elsewhere + `y", "` + image + `"]` },
		"document": func(image string) string {
			return `{"version": 1, "account": "1", "region": "r", "time": "` + written + `",
				"references": [{"image": "` + elsewhere + `y", "by": "pod"}, {"image": "` + image + `", "by": "pod"}]}`
		},
	} {
		for _, h := range hosts {
			awstest.Parallel(t, format+", "+h.name, func(t *testing.T) {
				f := hostFixture(t)
				f.registry.Sources = function.Connect(f.registry.AWS, f.clock.now).Sources
				name := filepath.Join(t.TempDir(), "list")
				awstest.NoError(t, os.WriteFile(name, []byte(list(h.image)), 0o600))
				findings := f.applyWith(t, `"references": ["`+name+`"]`)
				want := h.finding
				if strings.Contains(h.name, "nother repository") || h.name == "a part of a name" {
					want = "1 reference names the host proxy.example.com" // a list should name this registry
				}
				wantHost(t, f, findings, h.stays, want)
			})
		}
	}
}

func TestHostsInContainers(t *testing.T) {
	t.Parallel()
	for _, h := range hosts {
		awstest.Parallel(t, h.name, func(t *testing.T) {
			f := hostFixture(t)
			f.registry.Sources = function.Connect(awstest.Serve(t, running(h.image)), f.clock.now).Sources
			findings := f.applyWith(t, `"inUse": ["ecs"], "taskDefinitionRevisions": 0`)
			wantHost(t, f, findings, h.stays, h.finding)
		})
	}
}

// wantHost checks whether the image is there, and the finding about its host.
func wantHost(t *testing.T, f *fixture, findings []string, stays bool, finding string) {
	t.Helper()
	awstest.Equal(t, "the image is there", stays, len(f.server.Images("team/app")) == 1)
	if (finding == "") != (len(findings) == 0) || finding != "" && !strings.HasPrefix(findings[0], finding) {
		t.Errorf("findings %q, want %q…", findings, finding)
	}
}

// running returns a fake ECS with one task that runs the images.
func running(images ...string) http.Handler {
	containers := []map[string]string{}
	for _, image := range images {
		containers = append(containers, map[string]string{"image": image})
	}
	answers := map[string]any{
		"ListClusters":  map[string]any{"clusterArns": []string{"prod"}},
		"ListTasks":     map[string]any{"taskArns": []string{"task"}},
		"DescribeTasks": map[string]any{"tasks": []any{map[string]any{"taskArn": "task", "desiredStatus": "STOPPED", "containers": containers}}},
		"ListServices":  map[string]any{"serviceArns": []string{}},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		answer, known := answers[operation]
		if !known {
			w.WriteHeader(http.StatusBadRequest)
			answer = map[string]any{"__type": "UnknownOperationException"}
		}
		_ = json.NewEncoder(w).Encode(answer) // the client reports a broken answer
	})
}
