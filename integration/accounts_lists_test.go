//go:build integration

package integration_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"
)

// listed returns a configuration with the lists of the member, and no role.
func (c *company) listed() string {
	return everything(`"inUse": ["ecs", "lambda"], "regions": ["` + functionRegion + `"], ` + c.expected(c.region, memberRegion))
}

// lists: the lists that the member's function has written have all uses of the member.
func (c *company) lists() {
	c.as(memberRole).write(c.prefix)
	c.wantLeft(c.listed(), nil)
}

// list returns the location of the list of a Region.
func (c *company) list(region string) string { return c.prefix + member + "/" + region + ".json" }

// change changes a member of the list of a Region.
func (c *company) change(region, name string, value any) {
	c.Helper()
	list := map[string]any{}
	c.done(json.Unmarshal(c.aws(c.T, "", "s3", "cp", c.list(region), "-"), &list))
	list[name] = value
	text, err := json.Marshal(list)
	c.done(err)
	file := filepath.Join(c.TempDir(), "list.json")
	c.done(os.WriteFile(file, text, 0o600))
	c.aws(c.T, "", "s3", "cp", file, c.list(region))
}

// listOfAnother: below the key of the member is a list of another account.
func (c *company) listOfAnother() {
	c.as(memberRole).write(c.prefix)
	c.change(memberRegion, "account", "333333333333")
	c.wantLeft(c.listed(), ofMember, "in-use scan: "+c.prefix+member+"/"+memberRegion+": ", "333333333333")
}

func (c *company) oldList() {
	c.as(memberRole).write(c.prefix)
	c.change(memberRegion, "time", time.Now().Add(-37*time.Hour))
	c.wantLeft(c.listed(), ofMember, "in-use scan: "+c.prefix+member+"/"+memberRegion+": ", "more than 36 hours old")
}

// noList: the list of one Region is missing.
func (c *company) noList() {
	c.wantLeft(c.listed(), ofMember, "in-use scan: "+c.prefix+member+"/"+c.region+": ", "there is no list")
}
