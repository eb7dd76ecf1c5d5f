// Package repo_test holds the laws of the repository: what no compiler checks
// and no linter knows. Each test names one law and says what breaks it.
package repo_test

import (
	"encoding/json"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/ecr-cleaner/ecr-cleaner"

func TestEveryPackageHasOneCommentOfTwoSentences(t *testing.T) {
	t.Parallel()
	comments := map[string][]string{}
	for _, s := range sources(t) {
		comments[s.dir()] = append(comments[s.dir()], s.syntax.Doc.Text())
	}
	sentence := regexp.MustCompile(`[.?!](\s|$)`)
	for dir, texts := range comments {
		texts = slices.DeleteFunc(texts, func(text string) bool { return text == "" })
		if len(texts) != 1 {
			t.Errorf("%s has %d package comments, want 1", dir, len(texts))
			continue
		}
		if n := len(sentence.FindAllString(texts[0], -1)); n < 2 {
			t.Errorf("the package comment of %s has %d sentences, want 2", dir, n)
		}
	}
}

// The pure core stays pure, and the fake stays independent of the SDK whose
// view of the wire it checks.
func TestCorePackagesImportOnlyWhatIsBelowThem(t *testing.T) {
	t.Parallel()
	allowed := map[string][]string{
		"internal/wildcard":  {},
		"internal/decimal":   {},
		"internal/nearest":   {},
		"internal/words":     {},
		"internal/jsondoc":   {"internal/decimal", "internal/nearest"},
		"internal/reference": {},
		"internal/lifecycle": {"internal/jsondoc", "internal/wildcard"},
		"internal/evaluator": {"internal/lifecycle"},
		"internal/convert":   {"internal/jsondoc", "internal/lifecycle"},
		"internal/pitfall":   {"internal/evaluator", "internal/jsondoc", "internal/lifecycle", "internal/wildcard"},
		"internal/graph":     {"internal/evaluator"},
		"internal/selection": {"internal/decimal", "internal/evaluator", "internal/lifecycle", "internal/nearest", "internal/wildcard", "internal/words"},
		"internal/audit":     {"internal/decimal"},
		"internal/fakeecr":   {},

		"internal/ecrapi/imagepage": {"internal/decimal", "internal/evaluator"},
	}
	seen := map[string]bool{}
	for _, s := range sources(t) {
		below, isCore := allowed[s.dir()]
		if !isCore {
			continue
		}
		seen[s.dir()] = true
		for _, im := range s.imports() {
			own, isOwn := strings.CutPrefix(im, module+"/")
			standard := !strings.Contains(strings.Split(im, "/")[0], ".")
			if !standard && (!isOwn || !slices.Contains(below, own)) {
				t.Errorf("%s imports %s", s.path, im)
			}
		}
	}
	for dir := range allowed {
		if !seen[dir] {
			t.Errorf("%s has no Go file", dir)
		}
	}
}

func TestAWSIsImportedOnlyAtTheEdge(t *testing.T) {
	t.Parallel()
	edges := map[string][]string{
		"github.com/aws/aws-sdk-go-v2/service/ecr": {"internal/ecrapi", "internal/ecrapi/policyapi", "bench/minimal"},
		"github.com/aws/aws-lambda-go":             {"cmd/cleaner", "internal/function", "bench/minimal"},

		"github.com/aws/aws-sdk-go-v2/service/ecs": {"internal/inuse/ecs"},

		// Only tests import these, which would slow down each start.
		"github.com/aws/aws-sdk-go-v2/service/lambda":      {},
		"github.com/aws/aws-sdk-go-v2/service/eventbridge": {},
		"github.com/aws/aws-sdk-go-v2/service/scheduler":   {},
		"github.com/aws/aws-sdk-go-v2/service/pipes":       {},
		"github.com/aws/aws-sdk-go-v2/service/sfn":         {},
	}
	for _, s := range sources(t) {
		for _, im := range s.imports() {
			for edge, dirs := range edges {
				if (im == edge || strings.HasPrefix(im, edge+"/")) && !slices.Contains(dirs, s.dir()) {
					t.Errorf("%s imports %s; only %v may", s.path, im, dirs)
				}
			}
		}
	}
}

// A Lambda function's size and start time are the sum of what it imports.
func TestLambdaLinksOnlyAWSModules(t *testing.T) {
	t.Parallel()
	for _, p := range linked(t) {
		if !strings.HasPrefix(p, module+"/") && !strings.HasPrefix(p, "github.com/aws/") {
			t.Errorf("cmd/cleaner links %s", p)
		}
		if p == module+"/internal/fakeecr" {
			t.Error("cmd/cleaner links the fake registry")
		}
		if p == module+"/internal/ecrapi/policyapi" {
			t.Error("cmd/cleaner could attach and detach lifecycle policies")
		}
	}
}

// goMod is the part of go mod edit -json that the laws look at.
type goMod struct {
	Require []struct {
		Path     string
		Indirect bool
	}
	Replace []json.RawMessage
}

func TestEveryDirectRequirementHasItsReasonInTheDesign(t *testing.T) {
	t.Parallel()
	var mod goMod
	if err := json.Unmarshal([]byte(strings.Join(goCommand(t, nil, "mod", "edit", "-json"), "\n")), &mod); err != nil {
		t.Fatal(err)
	}
	if len(mod.Replace) > 0 {
		t.Error("go.mod has a replace directive")
	}
	design := read(t, "docs/design.md")
	direct := 0
	for _, r := range mod.Require {
		if r.Indirect {
			continue
		}
		direct++
		if short := strings.Replace(r.Path, "github.com/aws/aws-sdk-go-v2/", "…/", 1); !strings.Contains(design, "`"+short+"`") {
			t.Errorf("docs/design.md does not name `%s`", short)
		}
	}
	if direct == 0 {
		t.Error("go.mod has no direct requirement")
	}
}

// What the role allows is what the function's code calls: no call is denied,
// and no permission is given away.
func TestTemplateAllowsWhatTheFunctionCalls(t *testing.T) {
	t.Parallel()
	called := map[string]bool{}
	services := map[string]bool{}
	packages := linked(t)
	for _, s := range sources(t) {
		if !slices.Contains(packages, module+"/"+s.dir()) || strings.HasPrefix(s.dir(), "internal/fleet/") {
			continue // deploy/fleet.yaml allows what the fleet calls
		}
		for _, action := range actions(s.syntax) {
			service, _, _ := strings.Cut(action, ":")
			called[action], services[service] = true, true
		}
		for _, operation := range operations(s.syntax) {
			service := path.Base(s.dir())
			if !slices.Contains([]string{"pinned", "emrserverless", "execution"}, service) { // other tests compare the actions
				called[service+":"+operation], services[service] = true, true
			}
		}
	}
	maps.DeleteFunc(called, func(action string, _ bool) bool {
		service, _, _ := strings.Cut(action, ":")
		return !services[service]
	})
	if !services["ecr"] {
		t.Error("no interface of the function calls ECR")
	}
	allowed := map[string]bool{}
	for _, m := range regexp.MustCompile(`\b([a-z]+):[A-Z]\w+`).FindAllStringSubmatch(read(t, "template.yaml"), -1) {
		if services[m[1]] {
			allowed[m[0]] = true
		}
	}
	for action := range called {
		if !allowed[action] {
			t.Errorf("the function calls %s, template.yaml does not allow it", action)
		}
	}
	for action := range allowed {
		if !called[action] {
			t.Errorf("template.yaml allows %s, the function does not call it", action)
		}
	}
}

func TestEventsAreJSONObjects(t *testing.T) {
	t.Parallel()
	events, err := filepath.Glob("events/*.json")
	if err != nil || len(events) == 0 {
		t.Fatalf("events: %d files, %v", len(events), err)
	}
	for _, name := range events {
		var event map[string]any
		if err := json.Unmarshal([]byte(read(t, name)), &event); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file that names a place of one machine works on no other. The expressions
// do not match their own text, since their dots are escaped.
func TestNoFileNamesAMachine(t *testing.T) {
	t.Parallel()
	place := regexp.MustCompile("(^|[\\s\"'=(:,`])/(home|root|work|Users|opt|mnt)/")
	beside := regexp.MustCompile(`\.\./shared`)
	for _, name := range files(t) {
		for i, line := range strings.Split(read(t, name), "\n") {
			for _, law := range []*regexp.Regexp{place, beside} {
				if law == beside && name == ".ci/run" {
					continue
				}
				if found := law.FindString(line); found != "" {
					t.Errorf("%s:%d mentions %s", name, i+1, strings.TrimSpace(found))
				}
			}
		}
	}
}

// The alarm on unfinished runs is on a metric of the function's own; with another
// name it would be silent.
func TestTheMetricsOfTheTemplateAreWritten(t *testing.T) {
	t.Parallel()
	alarm := regexp.MustCompile(`Namespace: (EcrCleaner)\n +MetricName: (\w+)\n +Dimensions:\n +- Name: (\w+)`).FindStringSubmatch(read(t, "template.yaml"))
	if alarm == nil {
		t.Fatal("template.yaml has no alarm on a metric of the function")
	}
	code := read(t, "internal/function/log.go")
	for _, name := range alarm[1:] {
		if !strings.Contains(code, strconv.Quote(name)) {
			t.Errorf("template.yaml reads %s of the metrics, which internal/function does not write", name)
		}
	}
}

// Who may invoke the function is said by the roles of this account alone.
func TestTheTemplateOpensNoOtherWayIn(t *testing.T) {
	t.Parallel()
	template := read(t, "template.yaml")
	for _, way := range []string{"FunctionUrlConfig", "AWS::Lambda::Url", "AWS::Lambda::Permission", "AWS::SQS::QueuePolicy", "AWS::Logs::ResourcePolicy", "HttpApi", "Type: Api"} {
		if strings.Contains(template, way) {
			t.Errorf("template.yaml has %s", way)
		}
	}
}

func TestTheGateCanBeRun(t *testing.T) {
	t.Parallel()
	for _, name := range []string{".ci/run", "scripts/cover.sh", "scripts/fuzz.sh", "scripts/validate.py"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Error(err)
		} else if info.Mode()&0o111 == 0 {
			t.Errorf("%s is not executable", name)
		}
	}
}

func TestDocumentedTargetsExist(t *testing.T) {
	t.Parallel()
	targets := makeTargets(t)
	for _, name := range []string{"README.md", "CONTRIBUTING.md"} {
		for _, m := range regexp.MustCompile("make ([a-z][A-Za-z-]*)").FindAllStringSubmatch(code(read(t, name)), -1) {
			if _, ok := targets[m[1]]; !ok {
				t.Errorf("%s: the Makefile has no target %s", name, m[1])
			}
		}
	}
}

func TestEveryTargetHasHelpAndHelpIsFirst(t *testing.T) {
	t.Parallel()
	for target, help := range makeTargets(t) {
		if help == "" {
			t.Errorf("target %s has no ## comment", target)
		}
	}
	first := regexp.MustCompile(`(?m)^([A-Za-z][\w-]*):`).FindStringSubmatch(read(t, "Makefile"))
	if len(first) == 0 || first[1] != "help" {
		t.Errorf("the first target is %v, want help", first)
	}
}
