package services_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/services"
)

// inUseNames returns the services that the schema allows in protect.inUse.
func inUseNames(t *testing.T) []string {
	t.Helper()
	var schema struct {
		Defs struct {
			Service struct{ Enum []string }
		} `json:"$defs"`
	}
	text, err := os.ReadFile("../../../schema/configuration.schema.json")
	awstest.NoError(t, err)
	awstest.NoError(t, json.Unmarshal(text, &schema))
	return schema.Defs.Service.Enum
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
		_, problems := config.Parse([]byte(`{"protect": {"inUse": ["` + name + `"]}}`))
		awstest.Empty(t, "problems of "+name, problems)
		source := services.New(name, query.Environment{})
		awstest.Equal(t, "name of the source", name, source.Name())
		if slices.Contains(supported, name) {
			continue
		}
		scan := inuse.Scope{}.Run(t.Context(), []inuse.Source{source}, inusetest.Now)
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
