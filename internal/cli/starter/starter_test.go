package starter

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/services"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

func TestPatternOf(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{
		"latest": "latest", "main": "main", "1.4.2": "versions such as 1.4.2", "v1.4-rc.1": "versions such as 1.4.2",
		"20260101": "numbers and dates", "4711": "numbers and dates", "2026-01-01T10.00": "numbers and dates",
		"0a1b2c3": "commit hashes", "0a1b2c3d-amd64": "commit hashes", "pr-123": "pr-*", "feature_x": "feature_*", "main-20260101": "main-*",
		"sha-0a1b2c3": "sha-*", "_x": "other tags", "v1": "other tags",
	} {
		awstest.Equal(t, tag, want, patternOf(tag))
	}
}

// A proposed rule must match exactly the tags that are counted for it.
func TestATemporaryTagHasOnlyItsPattern(t *testing.T) {
	t.Parallel()
	for _, pattern := range temporary {
		compiled := wildcard.Compile(pattern)
		for _, rest := range []string{"", "1", "1.4.2", "0a1b2c3", "20260101", "-", "x_y.z"} {
			tag := strings.TrimSuffix(pattern, "*") + rest
			if got := patternOf(tag); got != pattern || !compiled.Match(tag) {
				t.Errorf("%s has the pattern %s, want %s", tag, got, pattern)
			}
		}
	}
}

func TestGroupsOf(t *testing.T) {
	t.Parallel()
	var texts []string
	for _, g := range groupsOf([]string{"base", "team/api", "one/x", "ops/a/b", "team/web", "ops/c"}) {
		texts = append(texts, g.pattern+": "+strings.Join(g.repositories, " "))
	}
	awstest.Equal(t, "groups", []string{"ops/*: ops/a/b ops/c", "team/*: team/api team/web", "*: base one/x"}, texts)
	var many []string
	for i := range 300 {
		many = append(many, fmt.Sprintf("team%d/a", i/2))
	}
	groups := groupsOf(many)
	awstest.Equal(t, "groups", maxGroups+1, len(groups))
	awstest.Equal(t, "repositories in the rest", 300-2*maxGroups, len(groups[maxGroups].repositories))
}

func TestManyPatternsAreCountedTogether(t *testing.T) {
	t.Parallel()
	c := counts{patterns: map[string]int{}}
	for i := range 1000 {
		c.add(&evaluator.Image{Tags: []string{fmt.Sprintf("x%d-y", i), "latest", "latest"}}, map[string]*ages{}, time.Now())
	}
	awstest.Equal(t, "patterns", maxPatterns+1, len(c.patterns))
	awstest.Equal(t, "latest", 1000, c.patterns["latest"])
	if seen := c.seen(); len(seen) > 500 {
		t.Errorf("the comment has %d characters", len(seen))
	}
}

func TestASourceThatFailedIsQueried(t *testing.T) {
	t.Parallel()
	unknown, denied := &smithy.GenericAPIError{Code: "UnknownOperationException"}, &smithy.GenericAPIError{Code: "AccessDeniedException"}
	for _, c := range []struct {
		source
		want bool
	}{
		{source{name: "ecs"}, true},
		{source{name: "ecs", err: fmt.Errorf("list clusters: %w", denied)}, true},
		{source{name: "ecs", err: fmt.Errorf("list clusters: %w", unknown)}, false},
		{source{name: "ecs", err: fmt.Errorf("list services: %w", unknown)}, true},
		{source{name: "lambda", err: fmt.Errorf("list functions: %w", unknown)}, false},
		{source{name: "lambda", err: errors.New("list functions: no answer")}, true},
		{source{name: "eks", err: fmt.Errorf("list clusters: %w", denied)}, false},
		{source{name: "eks", err: fmt.Errorf("cluster prod: %w", denied)}, true},
		{source{name: "batch", err: fmt.Errorf("describe job definitions: %w", denied)}, false},
		{source{name: "batch", err: fmt.Errorf("describe job queues: %w", denied)}, true},
		{source{name: "sagemaker", err: fmt.Errorf("list inference components: %w", denied)}, false},
		{source{name: "sagemaker", uses: 1, err: fmt.Errorf("list inference components: %w", unknown)}, true},
		{source{name: "sagemaker", err: fmt.Errorf("describe endpoint one: %w", unknown)}, false},
	} {
		awstest.Equal(t, fmt.Sprint(c.name, ": ", c.err), c.want, c.queried())
	}
}

// The call that firstCalls has for a service is the first one that its source makes.
func TestTheFirstCallOfEachService(t *testing.T) {
	t.Parallel()
	cfg := awstest.Offline(awstest.InProcess(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })))
	for _, service := range services.Table {
		source := service.New(query.Environment{AWS: cfg, Settings: config.Default().Protect, Clock: time.Now})
		for _, err := range source.Uses(t.Context()) {
			if first := firstCalls[service.Name]; err == nil || len(first) == 0 || !strings.HasPrefix(err.Error(), first[0]+": ") {
				t.Errorf("the error of %s is %v, want %s", service.Name, err, first)
			}
		}
	}
}

// Whatever names there are, the configuration can be read, also with each proposal.
func TestTheConfigurationIsValid(t *testing.T) {
	t.Parallel()
	hostile := "a\"\n\\// *\u202e"
	d := draft{
		header: []string{"of " + hostile}, include: []string{hostile}, exclude: []string{"x*"}, attached: []string{"a", "b"},
		unknown: []string{hostile}, shared: []string{hostile},
		sources: []source{
			{name: "ecs"}, {name: "lambda", err: errors.New(hostile)}, {name: "batch"}, {name: "eks", err: errors.New("list clusters: " + hostile)},
		},
		groups: []group{
			{name: "team", pattern: "team/*", repositories: []string{"team/a", hostile}, counts: counts{
				patterns: map[string]int{hostile: 1, "pr-*": 30, "mr_*": 20}, proposed: map[string]int{"pr-*": 20, "mr_*": 9, "ci-*": 0},
			}},
			{name: "other repositories", pattern: "*"},
		},
	}
	text := string(d.text())
	c, err := parse([]byte(text), "")
	awstest.NoError(t, err)
	awstest.Equal(t, "entries", 3, len(c.Policies))
	awstest.Equal(t, "in-use sources", []string{"ecs", "lambda", "batch"}, c.Protect.InUse)
	awstest.Contains(t, text, "\n    // InUseBatch=true\n")
	awstest.Equal(t, "rules", 1, len(c.Policies[1].Policy.Rules))
	for _, line := range []string{", {", "   \"selection\"", "     \"countType\""} {
		text = strings.ReplaceAll(text, "      // "+line, "      "+line)
	}
	c, problems := config.Parse([]byte(strings.Replace(text, `// , "eks"`, `, "eks"`, 1)))
	awstest.Equal(t, "problems", "", problems.Error())
	awstest.Equal(t, "rules", 3, len(c.Policies[1].Policy.Rules))
	awstest.Equal(t, "in-use sources", 4, len(c.Protect.InUse))
}
