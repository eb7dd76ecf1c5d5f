package function_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// inTargets returns a fixture whose configuration has two targets in other accounts. Only the
// second has a role that removes. Each registry has an image that expires, and one in use.
func inTargets(t *testing.T) (*fixture, *cloud) {
	t.Helper()
	const targets = `"targets": [
		{"account": "222222222222", "regions": ["us-east-1"], "roleArn": "` + readerRole + `", "externalId": "the-word"},
		{"account": "333333333333", "regions": ["eu-west-1"], "roleArn": "arn:aws:iam::333333333333:role/reader",
			"applyRoleArn": "arn:aws:iam::333333333333:role/remover", "limits": {"maxDeletions": 1}}], `
	configuration := strings.Replace(strings.Replace(expireAll, `"inUse": []`, `"inUse": ["ecs"]`, 1), `{"policies"`, `{`+targets+`"policies"`, 1)
	f, c := newFixture(t, configuration), &cloud{used: map[string][]string{}}
	for _, place := range []config.Place{{Account: "222222222222", Region: "us-east-1"}, {Account: "333333333333", Region: "eu-west-1"}} {
		registry := c.at(place.Account, place.Region)
		registry.CreateRepository("app")
		for _, tag := range []string{"old", "used"} {
			registry.Put("app", fakeecr.Image{PushedAt: now.Add(-9 * day), Tags: []string{tag}})
		}
		c.used[place.String()] = []string{fmt.Sprintf("%s.dkr.ecr.%s.amazonaws.com/app:used", place.Account, place.Region)}
	}
	own := awstest.Attempts(awstest.Serve(t, c), 1)
	f.Assume = func(ctx context.Context, role function.Role) (function.Registry, error) {
		return function.Assume(ctx, own, role, function.DefaultConcurrency, f.Now)
	}
	return f, c
}

// roles returns the roles that were assumed.
func (c *cloud) roles() []string {
	var arns []string
	for _, form := range c.Assumed() {
		arns = append(arns, form.Get("RoleArn"))
	}
	return arns
}

func TestATargetIsPlannedWithItsReadingRole(t *testing.T) {
	t.Parallel()
	f, c := inTargets(t)
	r := f.handle(t, `{"target": {"account": "222222222222", "region": "us-east-1"}}`)
	awstest.Equal(t, "account, Region, expired, protected", []any{"222222222222", "us-east-1", 1, 1},
		[]any{r.Account, r.Region, r.Totals.Expired, r.Totals.Protected})
	awstest.Equal(t, "roles", []string{readerRole, "arn:aws:iam::333333333333:role/reader"}, slices.Sorted(slices.Values(c.roles())))
	awstest.Equal(t, "connections as the function itself", 0, f.connects)
	if strings.Contains(f.log.String(), "the-word") || strings.Contains(f.log.String(), readerRole) {
		t.Error("the log has the role or the external ID")
	}
}

func TestATargetIsCleanedWithItsRemovingRole(t *testing.T) {
	t.Parallel()
	f, c := inTargets(t)
	r := f.handle(t, `{"mode": "apply", "target": {"account": "333333333333", "region": "eu-west-1"}}`)
	awstest.Equal(t, "deleted, protected", []int{1, 1}, []int{r.Totals.Deleted, r.Totals.Protected})
	left := c.at("333333333333", "eu-west-1").Images("app")
	if len(left) != 1 || left[0].Tags[0] != "used" {
		t.Errorf("left: %+v", left)
	}
}

