package reference_test

import (
	"errors"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

const (
	account = "123456789012"
	host    = account + ".dkr.ecr.eu-west-1.amazonaws.com"
)

var (
	digest    = "sha256:" + strings.Repeat("0a", 32)
	longer    = "sha512:" + strings.Repeat("0a", 64)
	longName  = strings.Repeat("a", 256)
	longTag   = strings.Repeat("t", 128)
	lowerCase = reference.Reference{RegistryID: account, Region: "eu-west-1", Repository: "app", Tag: "v1"}
)

func TestParseReadsEverySpelling(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]reference.Reference{
		"app":                            {Repository: "app", Tag: "latest"},
		"app:v1":                         {Repository: "app", Tag: "v1"},
		"app@" + digest:                  {Repository: "app", Digest: digest},
		"app:v1@" + digest:               {Repository: "app", Tag: "v1", Digest: digest},
		"app@" + longer:                  {Repository: "app", Digest: longer},
		"app@" + strings.ToUpper(digest): {Repository: "app", Digest: digest},
		"app@blake3-x:" + strings.Repeat("f", 32): {Repository: "app", Digest: "blake3-x:" + strings.Repeat("f", 32)},
		"team-a/web_ui/api.v2:V1_0-rc.1":          {Repository: "team-a/web_ui/api.v2", Tag: "V1_0-rc.1"},
		"a__b/c--d:_x":                            {Repository: "a__b/c--d", Tag: "_x"},
		"ab":                                      {Repository: "ab", Tag: "latest"},
		longName + ":" + longTag:                  {Repository: longName, Tag: longTag},
		"cache/docker.io/library/nginx:1":         {Repository: "cache/docker.io/library/nginx", Tag: "1"},
	} {
		want.RegistryID, want.Region = account, "eu-west-1"
		if got, err := reference.Parse(host + "/" + text); got != want || err != nil {
			t.Errorf("Parse(HOST/%.60s) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestParseKnowsEveryHost(t *testing.T) {
	t.Parallel()
	for host, region := range map[string]string{
		".dkr.ecr.us-east-1.amazonaws.com":                    "us-east-1",
		".dkr.ecr-fips.us-gov-west-1.amazonaws.com":           "us-gov-west-1",
		".dkr-ecr.ap-southeast-4.on.aws":                      "ap-southeast-4",
		".dkr-ecr-fips.us-east-2.on.aws":                      "us-east-2",
		".dkr.ecr.cn-north-1.amazonaws.com.cn":                "cn-north-1",
		".dkr-ecr.cn-northwest-1.on.amazonwebservices.com.cn": "cn-northwest-1",
		".dkr.ecr.eusc-de-east-1.amazonaws.eu":                "eusc-de-east-1",
		".dkr.ecr.us-iso-east-1.c2s.ic.gov":                   "us-iso-east-1",
		".dkr.ecr.us-isob-east-1.sc2s.sgov.gov":               "us-isob-east-1",
		".dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk":              "eu-isoe-west-1",
		".dkr.ecr.us-isof-south-1.csp.hci.ic.gov":             "us-isof-south-1",
		".DKR.ECR.EU-West-1.AmazonAWS.com":                    "eu-west-1",
		".dkr.ecr.xx-new-1.a-partition-of-tomorrow.example":   "xx-new-1",
	} {
		want := reference.Reference{RegistryID: account, Region: region, Repository: "app", Tag: "v1"}
		if got, err := reference.Parse(account + host + "/app:v1"); got != want || err != nil {
			t.Errorf("Parse(%s%s/app:v1) = %v, %v; want %v", account, host, got, err, want)
		}
	}
}

func TestParseAcceptsASchemeBeforeIt(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"https://", "HTTPS://", "docker://", "docker-pullable://", "oci://"} {
		if got, err := reference.Parse(scheme + host + "/app:v1"); got != lowerCase || err != nil {
			t.Errorf("Parse(%sHOST/app:v1) = %v, %v; want %v", scheme, got, err, lowerCase)
		}
	}
}

func TestParseLeavesOtherRegistriesAlone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", "/", ":", "@", "nginx", "nginx:1.27", "library/nginx@" + digest, "docker.io/library/nginx",
		"public.ecr.aws/nginx/nginx:latest", "ghcr.io/org/app:v1", "localhost:5000/app", "https://quay.io/org/app",
		"registry.example.com/dkr/ecr/app", "dkr-ecru.example.com/app", "not-dkr.ecr.example.com/app",
		"gcr.io/project/dkr.ecr.tool:1", "a text of words", "012345678901.example.com/app", "\xff\xfe", "${IMAGE}",
	} {
		if got, err := reference.Parse(text); !errors.Is(err, reference.ErrNotECR) || got != (reference.Reference{}) {
			t.Errorf("Parse(%q) = %v, %v; want ErrNotECR", text, got, err)
		}
	}
}

