//go:build integration

package integration_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// TestTool tests commands that only the command-line tool has: saved plans and deletion by name.
func TestTool(t *testing.T) {
	t.Parallel()
	server := startFaithful(t)
	scenarios := map[string]func(scenario){
		"saved plan":           scenario.savedPlan,
		"saved plan elsewhere": scenario.savedPlanElsewhere,
		"delete and explain":   scenario.deleteByName,
	}
	regions := regions
	for name, do := range scenarios {
		on := server.registry(regions[0])
		regions = regions[1:]
		awstest.Parallel(t, name, func(t *testing.T) {
			do(scenario{t, runTool, on})
		})
	}
}

// savedPlan: the run deletes only images of the saved plan, and only if they have not changed.
func (s scenario) savedPlan() {
	t, on := s.t, s.on
	on.create(t, "team/api", keepNewest(2))
	fill(t, on, "team/api", 5)
	file := filepath.Join(t.TempDir(), "plan.json")
	on.tool(t, 0, "plan", "--config", unprotected(""), "--out", file)
	on.push(t, "team/api", image{name: "v1", tags: []string{"promoted"}, days: 50})
	on.push(t, "team/api", image{name: "v6", tags: []string{"v6"}})
	applied := decodeReport(t, on.tool(t, 0, "apply", file, "--config", unprotected(""), "--output", "json"))
	wantTotals(t, "apply", applied.Totals, counts{Evaluated: 6, Expired: 3, Deleted: 2, Changed: 1})
	on.wantLeft(t, "team/api", "promoted,v1", "v4", "v5", "v6")
	again := decodeReport(t, on.tool(t, 0, "apply", file, "--config", unprotected(""), "--output", "json"))
	wantTotals(t, "second apply", again.Totals, counts{Evaluated: 4, Expired: 3, Changed: 1, Gone: 2})
}

// savedPlanElsewhere: a saved plan is valid for its Region and its configuration only.
func (s scenario) savedPlanElsewhere() {
	t, on, elsewhere := s.t, s.on, s.on.registry("us-east-1")
	for _, r := range []*registry{on, elsewhere} {
		r.create(t, "team/api", keepNewest(1))
		fill(t, r, "team/api", 2)
	}
	file := filepath.Join(t.TempDir(), "plan.json")
	on.tool(t, 0, "plan", "--config", unprotected(""), "--out", file)
	elsewhere.tool(t, 2, "apply", file, "--config", unprotected(""))
	on.tool(t, 2, "apply", file, "--config", unprotected(`, "limits": {"maxDeletions": 5}`))
	on.tool(t, 2, "apply", file, "--config", unprotected(""), "--max-plan-age", "1ns")
	on.wantLeft(t, "team/api", "v1", "v2")
	elsewhere.wantLeft(t, "team/api", "v1", "v2")
}

// deleteByName: deletes by tag or digest, with the protection of apply.
func (s scenario) deleteByName() {
	t, on := s.t, s.on
	on.create(t, "team/api", "")
	fill(t, on, "team/api", 3)
	digest := on.push(t, "team/api", image{name: "untagged", days: 5})
	on.push(t, "team/api", image{name: "latest", tags: []string{"latest"}, days: 4})
	configuration := `{"protect": {"inUse": []}}`
	on.tool(t, 1, "delete", "team/api", "v1", "v9", "--yes", "--config", configuration)
	on.tool(t, 0, "explain", "team/api", "latest", "--config", configuration)
	applied := decodeReport(t, on.tool(t, 3, "delete", "team/api", "v1", digest, "latest", "--yes", "--config", configuration, "--output", "json"))
	wantTotals(t, "apply", applied.Totals, counts{Evaluated: 5, Expired: 2, Deleted: 2, Protected: 1})
	on.wantLeft(t, "team/api", "latest", "v2", "v3")
}

// A preview has the members of the tool's output that the tests read.
type preview struct {
	Status         string
	PreviewResults []struct {
		ImageTags           []string
		ImagePushedAt       string
		AppliedRulePriority int
	}
	Summary struct{ ExpiringImageTotalCount int }
}

// TestPreviewReadsWhatTheAWSCommandPrints: the verdicts are the same for each format of times.
func TestPreviewReadsWhatTheAWSCommandPrints(t *testing.T) {
	t.Parallel()
	on := startFaithful(t).registry("eu-west-1")
	on.create(t, "team/api", "")
	fill(t, on, "team/api", 9)
	on.push(t, "team/api", image{name: "untagged", days: 100, pulled: 2})
	dir := t.TempDir()
	policy := filepath.Join(dir, "policy.json")
	awstest.NoError(t, os.WriteFile(policy, []byte(keepNewest(4)), 0o600))
	for _, format := range []string{"", "iso8601", "wire", "none"} {
		awstest.Parallel(t, "cli_timestamp_format="+format, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "images.json")
			awstest.NoError(t, os.WriteFile(file, on.aws(t, format, "ecr", "describe-images", "--repository-name", "team/api"), 0o600))
			var p preview
			out := on.tool(t, 0, "preview", "--policy", policy, "--images", file, "--output", "json")
			awstest.NoError(t, json.Unmarshal(out, &p))
			if p.Status != "COMPLETE" || p.Summary.ExpiringImageTotalCount != 6 || len(p.PreviewResults) != 6 {
				t.Fatalf("preview is %+v", p)
			}
			oldest := p.PreviewResults[0]
			if want := on.now.AddDate(0, 0, -100).UTC().Format("2006-01-02T15:04:05Z"); len(oldest.ImageTags) != 0 || oldest.ImagePushedAt != want {
				t.Errorf("the first to go is %+v, want the untagged image of %s", oldest, want)
			}
		})
	}
}

// aws runs the AWS command-line interface with a format for times; "" is the default format.
func (r *registry) aws(t *testing.T, timestamps string, args ...string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	settings := "[default]\n"
	if timestamps != "" {
		settings += "cli_timestamp_format = " + timestamps + "\n"
	}
	awstest.NoError(t, os.WriteFile(file, []byte(settings), 0o600))
	return r.awsCommand(t, []string{"AWS_CONFIG_FILE=" + file}, args...)
}

// awsCommand runs the AWS command-line interface with additions to its environment.
func (r *registry) awsCommand(t *testing.T, environment []string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "aws", append(args, "--output", "json")...)
	// its launcher may need the real home folder
	cmd.Env = append(r.environment("HOME="+os.Getenv("HOME"), "AWS_DEFAULT_REGION="+r.region), environment...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("aws %v: %v", args, err)
	}
	return out
}