// The other targets are asked too, because they may use images of this one. Only an
// execution can ask the accounts of an organization.
func TestTheOtherTargetsAreAskedToo(t *testing.T) {
	t.Parallel()
	f, c := inTargets(t)
	c.used["222222222222/us-east-1"] = []string{"333333333333.dkr.ecr.eu-west-1.amazonaws.com/app:old"}
	const event = `{"mode": "apply", "target": {"account": "333333333333", "region": "eu-west-1"}}`
	r := f.handle(t, event)
	awstest.Equal(t, "deleted, protected", []int{0, 2}, []int{r.Totals.Deleted, r.Totals.Protected})
	f.Configuration = strings.Replace(f.Configuration, `"targets": [`, `"targets": [{"organization": {"roleArn": "arn:aws:iam::111111111111:role/lists"},
		"regions": ["eu-west-1"], "roleArn": "arn:aws:iam::*:role/reader"}, `, 1)
	_, err := f.Handle(t.Context(), json.RawMessage(event))
	wantError[*function.ConfigurationError](t, err, "run ecrclean fleet apply --targets 333333333333/eu-west-1")
	f.handle(t, strings.Replace(event, "apply", "plan", 1))
}

// Nothing is called before an error of the request or of the configuration.
func TestARequestCannotPickARole(t *testing.T) {
	t.Parallel()
	f, c := inTargets(t)
	for _, event := range []string{
		`{"target": {"account": "444444444444", "region": "eu-west-1"}}`, `{"target": {"account": "222222222222", "region": "eu-west-1"}}`,
		`{"target": {"account": "222222222222", "region": "us-east-1", "roleArn": "arn:aws:iam::444444444444:role/a"}}`,
	} {
		_, err := f.Handle(t.Context(), json.RawMessage(event))
		wantError[*function.RequestError](t, err, "target")
	}
	_, err := f.Handle(t.Context(), json.RawMessage(`{"mode": "apply", "target": {"account": "222222222222", "region": "us-east-1"}}`))
	wantError[*function.ConfigurationError](t, err, "222222222222/us-east-1 has no applyRoleArn")
	awstest.Empty(t, "calls", c.seen())
	f.Assume = nil
	_, err = f.Handle(t.Context(), json.RawMessage(`{"target": {"account": "222222222222", "region": "us-east-1"}}`))
	wantError[*function.RegistryError](t, err, "deploy/fleet.yaml")
}

func TestARegistryOfAnotherAccountIsNotTouched(t *testing.T) {
	t.Parallel()
	f, c := inTargets(t)
	c.registries["333333333333/eu-west-1"] = c.at("222222222222", "us-east-1")
	_, err := f.Handle(t.Context(), json.RawMessage(`{"mode": "apply", "target": {"account": "333333333333", "region": "eu-west-1"}}`))
	wantError[*function.RegistryError](t, err, "333333333333")
	awstest.Equal(t, "images", 2, len(c.at("222222222222", "us-east-1").Images("app")))
}

// A state's input and output have at most 256 KB, and the cause of a failure 32,768 characters.
func TestTheAnswerOfTheJudgeIsSmall(t *testing.T) {
	t.Parallel()
	f := newFixture(t, `{}`)
	f.Fleet = &function.Fleet{Store: fleet.NewMemory()}
	targets := fleet.Targets{Execution: "one", Mode: config.Plan}
	for i := range 4_000 {
		p := config.Place{Account: fmt.Sprintf("%012d", i), Region: "eu-west-1"}
		targets.Registries, targets.Places = append(targets.Registries, p), append(targets.Places, p)
		o := fleet.Outcome{Execution: "one", Place: p, Begun: 1, Round: 1, Failed: strings.Repeat(`"<\`+"\x00", 1_000)}
		awstest.NoError(t, fleet.WriteOutcome(t.Context(), f.Fleet.Store, o))
	}
	_, err := fleet.WriteTargets(t.Context(), f.Fleet.Store, targets)
	awstest.NoError(t, err)
	answer, err := f.Answer(t.Context(), json.RawMessage(`{"mode": "plan", "step": "judge", "execution": "one"}`))
	awstest.NoError(t, err)
	text, err := json.Marshal(answer)
	awstest.NoError(t, err)
	judged := answer.(fleet.JudgeAnswer)
	if len(text) >= 32<<10 || judged.Handled || judged.Failed != 4_000 || !json.Valid([]byte(judged.Cause)) {
		t.Errorf("%d bytes, handled %t, failed %d", len(text), judged.Handled, judged.Failed)
	}
	awstest.Contains(t, judged.Cause, "4000 of 4000 targets were not handled", `"report":`)
}
