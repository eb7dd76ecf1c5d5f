package repo_test

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/services"
)

// inUseNames returns the services that the schema allows in protect.inUse.
func inUseNames(t *testing.T) []string {
	t.Helper()
	var schema struct {
		Defs struct {
			Protect struct {
				Properties struct {
					InUse struct{ Items struct{ Enum []string } }
				}
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(read(t, "schema/configuration.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	return schema.Defs.Protect.Properties.InUse.Items.Enum
}

// The configuration knows every service of the table by its name. It knows others too, which
// fail every scan.
func TestTheConfigurationKnowsTheServices(t *testing.T) {
	t.Parallel()
	names := inUseNames(t)
	var supported []string
	for _, service := range services.Table {
		supported = append(supported, service.Name)
		if !slices.Contains(names, service.Name) {
			t.Errorf("protect.inUse of the schema does not allow %s", service.Name)
		}
	}
	for _, name := range names {
		if _, problems := config.Parse([]byte(`{"protect": {"inUse": ["` + name + `"]}}`)); len(problems) > 0 {
			t.Errorf("protect.inUse does not allow %s: %v", name, problems)
		}
		source := services.New(name, aws.Config{}, config.Protect{})
		if source.Name() != name {
			t.Errorf("the source for %s has the name %s", name, source.Name())
		}
		if slices.Contains(supported, name) {
			continue
		}
		scan := inuse.Scope{}.Run(t.Context(), []inuse.Source{source}, time.Time{})
		if len(scan.Failed) != 1 || !strings.Contains(scan.Failed[0].String(), `take "`+name+`" out of protect.inUse`) {
			t.Errorf("a scan of %s: %v", name, scan.Failed)
		}
	}
	for _, name := range config.Default().Protect.InUse {
		if !slices.Contains(supported, name) {
			t.Errorf("the default configuration names %s, which is not supported", name)
		}
	}
}

// Each service has a parameter of the template, which alone allows its actions.
func TestTheTemplateAllowsEachServiceByItsParameter(t *testing.T) {
	t.Parallel()
	template := read(t, "template.yaml")
	for _, service := range services.Table {
		condition := regexp.MustCompile(`(?m)^  (\w+): !Equals \[!Ref ` + service.Parameter + `, "true"\]$`).FindStringSubmatch(template)
		if condition == nil {
			t.Errorf("template.yaml has no condition on %s", service.Parameter)
			continue
		}
		_, policy, _ := strings.Cut(template, "\n    Condition: "+condition[1]+"\n")
		policy, _, _ = strings.Cut(policy, "\n\n")
		allowed := regexp.MustCompile(`\b[a-z0-9-]+:[A-Z]\w+`).FindAllString(policy, -1)
		if slices.Sort(allowed); !slices.Equal(allowed, slices.Sorted(slices.Values(service.Actions))) {
			t.Errorf("with %s the template allows %v; the source of %s needs %v", service.Parameter, allowed, service.Name, service.Actions)
		}
		if strings.Count(template, "Condition: "+condition[1]+"\n") != 1 {
			t.Errorf("template.yaml uses the condition %s more than once", condition[1])
		}
	}
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
				listed = listed || slices.Equal(actionsIn(line, service.Actions[0]), slices.Sorted(slices.Values(service.Actions)))
			}
		}
		if !listed {
			t.Errorf("no line of README.md or docs lists exactly the actions of %s: %v", service.Name, service.Actions)
		}
	}
}

// actionsIn returns the actions in the code of a line of Markdown, sorted: those with the
// IAM prefix of an action, and those after it without a prefix.
func actionsIn(line, like string) []string {
	prefix, _, _ := strings.Cut(like, ":")
	var found []string
	last := ""
	for _, text := range strings.Fields(code(line)) {
		before, action, qualified := strings.Cut(text, ":")
		if qualified {
			last = before
		} else {
			action = text
		}
		if last == prefix && regexp.MustCompile(`^[A-Z]\w+$`).MatchString(action) {
			found = append(found, prefix+":"+action)
		}
	}
	slices.Sort(found)
	return found
}
