package reference_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

func TestParseAnyReadsReferencesToEveryRegistry(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]reference.Reference{
		"nginx":                                {Repository: "nginx", Tag: "latest"},
		"nginx:1.27":                           {Repository: "nginx", Tag: "1.27"},
		"team/app:v1":                          {Repository: "team/app", Tag: "v1"},
		"library/nginx@" + digest:              {Repository: "library/nginx", Digest: digest},
		"team/app:v1@" + digest:                {Repository: "team/app", Tag: "v1", Digest: digest},
		"docker.io/library/nginx":              {Host: "docker.io", Repository: "library/nginx", Tag: "latest"},
		"public.ecr.aws/nginx/nginx:latest":    {Host: "public.ecr.aws", Repository: "nginx/nginx", Tag: "latest"},
		"ghcr.io/Org/App:v1":                   {Host: "ghcr.io", Repository: "Org/App", Tag: "v1"},
		"localhost/app:v1":                     {Host: "localhost", Repository: "app", Tag: "v1"},
		"localhost:5000/app":                   {Host: "localhost:5000", Repository: "app", Tag: "latest"},
		"LOCALHOST:5000/app":                   {Host: "localhost:5000", Repository: "app", Tag: "latest"},
		"https://quay.io/org/app":              {Host: "quay.io", Repository: "org/app", Tag: "latest"},
		"oci://Proxy.Example.COM:8443/a/b:v1":  {Host: "proxy.example.com:8443", Repository: "a/b", Tag: "v1"},
		"docker-pullable://p.example.com/a:v1": {Host: "p.example.com", Repository: "a", Tag: "v1"},
		"[::1]:5000/app:v1":                    {Host: "[::1]:5000", Repository: "app", Tag: "v1"},
		"[FD00::1]/app:v1":                     {Host: "[fd00::1]", Repository: "app", Tag: "v1"},
		"10.0.0.1:5000/app:v1":                 {Host: "10.0.0.1:5000", Repository: "app", Tag: "v1"},
		"registry/123456789012/app:v1":         {Repository: "registry/123456789012/app", Tag: "v1"},
		"a__b/c--d.e:_x":                       {Repository: "a__b/c--d.e", Tag: "_x"},
		host + "/app:v1":                       lowerCase,
	} {
		got, err := reference.ParseAny(text)
		if got != want || err != nil {
			t.Errorf("ParseAny(%q) = %+v, %v; want %+v", text, got, err, want)
		}
		if again, err := reference.ParseAny(got.String()); again != got || err != nil {
			t.Errorf("ParseAny(%q).String() = %s is read back as %+v, %v", text, got, again, err)
		}
	}
}

func TestParseAnyRefusesWhatIsNoReference(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", "/", ":", "@", "nginx ", "two words", "a\tb", "nginx:", "nginx:-1", "nginx:1:2", "nginx:" + longTag + "t", "nginx@", "nginx@sha256:0a",
		"nginx@" + digest + "@" + digest, "app/", "/app", "a//b", "a/.b", "a-/b", "-a", "a_", "${IMAGE}", "<IMAGE1_NAME>", `"nginx"`, "{nginx}", "'nginx'",
		"<html>", "http://quay.io/org/app", "ssh://quay.io/org/app", "proxy.example.com/", "proxy.example.com:/app", "proxy.example.com:x/app", "[::1/app", "[]/app",
		"[::x]/app", "::1/app", "a.b:1:2/app", "n\u00e4me", "\xff\xfe", "app#x", "error: no such host", "nginx,", "nginx;", "a=b", "a+b", "\x00",
	} {
		if got, err := reference.ParseAny(text); !errors.Is(err, reference.ErrNoReference) || got != (reference.Reference{}) {
			t.Errorf("ParseAny(%q) = %v, %v; want ErrNoReference", text, got, err)
		}
	}
	for _, text := range []string{host + "/App", host, "mirror.example.com/" + host + "/app", "vpce-1." + host + "/app"} {
		_, want := reference.Parse(text)
		if got, err := reference.ParseAny(text); err == nil || errors.Is(err, reference.ErrNoReference) || err.Error() != want.Error() {
			t.Errorf("ParseAny(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	if _, err := reference.ParseAny(strings.Repeat("\x01", 1<<20)); err == nil || len(err.Error()) > 1500 {
		t.Errorf("got an error of %d bytes, want a short one", len(err.Error()))
	}
}

func TestPublicRegistries(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"nginx": true, "team/app": true, "docker.io/library/nginx": true, "public.ecr.aws/x/y": true, "Quay.io/x/y": true, "registry.k8s.io/pause": true,
		"proxy.example.com/x": false, "quay.io:443/x": false, "localhost/x": false, host + "/app": false,
	} {
		r, err := reference.ParseAny(text)
		if err != nil || r.Public() != want {
			t.Errorf("%s: public %t, %v; want %t", text, r.Public(), err, want)
		}
	}
	if (reference.Reference{Digest: digest}).Public() {
		t.Error("a digest alone is public")
	}
}

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

func BenchmarkParseAny(b *testing.B) {
	for name, text := range map[string]string{
		"tag": host + "/team/app:v1.2.3", "digest": host + "/team/app@" + digest, "proxy": "proxy.example.com/team/app:v1.2.3",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := reference.ParseAny(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
