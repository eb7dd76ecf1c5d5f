package config_test

import (
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

// asking has a target for an account, and for an organization, and accounts in protect.accounts.
func asking(t *testing.T) config.Config {
	t.Helper()
	return mustParse(t, `{"protect": {"inUse": ["ecs"], "references": ["s3://b/l"], "ecs": {"rules": false, "familyDays": 9}, "accounts": [
			`+member("222222222222", "member", `, "inUse": ["batch"], "regions": ["eu-west-1", "eu-north-1"]`)+`,
			`+member("666666666666", "member", `, "inUse": ["eks"], "externalId": "ab"`)+`]},
		"policies": [{"protect": {"inUse": ["lambda"], "eksClusters": ["a"]}}],
		"targets": [`+organization+`, "exclude": ["555555555555"]}}, `+target+`, "applyRoleArn": "arn:aws:iam::*:role/own",
			"protect": {"inUse": ["ecs", "codebuild"], "regions": ["us-west-2"], "taskDefinitionRevisions": 8, "ecs": {"rules": true}}}]}`)
}

func TestAPlaceIsAskedForTheServicesOfAllTargets(t *testing.T) {
	t.Parallel()
	c := asking(t)
	const all = "codebuild ecs lambda"
	for place, want := range map[string]string{
		"222222222222/eu-west-1":  "batch " + all + " through arn:aws:iam::222222222222:role/reader",
		"222222222222/us-west-2":  all + " through arn:aws:iam::222222222222:role/reader", // protect.regions of the target
		"222222222222/us-east-1":  all + " through arn:aws:iam::222222222222:role/reader with secret",
		"222222222222/eu-north-1": "batch through arn:aws:iam::222222222222:role/member",
		"333333333333/us-east-1":  all + " through arn:aws:iam::333333333333:role/reader with secret",
		"666666666666/eu-west-1":  all[:9] + " ecs eks lambda through arn:aws:iam::666666666666:role/member with ab",
	} {
		account, region, _ := strings.Cut(place, "/")
		asked, access, err := c.Asked(config.Place{Account: account, Region: region})
		if err != nil {
			t.Errorf("%s: %v", place, err)
			continue
		}
		got := strings.Join(asked.Protect.Sources(), " ") + " through " + access.RoleARN
		if access.ExternalID != "" {
			got += " with " + access.ExternalID
		}
		equal(t, place, want, got)
		equal(t, place+": sources of one scan", asked.Protect.Sources(), asked.InUse().Sources())
		p := asked.Protect
		if access.ApplyRoleARN != "" || p.TaskDefinitionRevisions != 8 || !p.ECS.Complete() || p.ECS.FamilyDays != 0 || len(p.EKSClusters) < 2 || asked.Targets != nil {
			t.Errorf("%s: the settings are %+v, and the role for apply is %q", place, p, access.ApplyRoleARN)
		}
	}
	for _, p := range []config.Place{{Account: "555555555555", Region: "eu-west-1"}, {Account: "333333333333", Region: "us-west-2"}, {Account: "666666666666", Region: "eu-north-1"}} {
		if _, _, err := c.Asked(p); err == nil {
			t.Errorf("%s is asked", p)
		}
	}
}

func TestPlacesToAsk(t *testing.T) {
	t.Parallel()
	var places []string
	for _, p := range asking(t).Places() {
		places = append(places, p.String())
	}
	equal(t, "places", "222222222222/eu-north-1 222222222222/eu-west-1 222222222222/us-west-2 666666666666/eu-west-1 666666666666/us-east-1",
		strings.Join(places, " "))
	equal(t, "without targets", []config.Place{}, mustParse(t, `{"protect": {"accounts": [`+account+`}]}}`).Places())
	organization, found := asking(t).OrganizationTarget()
	equal(t, "the organization's Regions", []string{"eu-west-1", "us-east-1"}, organization.AskedRegions())
	_, none := mustParse(t, `{"targets": [`+target+`}]}`).OrganizationTarget()
	equal(t, "has an organization", [2]bool{true, false}, [2]bool{found, none})
}

// A part that asks no service relies on no list of an execution, and keeps its lists of references.
func TestListsOfAnExecutionReplaceServices(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `{"protect": {"references": ["s3://b/l"], "regions": ["us-east-1"], "accounts": [`+account+`}]}, "policies": [{},
		{"protect": {"inUse": [], "regions": [], "accounts": []}}, {"protect": {"inUse": [], "regions": []}}, {"protect": {"accounts": [], "regions": [], "references": []}}]}`)
	before := hash(t, c)
	fleet := c.WithFleetLists().InRegion("eu-west-1")
	equal(t, "hash of the receiver", before, hash(t, c))
	equal(t, "general", []string{"s3://b/l", "fleet"}, fleet.Protect.Sources())
	for i, want := range []string{"s3://b/l fleet", "s3://b/l", "s3://b/l fleet", "fleet"} {
		equal(t, fleet.Policies[i].Name, want, strings.Join(fleet.Policies[i].Protect.Sources(), " "))
	}
}
