package reference_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

func TestStringIsReadBackByParse(t *testing.T) {
	t.Parallel()
	for region, suffix := range map[string]string{
		"eu-west-1":       "amazonaws.com",
		"us-gov-east-1":   "amazonaws.com",
		"cn-north-1":      "amazonaws.com.cn",
		"eusc-de-east-1":  "amazonaws.eu",
		"us-iso-east-1":   "c2s.ic.gov",
		"us-isob-east-1":  "sc2s.sgov.gov",
		"eu-isoe-west-1":  "cloud.adc-e.uk",
		"us-isof-south-1": "csp.hci.ic.gov",
	} {
		r := reference.Reference{RegistryID: account, Region: region, Repository: "team/app", Tag: "v1", Digest: digest}
		want := account + ".dkr.ecr." + region + "." + suffix + "/team/app:v1@" + digest
		if got := r.String(); got != want {
			t.Errorf("String() = %s, want %s", got, want)
		}
		if got, err := reference.Parse(r.String()); got != r || err != nil {
			t.Errorf("Parse(%s) = %v, %v", r, got, err)
		}
	}
}

func TestCompareOrdersByWhatIsMeantFirst(t *testing.T) {
	t.Parallel()
	ordered := []reference.Reference{
		{Host: "a", Repository: "b"},
		{Host: "b", Repository: "a"},
		{RegistryID: "1", Region: "c", Repository: "c", Tag: "c", Digest: "c"},
		{RegistryID: "2", Region: "a", Repository: "c", Tag: "c", Digest: "c"},
		{RegistryID: "2", Region: "b", Repository: "a", Tag: "c", Digest: "c"},
		{RegistryID: "2", Region: "b", Repository: "b", Tag: "c", Digest: "a"},
		{RegistryID: "2", Region: "b", Repository: "b", Tag: "a", Digest: "b"},
		{RegistryID: "2", Region: "b", Repository: "b", Tag: "b", Digest: "b"},
		{RegistryID: "2", Region: "b", Repository: "b", Tag: "b", Digest: "b"},
	}
	got := slices.Clone(ordered)
	slices.Reverse(got)
	slices.SortFunc(got, reference.Reference.Compare)
	if !slices.Equal(got, ordered) {
		t.Errorf("sorted: %v, want %v", got, ordered)
	}
}

func TestWithDigestReplacesTheDigestAndKeepsTheTag(t *testing.T) {
	t.Parallel()
	r := reference.Reference{RegistryID: account, Region: "eu-west-1", Repository: "app", Tag: "v1", Digest: longer}
	want := r
	want.Digest = digest
	if got, err := r.WithDigest(strings.ToUpper(digest)); got != want || err != nil {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	if got, err := r.WithDigest("sha256:0a"); got != (reference.Reference{}) || err == nil {
		t.Errorf("got %v, %v; want an error", got, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("", host+"/app:v1@"+digest)
	f.Add("docker://", "/app")
	f.Add("mirror/", ":443/APP:é")
	f.Fuzz(func(t *testing.T, before, after string) {
		for _, text := range []string{before, after, before + after} {
			if r, err := reference.Parse(text); err == nil {
				again, err := reference.Parse(r.String())
				if again != r || err != nil {
					t.Errorf("Parse(%q) = %v, but Parse of its String is %v, %v", text, r, again, err)
				}
			}
		}
		if _, err := reference.Parse(before + host + after); err == reference.ErrNotECR { //nolint:errorlint // no wrapping here
			t.Errorf("Parse(%q) is ErrNotECR", before+host+after)
		}
	})
}

func ExampleParse() {
	for _, text := range []string{
		"123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app",
		"docker://123456789012.DKR-ECR-FIPS.us-east-1.on.aws/team/app:v1",
		"nginx:1.27",
		"123456789012.dkr.ecr.eu-west-1.amazonaws.com/Team/App",
	} {
		r, err := reference.Parse(text)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(r.Region, r.Repository, r.Tag)
	}
	// Output:
	// eu-west-1 team/app latest
	// us-east-1 team/app v1
	// not a reference to an ECR registry
	// image reference "123456789012.dkr.ecr.eu-west-1.amazonaws.com/Team/App": "Team/App" is not the name of an ECR repository
}
