package config_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// Whatever the configuration, a scan queries the sources that an entry relies on, and no others.
func TestTheSourcesOfAScanAreThoseOfTheEntries(t *testing.T) {
	t.Parallel()
	registry := function.Connect(awstest.Offline(http.DefaultClient), time.Now)
	for seed := range uint64(2_000) {
		random := rand.New(rand.NewPCG(seed, 0))
		var entries []string
		for i := range 1 + random.IntN(3) {
			entries = append(entries, fmt.Sprintf(`{"repositories": ["r%d"], "protect": %s}`, i, drawProtect(random)))
		}
		text := fmt.Sprintf(`{"protect": %s, "policies": [%s]}`, drawProtect(random), strings.Join(entries, ", "))
		c := mustParse(t, text).InRegion(awstest.Region)
		wanted := c.Protect.Sources()
		for i := range c.Policies {
			wanted = append(wanted, c.Policies[i].Protect.Sources()...)
		}
		slices.Sort(wanted)
		var made []string
		for _, source := range registry.Sources(c, "run") {
			made = append(made, source.Name())
		}
		slices.Sort(made)
		equal(t, fmt.Sprintf("seed %d: %s", seed, text), slices.Compact(wanted), made)
		if t.Failed() {
			return
		}
	}
}

// drawProtect returns an object protect. What it leaves out, an entry takes from the general one.
func drawProtect(random *rand.Rand) string {
	some := func(from ...string) string {
		var kept []string
		for _, s := range from {
			if random.IntN(2) == 0 {
				kept = append(kept, s)
			}
		}
		if kept == nil {
			kept = from[:1]
		}
		return `"` + strings.Join(kept, `", "`) + `"`
	}
	services := func() string { return some("ecs", "lambda", "eks", "batch") }
	members := []string{`"inUse": [` + services() + `]`}
	if random.IntN(2) == 0 {
		members = append(members, `"regions": [`+some("us-east-1", awstest.Region, "eu-north-1")+`]`)
	}
	if random.IntN(2) == 0 {
		var accounts []string
		for _, id := range []string{"222222222222", "333333333333"}[:1+random.IntN(2)] {
			a := fmt.Sprintf(`{"roleArn": "arn:aws:iam::%s:role/m"`, id)
			if random.IntN(2) == 0 {
				a += `, "regions": [` + some("us-east-1", awstest.Region) + `]`
			}
			if random.IntN(2) == 0 {
				a += `, "inUse": [` + services() + `]`
			}
			accounts = append(accounts, a+"}")
		}
		members = append(members, `"accounts": [`+strings.Join(accounts, ", ")+`]`)
	}
	switch random.IntN(4) {
	case 0:
		members = append(members, `"references": []`, `"expect": []`)
	case 1:
		members = append(members, `"references": [`+some("a", "s3://b/c")+`]`, `"expect": []`)
	case 2:
		prefix := []string{"s3://b/p/", "s3://b/q/"}[random.IntN(2)]
		members = append(members, `"references": ["a", "`+prefix+`"]`,
			`"expect": [`+some("222222222222/eu-west-1", "222222222222/us-east-1", "444444444444/eu-west-1")+`]`)
	}
	return "{" + strings.Join(members, ", ") + "}"
}
