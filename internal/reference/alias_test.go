package reference_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

func TestAliasesResolve(t *testing.T) {
	t.Parallel()
	here := reference.Registry{ID: account, Region: "eu-west-1"}
	aliases := reference.Aliases{
		"proxy.example.com": here, "proxy.example.com/deep": {ID: account, Region: "us-east-1", Prefix: "cache/x"},
		"proxy.example.com/deep/er": here, "hub:5000": here, "registry/mirror": here,
	}
	for text, want := range map[string]string{
		"proxy.example.com/app:v1":             host + "/app:v1",
		"PROXY.example.com/team/app@" + digest: host + "/team/app@" + digest,
		"proxy.example.com/deep/app:v1":        account + ".dkr.ecr.us-east-1.amazonaws.com/cache/x/app:v1",
		"proxy.example.com/deep/er/app:v1":     host + "/app:v1",
		"proxy.example.com/deeper/app:v1":      host + "/deeper/app:v1",
		"proxy.example.com/deep:v1":            host + "/deep:v1",
		"hub:5000/app:v1":                      host + "/app:v1",
		"registry/mirror/app:v1":               host + "/app:v1",
		"proxy.example.com:443/app:v1":         "proxy.example.com:443/app:v1",
		"other.example.com/app:v1":             "other.example.com/app:v1",
		"app:v1":                               "app:v1",
		host + "/app:v1":                       host + "/app:v1",
	} {
		r, err := reference.ParseAny(text)
		if got := aliases.Resolve(r).String(); got != want || err != nil {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
		if got := reference.Aliases(nil).Resolve(r); got != r {
			t.Errorf("without aliases: %v", got)
		}
	}
}

func TestAliasesAreRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"proxy.example.com": "proxy.example.com", "Proxy.Example.com:8443/Team/a": "proxy.example.com:8443/Team/a", "registry": "registry", "[::1]:5000": "[::1]:5000",
	} {
		if got, err := reference.ParseAlias(text); got != want || err != nil {
			t.Errorf("ParseAlias(%q) = %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "/", "proxy/", "/a", "https://proxy", "proxy:v1", "a b", host, host + "/app", "proxy/" + host, "*.example.com"} {
		if got, err := reference.ParseAlias(text); err == nil {
			t.Errorf("ParseAlias(%q) = %q", text, got)
		}
	}
}

func TestRegistriesAreRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		host: host, strings.ToUpper(host) + "/team/a": host + "/team/a", account + ".dkr-ecr.eu-west-1.on.aws": host,
	} {
		r, err := reference.ParseRegistry(text)
		if printed, _ := json.Marshal(r); string(printed) != `"`+want+`"` || err != nil {
			t.Errorf("ParseRegistry(%q) = %s, %v", text, printed, err)
		}
	}
	for _, text := range []string{"", "proxy.example.com", host + "/", host + "/App", host + "/app:v1", "https://" + host, "1." + host} {
		if r, err := reference.ParseRegistry(text); err == nil {
			t.Errorf("ParseRegistry(%q) = %v", text, r)
		}
	}
}
