package function_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// The name of an execution in mode plan, used again in mode apply, is refused.
func TestANameThatIsUsedInAnotherMode(t *testing.T) {
	t.Parallel()
	c := newCompany(t, "")
	awstest.Equal(t, "plan is handled", true, c.play(t, "plan").Handled)
	_, err := c.send(t.Context(), `"mode": "apply", "step": "targets"`)
	wantError[*function.RequestError](t, err, "mode plan")
	_, err = c.send(t.Context(), `"mode": "apply", "step": "judge"`)
	awstest.Contains(t, fmt.Sprint(err), "mode plan")
	awstest.Equal(t, "left in A", everything, c.left(companyA))
}

// A run of an execution cannot be narrowed: its registry would be done, and was not.
func TestARunOfAnExecutionIsNotNarrowed(t *testing.T) {
	t.Parallel()
	for _, member := range []string{
		`"repositories": ["other*"]`, `"maxDeletions": 1000`, `"maxDeletionsPerRepository": 0`, `"maxDeletedPercent": 1`, `"policy": {"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}]}`,
	} {
		c := newCompany(t, "")
		_, err := c.send(t.Context(), `"mode": "apply", "step": "targets"`)
		awstest.NoError(t, err)
		for _, p := range []string{companyA, companyB, companyC} {
			_, err = c.send(t.Context(), `"mode": "references", "cycle": 1, "target": `+placeJSON(config.Place{Account: p, Region: "eu-west-1"}))
			awstest.NoError(t, err)
		}
		_, err = c.send(t.Context(), `"mode": "apply", "step": "barrier", "cycle": 1`)
		awstest.NoError(t, err)
		_, err = c.send(t.Context(), `"mode": "apply", "cycle": 1, "target": {"account": "`+companyA+`", "region": "eu-west-1"}, `+member)
		wantError[*function.RequestError](t, err, "leave it out")
		awstest.Equal(t, "left in A", everything, c.left(companyA))
	}
}

// A registry whose own account has no list keeps every image, also without any policy.
func TestTheOwnAccountHasNoList(t *testing.T) {
	t.Parallel()
	c := newCompany(t, "")
	for _, account := range []string{companyA, companyB} {
		c.registries[account].SetRepositoryPolicy("app", "")
	}
	c.uses[companyB] = nil
	c.scans[companyB] = errors.New("denied")
	r := c.play(t, "apply")
	awstest.Equal(t, "left in B", everything, c.left(companyB))
	awstest.Equal(t, "handled", false, r.Handled)
}

// An account that is asked only in other Regions may use the images of a repository that
// admits it in the Region of the registry.
func TestAnAccountThatIsAskedInAnotherRegion(t *testing.T) {
	t.Parallel()
	c := newCompany(t, "")
	target := fmt.Sprintf(`{"account": %q, "regions": ["`, companyB)
	c.Configuration = strings.Replace(c.Configuration, target+"eu-west-1", target+"us-east-1", 1)
	_ = c.play(t, "apply")
	awstest.Equal(t, "left in A", everything, c.left(companyA))
}

// The organization is not listed if an excluded account is asked in other Regions only.
func TestAnExcludedAccountThatIsAskedInAnotherRegion(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]string{"us-east-1": "", "eu-west-1": "o-exampleorgid"} {
		f := targetsFixture(t, strings.Replace(fleetTargets, `"targets": [`, `"targets": [
			{"account": "444444444444", "regions": ["`+region+`"], "roleArn": "arn:aws:iam::444444444444:role/reader"},`, 1))
		_, err := f.Answer(t.Context(), json.RawMessage(`{"mode": "plan", "step": "targets", "execution": "one"}`))
		awstest.NoError(t, err)
		got, err := fleet.ReadTargets(t.Context(), f.Fleet.Store, "one")
		awstest.NoError(t, err)
		awstest.Equal(t, region, want, got.Organization)
	}
}
