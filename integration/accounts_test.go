//go:build integration

package integration_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
)

// The account member uses images of the registry in the Region of the registry and in
// memberRegion. The account of the registry has functions in functionRegion.
const (
	member         = "222222222222"
	memberRole     = "arn:aws:iam::" + member + ":role/ecr-cleaner-member"
	externalID     = "ecr-cleaner:our-company"
	memberRegion   = "eu-central-2"
	functionRegion = "us-east-1"
)

// used has the image in use in each repository. The policies of open and of all let the
// member pull. Only a list tells that the member uses listed.
var used = map[string][]string{
	"all": {"family"}, "free": {}, "function": {"function"}, "listed": {"service"}, "open": {"task"},
}

var (
	everyRepository = slices.Sorted(maps.Keys(used))
	// ofMember are the repositories that keep every image if a source of the member fails.
	ofMember = []string{"all", "listed", "open"}
)

// TestAccounts: the images that other accounts and Regions use are kept, and all others are
// deleted. If a source there fails, what that account or Region may use is kept. Each
// scenario runs with both programs, each time with a registry in its own Region.
func TestAccounts(t *testing.T) {
	t.Parallel()
	server := startFaithful(t)
	server.createRole(t)
	server.put(t, "/lists", "") // the bucket
	there := server.site(t, "", memberRegion).as(memberRole)
	there.cluster()
	trusted := there.createMember()
	scenarios := map[string]func(*company){
		"all is well": (*company).allIsWell, "role denied": (*company).roleDenied, "wrong external ID": (*company).wrongExternalID,
		"registry policy": (*company).registryPolicy, "Region of the member": (*company).memberUnreached, "own Region": (*company).ownRegionUnreached,
	}
	regions := regions
	for name, scenario := range scenarios {
		for program := range programs {
			region := regions[0]
			regions = regions[1:]
			awstest.Parallel(t, name+"/"+program, func(t *testing.T) {
				scenario(server.company(t, program, region, trusted))
			})
		}
	}
	for name, scenario := range map[string]func(*company){
		"lists": (*company).lists, "list of another account": (*company).listOfAnother,
		"no list": (*company).noList, "old list": (*company).oldList,
	} {
		region := regions[0]
		regions = regions[1:]
		awstest.Parallel(t, name, func(t *testing.T) {
			scenario(server.company(t, "bootstrap", region, trusted))
		})
	}
}

// asked returns a configuration with the role, and with the list of the member's Region.
func (c *company) asked(role, externalID string) string {
	return everything(`"inUse": ["ecs", "lambda"], "regions": ["` + functionRegion + `"], ` + c.expected(memberRegion) + `,
	  "accounts": [{"roleArn": "` + role + `", "externalId": "` + externalID + `", "regions": ["` + c.region + `", "` + memberRegion + `"]}]`)
}

// expected returns the members of protect for the lists of the member in these Regions.
func (c *company) expected(regions ...string) string {
	return `"references": ["` + c.prefix + `"], "expect": ["` + member + "/" + strings.Join(regions, `", "`+member+"/") + `"]`
}

// wantLeft applies the configuration. Besides the images in use, only these repositories
// keep images, and say so with the words.
func (c *company) wantLeft(configuration string, whole []string, words ...string) useReport {
	c.Helper()
	r := c.apply(configuration, len(whole) == 0)
	awstest.Equal(c, "repositories", len(used), len(r.Repositories))
	for _, rr := range r.Repositories {
		want, skipped := used[rr.Name], ""
		if slices.Contains(whole, rr.Name) {
			want, skipped = append(want, "unused"), "in-use scan"
			c.wantWords(rr.Message, words...)
		}
		awstest.Equal(c, "left in "+rr.Name, want, c.held(rr.Name))
		awstest.Equal(c, "why "+rr.Name+" is skipped", skipped, rr.Skipped)
	}
	return r
}

// allIsWell: each account and Region has its own uses, and they are all that is kept.
func (c *company) allIsWell() {
	c.between(nil)
	r := c.wantLeft(c.asked(memberRole, externalID), nil)
	for source, want := range map[string]int{
		"ecs": 0, "lambda": 0, "ecs@" + functionRegion: 0,
		"ecs@" + member + "/" + c.region: 3, "lambda@" + member + "/" + c.region: 0, "lambda@" + member + "/" + memberRegion: 0,
	} {
		awstest.Equal(c, "uses of "+source, want, r.InUse[source])
	}
}

// denied are words of the message about a role that cannot be assumed.
var denied = []string{"in-use scan: ecs@" + member + "/", "AccessDenied", "the action sts:AssumeRole is denied to ", "externalId in protect.accounts"}

// roleDenied: the trust policy of another role does not admit the cleaner.
func (c *company) roleDenied() {
	c.between(nil)
	other := "arn:aws:iam::" + member + ":role/other"
	c.wantLeft(c.asked(other, externalID), ofMember, append(denied, "assume role "+other)...)
}

func (c *company) wrongExternalID() {
	c.between(nil)
	c.wantLeft(c.asked(memberRole, "ecr-cleaner:other-company"), ofMember, append(denied, "assume role "+memberRole)...)
}

// registryPolicy: the policy of the registry may let the member pull. moto accepts no such policy.
func (c *company) registryPolicy() {
	c.between(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetRegistryPolicy") {
			return false
		}
		inusetest.Answer(w, http.StatusOK, inusetest.Object{"registryId": account, "policyText": anyMayPull})
		return true
	})
	c.wantLeft(c.asked(memberRole, "ecr-cleaner:other-company"), everyRepository, denied...)
}

// unreached breaks the connections of calls in a Region.
func unreached(region string) func(http.ResponseWriter, *http.Request) bool {
	return func(_ http.ResponseWriter, r *http.Request) bool {
		if _, of, _ := inusetest.Signer(r); of == region {
			panic(http.ErrAbortHandler)
		}
		return false
	}
}

func (c *company) memberUnreached() {
	c.between(unreached(memberRegion))
	c.wantLeft(c.asked(memberRole, externalID), ofMember,
		"in-use scan: ecs@"+member+"/"+memberRegion+": role "+memberRole+": list clusters: ", "ECS: ListClusters", "request send failed")
}

func (c *company) ownRegionUnreached() {
	c.between(unreached(functionRegion))
	c.wantLeft(c.asked(memberRole, externalID), everyRepository, "in-use scan: ecs@"+functionRegion+": list clusters: ", "ECS: ListClusters", "request send failed")
}