func TestParseRefusesWhatOnlyPointsAtECR(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		host:                           `"" is not the name`,
		host + "/":                     `"" is not the name`,
		host + "/a":                    `"a" is not the name`,
		host + "/" + longName + "a":    "is not the name",
		host + "/App":                  `"App" is not the name`,
		host + "/app/":                 `"app/" is not the name`,
		host + "//app":                 `"/app" is not the name`,
		host + "/app..b":               "is not the name",
		host + "/-app":                 "is not the name",
		host + "/app?x=1":              "is not the name",
		host + "/<repository>":         "is not the name",
		host + "/:v1":                  `"" is not the name`,
		host + "/app:":                 `"" is not a tag`,
		host + "/app:-v1":              `"-v1" is not a tag`,
		host + "/app:v1:v2":            `"v1:v2" is not a tag`,
		host + "/app:v1/x":             `"v1/x" is not a tag`,
		host + "/app:" + longTag + "t": "is not a tag",
		host + "/app:é":                "is not a tag",
		host + "/app@":                 `"" is not a digest`,
		host + "/app:v1@":              `"" is not a digest`,
		host + "/app@v1":               `"v1" is not a digest`,
		host + "/app@sha256:":          "is not a digest",
		host + "/app@sha256:0a0a":      "is not a digest",
		host + "/app@" + digest + "0a": "is not a digest",
		host + "/app@sha512:" + strings.Repeat("0", 64):        "is not a digest",
		host + "/app@" + strings.TrimSuffix(digest, "a") + "g": "is not a digest",
		host + "/app@" + digest + ":v1":                        "is not a digest",
		host + "/app@" + digest + "@" + digest:                 "is not a digest",
	} {
		refused(t, text, want)
	}
}

func TestParseRefusesHostsThatOnlyLookLikeRegistries(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		" " + host + "/app":                                       "white space",
		host + "/app:v1 ":                                         "white space",
		host + "/app:v1\n":                                        "white space",
		host + "/app:v1 # prod":                                   "white space",
		host + "/app\x00":                                         "control character",
		host + ":443/app":                                         "a port is not allowed",
		host + ":v1":                                              "a port is not allowed",
		host + "./app":                                            "not the end of a host name",
		account + ".dkr.ecr.eu-west-1.com/app":                    `ends in "com"`,
		account + ".dkr.ecr.eu-west-1./app":                       `ends in ""`,
		account + ".dkr.ecr.eu-west-1/app":                        "ACCOUNT.dkr.ecr.REGION",
		account + ".dkr.ecr.europe.amazonaws.com/app":             `"europe" is not a Region`,
		account + ".dkr.ecr..amazonaws.com/app":                   `"" is not a Region`,
		"1234.dkr.ecr.eu-west-1.amazonaws.com/app":                "not 12 digits",
		"x" + host + "/app":                                       "not 12 digits",
		"${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/app":          "not 12 digits",
		"dkr.ecr.eu-west-1.amazonaws.com/app":                     "ACCOUNT.dkr.ecr.REGION",
		"AWS:secret@" + host + "/app":                             "not 12 digits",
		"mirror.example.com/" + host + "/app:v1":                  "at its beginning",
		"ssh://" + host + "/app":                                  "at its beginning",
		"http://" + strings.ToUpper(host) + "/app":                "at its beginning",
		"vpce-1." + host + "/app":                                 "ACCOUNT.dkr.ecr.REGION",
		"docker://docker://" + host + "/app":                      "at its beginning",
		"docker.io/library/x:" + host:                             "at its beginning",
		account + ".d\u212ar.ecr.eu-west-1.amazonaws.com/" + host: "at its beginning",
	} {
		refused(t, text, want)
	}
}

// refused checks that the text is an error of its own that says want.
func refused(t *testing.T, text, want string) {
	t.Helper()
	got, err := reference.Parse(text)
	switch {
	case err == nil || got != (reference.Reference{}):
		t.Errorf("Parse(%q) = %v, %v; want an error", text, got, err)
	case errors.Is(err, reference.ErrNotECR):
		t.Errorf("Parse(%q) is ErrNotECR; want an error that says what is wrong", text)
	case !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "image reference \""):
		t.Errorf("Parse(%q) says %q; want %q in it", text, err, want)
	}
}

func TestErrorsStayShort(t *testing.T) {
	t.Parallel()
	_, err := reference.Parse(host + "/" + strings.Repeat("\x01", 1<<20))
	if err == nil || len(err.Error()) > 1500 {
		t.Errorf("got an error of %d bytes, want a short one", len(err.Error()))
	}
}

// The grammars as AWS and the OCI write them.
var (
	repositoryGrammar = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagGrammar        = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	regionGrammar     = regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)+$`)
	suffixGrammar     = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`)
)

// The checks by hand accept the same names as the grammars.
func TestNamesAreCheckedByTheGrammars(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		var text strings.Builder
		for range random.IntN(9) {
			text.WriteByte("aaz09--__../A:"[random.IntN(14)])
		}
		name := text.String()
		if strings.Contains(name, ":") {
			continue // separates names
		}
		for kind, c := range map[string]struct {
			reference string
			want      bool
		}{
			"repository": {host + "/" + name, len(name) >= 2 && repositoryGrammar.MatchString(name)},
			"tag":        {host + "/app:" + name, tagGrammar.MatchString(name)},
			"region":     {account + ".dkr.ecr." + name + ".amazonaws.com/app", regionGrammar.MatchString(name)},
			"suffix":     {account + ".dkr.ecr.eu-west-1." + name + "/app", suffixGrammar.MatchString(strings.ToLower(name))},
		} {
			if strings.ContainsAny(name, "/.A") && (kind == "region" || kind == "suffix" && strings.Contains(name, "/")) {
				continue // separates these, or is one in lower case
			}
			if _, err := reference.Parse(c.reference); (err == nil) != c.want {
				t.Fatalf("%s %q: error %v, want a name: %t", kind, name, err, c.want)
			}
		}
	}
}
