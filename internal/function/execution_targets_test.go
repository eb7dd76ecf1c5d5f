package function_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

const fleetTargets = `{"targets": [
	{"account": "222222222222", "regions": ["eu-west-1", "af-south-1"], "roleArn": "arn:aws:iam::222222222222:role/reader"},
	{"organization": {"roleArn": "arn:aws:iam::111111111111:role/organization", "exclude": ["444444444444"]},
		"regions": ["eu-west-1"], "roleArn": "arn:aws:iam::*:role/reader"}]}`

// targetsFixture has an organization of which one account is excluded and one closed. The
// account 222222222222 has the Region af-south-1 disabled.
func targetsFixture(t *testing.T, configuration string) *fixture {
	t.Helper()
	service := &inusetest.JSONService{Reply: func(operation string, _ inusetest.Object) inusetest.Object {
		var out inusetest.Object
		awstest.NoError(t, json.Unmarshal([]byte(map[string]string{
			"DescribeOrganization": `{"Organization": {"Id": "o-exampleorgid"}}`,
			"ListAccounts": `{"Accounts": [{"Id": "222222222222", "State": "ACTIVE"}, {"Id": "333333333333", "State": "PENDING_CLOSURE"},
				{"Id": "444444444444", "State": "ACTIVE"}, {"Id": "555555555555", "State": "CLOSED"}]}`,
			"listRegions": `{"Regions": [{"RegionName": "af-south-1", "RegionOptStatus": "DISABLED"}, {"RegionName": "eu-west-1", "RegionOptStatus": "ENABLED_BY_DEFAULT"}]}`,
		}[operation]), &out))
		return out
	}}
	f := newFixture(t, configuration)
	f.Fleet = &function.Fleet{Store: fleet.NewMemory()}
	cfg := inusetest.Config(t, service)
	f.Assume = func(_ context.Context, role function.Role) (function.Registry, error) {
		f.connects++
		own := cfg
		own.Region = role.Region
		return function.Registry{AWS: awsclient.Local(*own.BaseEndpoint, role.Region)}, nil
	}
	return f
}

func TestTargetsAreListedOnce(t *testing.T) {
	t.Parallel()
	f := targetsFixture(t, fleetTargets)
	const event = `{"mode": "plan", "step": "targets", "execution": "one"}`
	first, err := f.Answer(t.Context(), json.RawMessage(event))
	awstest.NoError(t, err)
	got, err := fleet.ReadTargets(t.Context(), f.Fleet.Store, "one")
	awstest.NoError(t, err)
	want := []config.Place{{Account: "222222222222", Region: "eu-west-1"}, {Account: "333333333333", Region: "eu-west-1"}}
	awstest.Equal(t, "registries", want, got.Registries)
	awstest.Equal(t, "places", want, got.Places)
	awstest.Equal(t, "organization with an excluded account", "", got.Organization)
	awstest.Equal(t, "skipped", []fleet.Skipped{
		{Account: "222222222222", Region: "af-south-1", Reason: "the Region is DISABLED in the account"},
		{Account: "444444444444", Reason: "it is in organization.exclude"},
		{Account: "555555555555", Reason: "the account is CLOSED"},
	}, got.Skipped)
	connects := f.connects
	again, err := f.Answer(t.Context(), json.RawMessage(event))
	awstest.NoError(t, err)
	awstest.Equal(t, "second answer", first, again)
	awstest.Equal(t, "roles assumed again", connects, f.connects)
}

func TestARequestNarrowsWhatIsCleaned(t *testing.T) {
	t.Parallel()
	f := targetsFixture(t, fleetTargets)
	_, err := f.Answer(t.Context(), json.RawMessage(`{"mode": "plan", "step": "targets", "execution": "one", "targets": ["333333333333/*"]}`))
	awstest.NoError(t, err)
	got, err := fleet.ReadTargets(t.Context(), f.Fleet.Store, "one")
	awstest.NoError(t, err)
	awstest.Equal(t, "registries and places", [2]int{1, 2}, [2]int{len(got.Registries), len(got.Places)})
	_, err = f.Answer(t.Context(), json.RawMessage(`{"mode": "plan", "step": "targets", "execution": "two", "targets": ["333333333334/eu-west-1"]}`))
	wantError[*function.RequestError](t, err, "did you mean 333333333333/eu-west-1?")
	_, err = f.Answer(t.Context(), json.RawMessage(`{"mode": "apply", "step": "targets", "execution": "two"}`))
	wantError[*function.ConfigurationError](t, err, "222222222222/eu-west-1 has no applyRoleArn")
}

func TestAnEarlierExecutionActsAlone(t *testing.T) {
	t.Parallel()
	f := targetsFixture(t, fleetTargets)
	f.Fleet.Running = func(context.Context, string) (string, error) { return "other", nil }
	got, err := f.Answer(t.Context(), json.RawMessage(`{"mode": "plan", "step": "targets", "execution": "one"}`))
	awstest.NoError(t, err)
	awstest.Equal(t, "answer", any(fleet.TargetsAnswer{Execution: "one", Running: "other"}), got)
	_, err = fleet.ReadTargets(t.Context(), f.Fleet.Store, "one")
	awstest.ErrorIs(t, "nothing written", err, fleet.ErrMissing)
	f.Fleet.Running = func(context.Context, string) (string, error) { return "", errors.New("not known") }
	_, err = f.Answer(t.Context(), json.RawMessage(`{"mode": "plan", "step": "targets", "execution": "one"}`))
	awstest.ErrorContains(t, err, "not known")
}
