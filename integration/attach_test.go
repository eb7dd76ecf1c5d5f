//go:build integration

package integration_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// A changeReport has the members of the report of attach and adopt that the tests read.
type changeReport struct {
	Incomplete bool
	Totals     struct{ Changes, Attached, Detached, Expired, InUse int }
	Calls      map[string]int
}

// change runs attach or adopt, which must end with the status.
func (r *registry) change(t *testing.T, status int, args ...string) changeReport {
	t.Helper()
	var report changeReport
	awstest.NoError(t, json.Unmarshal(r.tool(t, status, append(args, "--yes", "--output", "json")...), &report))
	return report
}

// attached returns the policy of a repository, or the code of the error.
func (r *registry) attached(t *testing.T, repository string) string {
	t.Helper()
	out, err := r.client.GetLifecyclePolicy(t.Context(), &ecr.GetLifecyclePolicyInput{RepositoryName: &repository})
	if err != nil {
		if strings.Contains(err.Error(), "LifecyclePolicyNotFoundException") {
			return ""
		}
		t.Fatal(err)
	}
	return *out.LifecyclePolicyText
}

// TestAttachAndAdopt attaches a policy to every repository, adopts the policies into a
// configuration, detaches them, and applies the configuration.
func TestAttachAndAdopt(t *testing.T) {
	t.Parallel()
	s := startFaithful(t).site(t, "ecrclean", "eu-west-1")
	s.create(t, "team/api", "")
	s.create(t, "team/job", keepNewest(2))
	s.create(t, "team/web", olderThan("untagged", 9))
	for _, repository := range []string{"team/api", "team/job", "team/web"} {
		fill(t, s.registry, repository, 5)
	}
	s.cluster()
	s.run(s.define("api", s.uri("team/api:v1")))
	file := filepath.Join(t.TempDir(), "policy.json")
	awstest.NoError(t, os.WriteFile(file, []byte(keepNewest(2)), 0o600))
	asks := `{"protect": {"inUse": ["ecs"], "tagPatterns": [], "keepNewest": 0, "pulledWithinDays": 0, "pushedWithinHours": 0}}`

	refused := s.change(t, 3, "attach", "--policy", file, "--config", asks)
	if got := refused.Totals; got.Changes != 2 || got.Expired != 6 || got.InUse != 1 || got.Attached != 0 {
		t.Errorf("totals of the refused plan are %+v", got)
	}
	awstest.Equal(t, "policy of team/api", "", s.attached(t, "team/api"))
	done := s.change(t, 0, "attach", "--policy", file, "--config", asks, "--despite-in-use")
	if got := done.Totals; got.Attached != 2 || done.Calls["PutLifecyclePolicy"] != 2 {
		t.Errorf("totals are %+v, calls %v", got, done.Calls)
	}
	again := s.change(t, 0, "attach", "--policy", file, "--config", asks)
	if got := again.Totals; got.Changes != 0 || again.Calls["PutLifecyclePolicy"] != 0 {
		t.Errorf("totals of the second time are %+v, calls %v", got, again.Calls)
	}

	before := decodeReport(t, s.tool(t, 0, "plan", "--config", asks, "--output", "json"))
	adopted := filepath.Join(t.TempDir(), "adopted.json")
	taken := s.change(t, 0, "adopt", "--config", asks, "--out", adopted, "--detach")
	if got := taken.Totals; got.Detached != 3 || taken.Calls["DeleteLifecyclePolicy"] != 3 {
		t.Errorf("totals of the adoption are %+v, calls %v", got, taken.Calls)
	}
	s.tool(t, 0, "check", "--config", adopted)
	after := decodeReport(t, s.tool(t, 0, "plan", "--config", adopted, "--output", "json"))
	if before.Totals != after.Totals || after.Totals.Expired != 8 || after.Totals.Protected != 1 {
		t.Errorf("totals are %+v with the attached policies, %+v with the adopted ones", before.Totals, after.Totals)
	}
	for _, repository := range []string{"team/api", "team/job", "team/web"} {
		awstest.Equal(t, "policy of "+repository, "", s.attached(t, repository))
	}
	s.tool(t, 0, "apply", "--yes", "--config", adopted)
	s.wantLeft(t, "team/api", "v1", "v4", "v5")
	s.wantLeft(t, "team/job", "v4", "v5")
}

func TestAttachConfigured(t *testing.T) {
	t.Parallel()
	on := startFaithful(t).registry("eu-west-1")
	on.create(t, "team/api", "")
	on.create(t, "team/web", olderThan("any", 9))
	on.create(t, "ops/x", "")
	configuration := `{"protect": {"inUse": []}, "policies": [{"name": "team", "repositories": ["team/*"], "policy": ` + keepNewest(2) + `}]}`
	done := on.change(t, 0, "attach", "--config", configuration)
	if done.Totals.Attached != 2 || on.attached(t, "ops/x") != "" || !strings.Contains(on.attached(t, "team/web"), `"imageCountMoreThan"`) {
		t.Errorf("totals are %+v; team/web has %s", done.Totals, on.attached(t, "team/web"))
	}
	off := on.change(t, 0, "attach", "--detach")
	if off.Totals.Detached != 2 || on.attached(t, "team/api")+on.attached(t, "team/web") != "" {
		t.Errorf("totals of --detach are %+v", off.Totals)
	}
}
