package organization_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet/organization"
)

type object = inusetest.Object

// answers are those of an organization with accounts as AWS documents them, by operation
// and, after a space, the parent.
func answers(t *testing.T) map[string]object {
	t.Helper()
	text, err := os.ReadFile("testdata/ListAccounts.json")
	awstest.NoError(t, err)
	var accounts object
	awstest.NoError(t, json.Unmarshal(text, &accounts))
	units := func(ids ...string) object {
		list := []object{}
		for _, id := range ids {
			list = append(list, object{"Id": id, "Name": "a unit"})
		}
		return object{"OrganizationalUnits": list}
	}
	in := func(id string) object { return object{"Accounts": []object{{"Id": id, "State": "ACTIVE"}}} }
	return map[string]object{
		"DescribeOrganization ":                            {"Organization": object{"Id": "o-exampleorgid", "FeatureSet": "ALL"}},
		"ListAccounts ":                                    accounts,
		"ListOrganizationalUnitsForParent ou-root-one":     units("ou-root-two"),
		"ListOrganizationalUnitsForParent ou-root-two":     units(),
		"ListAccountsForParent ou-root-one":                {"Accounts": []object{}, "NextToken": "n"}, // an empty page
		"ListAccountsForParent ou-root-one n":              in("111111111111"),
		"ListAccountsForParent ou-root-two":                in("222222222222"),
		"ListAccountsForParent ou-root-none":               {"__type": "ParentNotFoundException", "message": "no such parent"},
		"ListAccountsForParent ou-root-cycle":              in("111111111111"),
		"ListOrganizationalUnitsForParent ou-root-cycle":   units("ou-root-cycle"),
		"ListAccountsForParent ou-root-again":              in("222222222222"),
		"ListOrganizationalUnitsForParent ou-root-again":   units(),
		"ListAccountsForParent ou-root-strange":            in("999999999999"),
		"ListOrganizationalUnitsForParent ou-root-strange": units(),
	}
}

func list(t *testing.T, all map[string]object, units ...string) (organization.Organization, error) {
	t.Helper()
	service := &inusetest.JSONService{Reply: func(operation string, in object) object {
		parent, _ := in["ParentId"].(string)
		call := operation + " " + parent
		if token, _ := in["NextToken"].(string); token != "" {
			call += " " + token
		}
		return all[call]
	}}
	return organization.List(t.Context(), inusetest.Config(t, service), awstest.Clock, units)
}

func TestAccountsHaveStates(t *testing.T) {
	t.Parallel()
	o, err := list(t, answers(t))
	awstest.NoError(t, err)
	awstest.Equal(t, "id", "o-exampleorgid", o.ID)
	unusable, known := map[string]string{}, 0
	for _, a := range o.Accounts {
		unusable[a.ID] = a.Unusable()
		if a.Known() {
			known++
		}
	}
	awstest.Equal(t, "unusable accounts", map[string]string{
		"111111111111": "", "222222222222": "", "333333333333": "CLOSED", "444444444444": "SUSPENDED", "555555555555": "PENDING_ACTIVATION", "666666666666": "",
	}, unusable)
	awstest.Equal(t, "known states, and accounts in units", [2]int{5, 6}, [2]int{known, len(o.InUnits)})
}

// Units narrow what is in the units, not the accounts.
func TestUnitsAreWalked(t *testing.T) {
	t.Parallel()
	o, err := list(t, answers(t), "ou-root-two", "ou-root-one")
	awstest.NoError(t, err)
	awstest.Equal(t, "accounts", 6, len(o.Accounts))
	awstest.Equal(t, "in units", map[string]bool{"111111111111": true, "222222222222": true}, o.InUnits)
}

func TestAListingThatIsNotCompleteIsAnError(t *testing.T) {
	t.Parallel()
	for unit, words := range map[string]string{
		"ou-root-none": "no such unit; correct organization.units", "ou-root-cycle": "below itself", "ou-root-strange": "is missing; run again",
	} {
		_, err := list(t, answers(t), unit)
		awstest.ErrorContains(t, err, words)
	}
	_, err := list(t, answers(t), "ou-root-two", "ou-root-again")
	awstest.ErrorContains(t, err, "in another unit too")
	for call := range map[string]bool{"DescribeOrganization ": true, "ListAccounts ": true, "ListAccountsForParent ou-root-two": true, "ListOrganizationalUnitsForParent ou-root-two": true} {
		for words, answer := range map[string]object{
			"allow the action organizations:": {"__type": "AccessDeniedException", "message": "no"},
			"run again later":                 {"__type": "TooManyRequestsException", "message": "no"},
			"the answer":                      {"NextToken": "n"},
		} {
			all := answers(t)
			all[call] = answer
			_, err := list(t, all, "ou-root-one")
			awstest.ErrorContains(t, err, words)
		}
	}
	all := answers(t)
	all["ListAccounts "] = object{"Accounts": []object{{"Id": "111111111111"}, {"Id": "111111111111"}}}
	_, err = list(t, all)
	awstest.ErrorContains(t, err, "is there twice")
}

func TestDisabledRegions(t *testing.T) {
	t.Parallel()
	service := &inusetest.JSONService{Reply: func(string, object) object {
		return object{"Regions": []object{
			{"RegionName": "af-south-1", "RegionOptStatus": "DISABLED"},
			{"RegionName": "eu-south-1", "RegionOptStatus": "DISABLING"},
			{"RegionName": "eu-south-2", "RegionOptStatus": "ENABLING"},
			{"RegionName": "eu-west-1", "RegionOptStatus": "ENABLED_BY_DEFAULT"},
		}}
	}}
	got, err := organization.DisabledRegions(t.Context(), inusetest.Config(t, service), awstest.Clock)
	awstest.NoError(t, err)
	awstest.Equal(t, "disabled", map[string]string{"af-south-1": "DISABLED", "eu-south-1": "DISABLING"}, got)
	service.Reply = func(string, object) object { return object{"__type": "AccessDeniedException", "message": "no"} }
	_, err = organization.DisabledRegions(t.Context(), inusetest.Config(t, service), awstest.Clock)
	awstest.ErrorContains(t, err, "allow the action account:ListRegions")
	awstest.Equal(t, "opt-in", [3]bool{true, false, false}, [3]bool{organization.IsOptIn("af-south-1"), organization.IsOptIn("eu-west-1"), organization.IsOptIn("cn-north-1")})
}
