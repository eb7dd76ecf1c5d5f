package reference

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// The hosts of an ECR registry are like 123456789012.dkr.ecr.eu-west-1.amazonaws.com or
// 123456789012.dkr-ecr-fips.us-east-1.on.aws:
// https://docs.aws.amazon.com/general/latest/gr/ecr.html
//
// Any DNS suffix is accepted, because AWS adds partitions. A host that only looks like an
// ECR registry protects too much; one that is not recognised could lose an image in use.
var (
	// registryMark is in the host of an ECR registry, even if it is mistyped.
	registryMark = expression(`(^|[^a-z0-9-])dkr[.-]ecr(-fips)?(\.|$)`)
	// registryHost is a whole host anywhere in a text.
	registryHost = expression(`[0-9]{12}\.dkr[.-]ecr(-fips)?\.[a-z0-9-]+\.`)
)

// expression returns a regular expression that is compiled when it is needed, because most
// runs of the function need none at the start.
func expression(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// namesRegistry reports whether a text with that host appears to name an ECR registry. The
// expressions are slow.
func namesRegistry(host, text string) bool {
	if strings.Contains(host, "dkr") && registryMark().MatchString(host) {
		return true
	}
	text = lower(text)
	return strings.Contains(text, "dkr") && registryHost().MatchString(text)
}

// services are the names in the hosts of ECR registries.
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

var errNoRegistry = errors.New("the registry is not ACCOUNT.dkr.ecr.REGION.SUFFIX at its beginning")

// partitions are the DNS suffixes other than amazonaws.com, by the prefixes of their Regions:
// https://github.com/aws/aws-sdk-go-v2/blob/main/internal/endpoints/awsrulesfn/partitions.json
var partitions = []struct{ region, suffix string }{
	{"cn-", "amazonaws.com.cn"},
	{"eusc-", "amazonaws.eu"},
	{"us-iso-", "c2s.ic.gov"},
	{"us-isob-", "sc2s.sgov.gov"},
	{"eu-isoe-", "cloud.adc-e.uk"},
	{"us-isof-", "csp.hci.ic.gov"},
}

// Domain returns the domain of AWS's endpoints in a Region, such as eu-west-1.amazonaws.com.
func Domain(region string) string {
	for _, p := range partitions {
		if strings.HasPrefix(region, p.region) {
			return region + "." + p.suffix
		}
	}
	return region + ".amazonaws.com"
}

// registryName returns the shortest host name of an ECR registry.
func registryName(id, region string) string { return id + ".dkr.ecr." + Domain(region) }

// isHost reports whether the text can be the host of a registry, with or without a port.
func isHost(text string) bool {
	name := text
	if i := strings.LastIndexByte(text, ':'); i > strings.LastIndexByte(text, ']') {
		if name = text[:i]; !consists(text[i+1:], isDigit) {
			return false
		}
	}
	if address, bracket := strings.CutPrefix(name, "["); bracket {
		address, closed := strings.CutSuffix(address, "]")
		return closed && address != "" && strings.Trim(address, "0123456789abcdef:.") == ""
	}
	return isPathPart(name)
}

// lower changes ASCII letters only, because no other letter may become an ASCII letter.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
