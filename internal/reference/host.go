package reference

import (
	"errors"
	"fmt"
	"strings"
)

// The hosts of a registry are, with and without FIPS and with the DNS suffix
// of the partition:
//
//	123456789012.dkr.ecr.eu-west-1.amazonaws.com
//	123456789012.dkr.ecr-fips.us-east-1.amazonaws.com
//	123456789012.dkr-ecr.eu-west-1.on.aws
//	123456789012.dkr-ecr-fips.us-east-1.on.aws
//
// https://docs.aws.amazon.com/general/latest/gr/ecr.html
//
// Any DNS suffix will do. AWS adds partitions, and a host that only looks like
// a registry protects an image too many, while one that is not recognised
// would give an image in use away.
var (
	// registryMark is what tells the host of a registry, however mistyped.
	registryMark = expression(`(^|[^a-z0-9-])dkr[.-]ecr(-fips)?(\.|$)`)
	// registryHost is a whole host, to be found anywhere in a text.
	registryHost = expression(`[0-9]{12}\.dkr[.-]ecr(-fips)?\.[a-z0-9-]+\.`)
)

// claimsRegistry first looks for "dkr", because most texts lack it and the expressions
// are slow.
func claimsRegistry(host string) bool {
	return strings.Contains(host, "dkr") && registryMark().MatchString(host)
}

func containsRegistry(text string) bool {
	return strings.Contains(text, "dkr") && registryHost().MatchString(text)
}

var errNoRegistry = errors.New("the registry is not ACCOUNT.dkr.ecr.REGION.SUFFIX at its beginning")

// services are the names in the hosts of registries.
var services = []string{"dkr.ecr.", "dkr-ecr.", "dkr.ecr-fips.", "dkr-ecr-fips."}

func parseHost(host string) (Reference, error) {
	account, rest, _ := strings.Cut(host, ".")
	place, found := "", false
	for i := 0; i < len(services) && !found; i++ {
		place, found = strings.CutPrefix(rest, services[i])
	}
	region, suffix, whole := strings.Cut(place, ".")
	switch {
	case !found || !whole:
		return Reference{}, errNoRegistry
	case len(account) != 12 || !consists(account, isDigit):
		return Reference{}, fmt.Errorf("the account %.80q is not 12 digits", account)
	case !isRegion(region):
		return Reference{}, fmt.Errorf("%.80q is not a Region", region)
	case !isSuffix(suffix):
		return Reference{}, fmt.Errorf("the registry ends in %.80q, which is not the end of a host name (a port is not allowed)", suffix)
	}
	return Reference{RegistryID: account, Region: region}, nil
}

// partitions are the DNS suffixes that differ from amazonaws.com, by how the
// Regions of the partition begin.
var partitions = []struct{ region, suffix string }{
	{"cn-", "amazonaws.com.cn"},
	{"eusc-", "amazonaws.eu"},
	{"us-iso-", "c2s.ic.gov"},
	{"us-isob-", "sc2s.sgov.gov"},
	{"eu-isoe-", "cloud.adc-e.uk"},
	{"us-isof-", "csp.hci.ic.gov"},
}

func dnsSuffix(region string) string {
	for _, p := range partitions {
		if strings.HasPrefix(region, p.region) {
			return p.suffix
		}
	}
	return "amazonaws.com"
}

// registryName returns the shortest host name of an ECR registry.
func registryName(id, region string) string {
	return id + ".dkr.ecr." + region + "." + dnsSuffix(region)
}

// lower changes ASCII letters only. Host names are compared in that form, and no other
// letter may turn into an ASCII letter.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
