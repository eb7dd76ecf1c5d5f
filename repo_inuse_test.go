package repo_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/services"
)

// Each service has a parameter of the templates, which alone allows its actions. The role of
// another account has the statements of the function's role.
func TestTheTemplatesAllowEachServiceByItsParameter(t *testing.T) {
	t.Parallel()
	for _, service := range services.Table {
		function, member := statements(t, "template.yaml", service), statements(t, "deploy/member-role.yaml", service)
		if function != member {
			t.Errorf("for %s template.yaml has the statements\n%s\nand deploy/member-role.yaml\n%s", service.Name, function, member)
		}
	}
}

// statements returns the text of the policy that allows the actions of a service.
func statements(t *testing.T, name string, service services.Service) string {
	t.Helper()
	template := read(t, name)
	condition := regexp.MustCompile(`(?m)^  (\w+): !Equals \[!Ref ` + service.Parameter + `, "true"\]$`).FindStringSubmatch(template)
	if condition == nil {
		t.Errorf("%s has no condition on %s", name, service.Parameter)
		return ""
	}
	_, policy, _ := strings.Cut(template, "\n    Condition: "+condition[1]+"\n")
	policy, _, _ = strings.Cut(policy, "\n\n")
	_, policy, _ = strings.Cut(policy, "PolicyDocument:\n")
	allowed := regexp.MustCompile(`\b[a-z0-9-]+:[A-Z]\w+`).FindAllString(policy, -1)
	if slices.Sort(allowed); !slices.Equal(allowed, slices.Sorted(slices.Values(service.Actions))) {
		t.Errorf("with %s %s allows %v; the source of %s needs %v", service.Parameter, name, allowed, service.Name, service.Actions)
	}
	if strings.Count(template, "Condition: "+condition[1]+"\n") != 1 {
		t.Errorf("%s uses the condition %s more than once", name, condition[1])
	}
	if strings.Contains(policy, "${AWS::Region}") {
		t.Errorf("%s allows %s only in the Region of the stack; write * for the Region in the ARNs", name, service.Name)
	}
	return policy
}

// A reader finds the actions of each service in one line of the documentation, such as
// `ecs:ListClusters`, `ListTasks`.
func TestTheDocumentationListsTheActionsOfEachService(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, service := range services.Table {
		listed := false
		for _, page := range append(pages, "README.md") {
			for line := range strings.Lines(read(t, page)) {
				listed = listed || slices.Equal(actionsIn(line), slices.Sorted(slices.Values(service.Actions)))
			}
		}
		if !listed {
			t.Errorf("no line of README.md or docs lists exactly the actions of %s: %v", service.Name, service.Actions)
		}
	}
}

// actionsIn returns the actions in the code of a line of Markdown, sorted. An action without
// a prefix has that of the one before.
func actionsIn(line string) []string {
	var found []string
	prefix := ""
	for text := range strings.FieldsSeq(code(line)) {
		before, action, qualified := strings.Cut(text, ":")
		if qualified {
			prefix = before
		} else {
			action = text
		}
		if prefix != "" && regexp.MustCompile(`^[A-Z]\w+$`).MatchString(action) {
			found = append(found, prefix+":"+action)
		}
	}
	slices.Sort(found)
	return found
}
