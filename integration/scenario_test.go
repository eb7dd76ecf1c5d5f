//go:build integration

package integration_test

import (
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// A scenario is one end-to-end test, for one program on one registry.
type scenario struct {
	t   *testing.T
	run program
	on  *registry
}

// regions are Regions for scenarios that run at the same time. Scenarios with lists of
// references also use the last three.
var regions = []string{
	"af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
	"ca-central-1", "eu-central-1", "eu-north-1", "eu-south-1", "eu-west-1", "eu-west-2", "eu-west-3", "us-east-2",
	"sa-east-1", "us-west-1", "us-west-2",
}

// TestScenarios runs each scenario with both programs, each time in its own Region.
func TestScenarios(t *testing.T) {
	t.Parallel()
	server := startFaithful(t)
	scenarios := map[string]func(scenario){
		"attached policies":   scenario.attachedPolicies,
		"configured policies": scenario.configuredPolicies,
		"repository filters":  scenario.repositoryFilters,
		"an index":            scenario.indexes,
		"failing repository":  scenario.failingRepository,
		"protected images":    scenario.protectedImages,
		"limits":              scenario.limits,
		"extended dialect":    scenario.extendedDialect,
	}
	regions := regions
	for name, do := range scenarios {
		for program, run := range programs {
			on := server.registry(regions[0])
			regions = regions[1:]
			awstest.Parallel(t, name+"/"+program, func(t *testing.T) {
				do(scenario{t, run, on})
			})
		}
	}
}

// unprotected returns a configuration without protection, with the given members.
func unprotected(members string) string {
	return `{"protect": {"inUse": [], "tagPatterns": [], "keepNewest": 0, "pulledWithinDays": 0, "pushedWithinHours": 0}` + members + `}`
}

// fill pushes n images ten days apart. v1 is the oldest.
func fill(t *testing.T, on *registry, repository string, n int) {
	t.Helper()
	for i := range n {
		name := "v" + string(rune('1'+i))
		on.push(t, repository, image{name: name, tags: []string{name}, days: float64(10 * (n - i))})
	}
}

// attachedPolicies: the run deletes the images that ECR would expire, and skips
// repositories without a policy. A second apply deletes nothing.
func (s scenario) attachedPolicies() {
	t, on := s.t, s.on
	on.create(t, "team/api", keepNewest(2))
	on.create(t, "team/none", "")
	on.create(t, "team/web", olderThan("untagged", 14))
	fill(t, on, "team/api", 5)
	fill(t, on, "team/none", 3)
	on.push(t, "team/web", image{name: "old", days: 20})
	on.push(t, "team/web", image{name: "new", days: 10})
	on.push(t, "team/web", image{name: "tagged", tags: []string{"v1"}, days: 30})
	what := request{mode: "plan", configuration: unprotected("")}

	planned := s.run(t, on, what, true)
	awstest.Equal(t, "account", account, planned.Account)
	awstest.Equal(t, "Region", on.region, planned.Region)
	wantTotals(t, "plan", planned.Totals, counts{Evaluated: 8, Expired: 4, Skipped: 1})
	awstest.Equal(t, "why team/none is skipped", "no policy", planned.Repositories[1].Skipped)
	on.wantLeft(t, "team/api", "v1", "v2", "v3", "v4", "v5")

	what.mode = "apply"
	applied := s.run(t, on, what, true)
	wantTotals(t, "apply", applied.Totals, counts{Evaluated: 8, Expired: 4, Deleted: 4, Skipped: 1})
	on.wantLeft(t, "team/api", "v4", "v5")
	on.wantLeft(t, "team/none", "v1", "v2", "v3")
	on.wantLeft(t, "team/web", "-", "v1")

	again := s.run(t, on, what, true)
	wantTotals(t, "second apply", again.Totals, counts{Evaluated: 4, Skipped: 1})
	awstest.Equal(t, "BatchDeleteImage calls of the second apply", 0, again.Calls["BatchDeleteImage"])
}

// extendedDialect: rules that ECR does not have.
func (s scenario) extendedDialect() {
	t, on := s.t, s.on
	on.create(t, "app", "")
	on.push(t, "app", image{name: "both", tags: []string{"pr-1", "v1"}, days: 90})
	on.push(t, "app", image{name: "last", tags: []string{"pr-2"}, days: 90})
	on.push(t, "app", image{name: "prod", tags: []string{"prod-1"}, days: 90})
	on.push(t, "app", image{name: "old", tags: []string{"build-1"}, days: 90})
	on.push(t, "app", image{name: "pulled", tags: []string{"build-2"}, days: 90, pulled: 1})
	what := request{mode: "apply", configuration: unprotected(`, "policies": [{"name": "app", "policy": {"rules": [
	  {"rulePriority": 1, "selection": {"tagStatus": "tagged", "tagRegexList": ["pr-[0-9]+"], "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 30}, "action": {"type": "untag"}},
	  {"rulePriority": 2, "selection": {"tagStatus": "tagged", "tagPatternList": ["prod-*"]}, "action": {"type": "retain"}},
	  {"rulePriority": 3, "selection": {"tagStatus": "any", "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 30}, "action": {"type": "expire"}}]}}]`)}
	applied := s.run(t, on, what, true)
	wantTotals(t, "apply", applied.Totals, counts{Evaluated: 5, Expired: 1, Untagged: 1, Deleted: 1, TagsRemoved: 1})
	on.wantLeft(t, "app", "build-2", "pr-2", "prod-1", "v1")
}

// configuredPolicies: the configured policies replace the attached ones. The first entry
// that selects a repository decides.
func (s scenario) configuredPolicies() {
	t, on := s.t, s.on
	for _, name := range []string{"ml/base", "ml/training", "web/front"} {
		on.create(t, name, keepNewest(1))
		fill(t, on, name, 4)
	}
	on.push(t, "ml/training", image{name: "dev", tags: []string{"dev-1"}, days: 100})
	what := request{mode: "apply", configuration: unprotected(`, "policies": [
	  {"name": "none", "repositories": ["ml/base"], "policy": "none"},
	  {"name": "training", "repositories": ["ml/*"], "policy": {"rules": [
	    {"rulePriority": 1, "selection": {"tagStatus": "tagged", "tagPatternList": ["v*"], "countType": "imageCountMoreThan", "countNumber": 3}, "action": {"type": "expire"}},
	    {"rulePriority": 2, "selection": {"tagStatus": "tagged", "tagPrefixList": ["dev-"], "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 30}, "action": {"type": "expire"}}]}},
	  {"name": "attached", "repositories": ["web/*"], "policy": "attached"}]`)}
	applied := s.run(t, on, what, true)
	wantTotals(t, "apply", applied.Totals, counts{Evaluated: 9, Expired: 5, Deleted: 5, Skipped: 1})
	on.wantLeft(t, "ml/base", "v1", "v2", "v3", "v4")
	on.wantLeft(t, "ml/training", "v2", "v3", "v4")
	on.wantLeft(t, "web/front", "v4")
	if again := s.run(t, on, what, true); again.Totals.Expired+again.Calls["BatchDeleteImage"] != 0 {
		t.Errorf("the second apply has totals %+v and calls %v", again.Totals, again.Calls)
	}
}

// repositoryFilters: the run handles a repository only if the configuration includes it
// and does not exclude it, and if the request selects it.
func (s scenario) repositoryFilters() {
	t, on := s.t, s.on
	for _, name := range []string{"team-a/api", "team-a/secret", "team-a/web", "team-b/api", "team-c/api"} {
		on.create(t, name, keepNewest(1))
		fill(t, on, name, 2)
	}
	what := request{
		mode: "apply", repositories: []string{"*/api"},
		configuration: unprotected(`, "repositories": {"include": ["team-a/*", "team-b/*"], "exclude": ["*/secret"]}`),
	}
	// The pattern */api matches team-c/api too, which the configuration excludes.
	applied := s.run(t, on, what, true)
	awstest.Equal(t, "repositories", []string{"team-a/api", "team-b/api"}, applied.names())
	on.wantLeft(t, "team-a/api", "v2")
	on.wantLeft(t, "team-b/api", "v2")
	for _, name := range []string{"team-a/secret", "team-a/web", "team-c/api"} {
		on.wantLeft(t, name, "v1", "v2")
	}
}

// indexes: one run deletes an expired index and then its children. The children of a kept
// index are kept.
func (s scenario) indexes() {
	t, on := s.t, s.on
	on.create(t, "team/multi", olderThan("any", 30))
	push := func(name string) string { return on.push(t, "team/multi", image{name: name, days: 60}) }
	dead := []string{push("dead-amd64"), push("dead-arm64")}
	live := []string{push("live-amd64"), push("live-arm64")}
	push("alone")
	on.push(t, "team/multi", image{name: "dead", tags: []string{"dead"}, days: 59, children: dead})
	on.push(t, "team/multi", image{name: "live", tags: []string{"live"}, days: 10, children: live})
	what := request{mode: "apply", configuration: unprotected("")}
	applied := s.run(t, on, what, true)
	wantTotals(t, "apply", applied.Totals, counts{Evaluated: 7, Expired: 4, Protected: 2, Deleted: 4})
	if n := applied.Calls["BatchDeleteImage"]; n < 2 {
		t.Errorf("%d delete calls; the index and its children need one each", n)
	}
	on.wantLeft(t, "team/multi", "-", "-", "live")
	if again := s.run(t, on, what, true); again.Totals.Expired != 0 || again.Totals.Deleted != 0 {
		t.Errorf("totals of the second apply are %+v", again.Totals)
	}
}

// failingRepository: the report names the repository that failed, and the run handles the
// others. moto accepts a policy with a repeated key; we do not.
func (s scenario) failingRepository() {
	t, on := s.t, s.on
	const ambiguous = `{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan",
	  "countNumber": 10, "countNumber": 1}, "action": {"type": "expire"}}]}`
	on.create(t, "team/a", keepNewest(1))
	on.create(t, "team/b", ambiguous)
	on.create(t, "team/c", keepNewest(1))
	for _, name := range []string{"team/a", "team/b", "team/c"} {
		fill(t, on, name, 3)
	}
	applied := s.run(t, on, request{mode: "apply", configuration: unprotected("")}, false)
	wantTotals(t, "apply", applied.Totals, counts{Evaluated: 6, Expired: 4, Deleted: 4, Skipped: 1})
	failed := applied.Repositories[1]
	if failed.Skipped != "invalid policy" || !strings.Contains(failed.Message, "countNumber: is given twice") {
		t.Errorf("team/b is skipped as %q: %s", failed.Skipped, failed.Message)
	}
	on.wantLeft(t, "team/a", "v3")
	on.wantLeft(t, "team/b", "v1", "v2", "v3")
	on.wantLeft(t, "team/c", "v3")
}

// protectedImages: every protecting setting, in one repository whose policy expires everything.
func (s scenario) protectedImages() {
	t, on := s.t, s.on
	on.create(t, "team/api", "")
	for _, im := range []image{
		{name: "plain", tags: []string{"plain"}, days: 50},
		{name: "release", tags: []string{"release-1", "x"}, days: 40},
		{name: "pulled", tags: []string{"pulled"}, days: 30, pulled: 3},
		{name: "idle", tags: []string{"idle"}, days: 29, pulled: 9},
		{name: "untagged", days: 20},
		{name: "pushed", tags: []string{"pushed"}, days: 1.5},
		{name: "newest", tags: []string{"newest"}, days: 1.4},
	} {
		on.push(t, "team/api", im)
	}
	applied := s.run(t, on, request{mode: "apply", configuration: `{
	  "protect": {"inUse": [], "tagPatterns": ["release-*"], "keepNewest": 1, "pulledWithinDays": 7, "pushedWithinHours": 48},
	  "policies": [{"name": "all", "policy": ` + olderThan("any", 1) + `}]}`}, true)
	wantTotals(t, "apply", applied.Totals, counts{Evaluated: 7, Expired: 3, Protected: 4, Deleted: 3})
	kinds := map[string]string{}
	for _, im := range applied.Repositories[0].Images {
		for _, by := range im.ProtectedBy {
			kinds[im.ImageTags[0]] += by.Kind + " "
		}
	}
	for tag, want := range map[string]string{
		"release-1": "tagPatterns ", "pulled": "pulledWithinDays ", "pushed": "pushedWithinHours ",
		"newest": "keepNewest pushedWithinHours ",
	} {
		awstest.Equal(t, "protection of "+tag, want, kinds[tag])
	}
	on.wantLeft(t, "team/api", "newest", "pulled", "pushed", "release-1,x")
}

// limits: the run skips a repository that exceeds a limit. The limit of the run is
// granted to the repositories in order, as far as it suffices. The function's order
// changes every day: team/a always fits, and only one of team/c and team/d does.
func (s scenario) limits() {
	t, on := s.t, s.on
	for name, n := range map[string]int{"team/a": 2, "team/b": 9, "team/c": 4, "team/d": 4} {
		on.create(t, name, keepNewest(1))
		fill(t, on, name, n)
	}
	configuration := unprotected(`, "limits": {"maxDeletions": 5, "maxDeletionsPerRepository": 7}`)
	// A limit does not make a report incomplete, but the tool's exit status is not 0.
	complete := !strings.HasSuffix(t.Name(), "/ecrclean")
	applied := s.run(t, on, request{mode: "apply", configuration: configuration}, complete)
	skipped := map[string]string{}
	for _, repository := range applied.Repositories {
		skipped[repository.Name] = repository.Skipped
	}
	fits, exceeds := "team/c", "team/d"
	if skipped["team/d"] == "" {
		fits, exceeds = exceeds, fits
	}
	awstest.Equal(t, "why repositories are skipped", map[string]string{"team/a": "", "team/b": "limit", fits: "", exceeds: "limit"}, skipped)
	on.wantLeft(t, "team/a", "v2")
	on.wantLeft(t, "team/b", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9")
	on.wantLeft(t, fits, "v4")
	on.wantLeft(t, exceeds, "v1", "v2", "v3", "v4")
}
