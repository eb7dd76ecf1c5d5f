package services_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
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

// The configuration and the table have the same names, and each has a source of that name.
func TestTheConfigurationKnowsTheServices(t *testing.T) {
	t.Parallel()
	var inTable []string
	for _, service := range services.Table {
		inTable = append(inTable, service.Name)
		awstest.Equal(t, "name of the source", service.Name, services.New(service.Name, query.Environment{}).Name())
	}
	names := inUseNames(t)
	slices.Sort(names)
	awstest.Equal(t, "names in the schema", slices.Sorted(slices.Values(inTable)), names)
	for _, name := range names {
		_, problems := config.Parse([]byte(`{"protect": {"inUse": ["` + name + `"]}}`))
		awstest.Empty(t, "problems of "+name, problems)
	}
	for _, name := range config.Default().Protect.InUse {
		awstest.Equal(t, name+" is in the table", true, slices.Contains(inTable, name))
	}
}
