package workload_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/kubernetes/workload"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

var aliases = []string{"proxy.example.com", "mirror.example.com:5000/ecr"}

// found returns the references in JSON in which HOST is a registry, each as its text, with
// :ANY behind a repository of any tag. Problems end in a question mark.
func found(t *testing.T, text string) []string {
	t.Helper()
	host := strings.TrimSuffix(registry, "/")
	refs, err := workload.References([]byte(strings.ReplaceAll(text, "HOST", host)), aliases)
	awstest.NoError(t, err)
	var texts []string
	for _, r := range refs {
		text := strings.ReplaceAll(r.Text, host, "HOST")
		switch {
		case r.Problem != "":
			text += "?"
		case r.AnyTag:
			text += ":ANY"
		}
		if _, err := reference.ParseAny(r.Text); r.Problem == "" && err != nil {
			t.Errorf("%s names %q, which is no reference: %v", text, r.Text, err)
		}
		texts = append(texts, text)
	}
	return texts
}

func wantReferences(t *testing.T, text string, want ...string) {
	t.Helper()
	if got := found(t, text); !slices.Equal(got, want) {
		t.Errorf("%s\nnames %q, want %q", text, got, want)
	}
}

func TestReferencesInStrings(t *testing.T) {
	t.Parallel()
	digest := sha("a")
	for text, want := range map[string][]string{
		"nginx:1":                       nil,
		"":                              nil,
		"HOST/app:v1":                   {"HOST/app:v1"},
		"HOST/app":                      {"HOST/app"},
		"HOST/team/app@" + digest:       {"HOST/team/app@" + digest},
		"HOST/app:v1@" + digest:         {"HOST/app:v1@" + digest},
		"HOST:443/app:v1":               {"HOST/app:v1"},
		"HOST:44/app:v1 HOST:443":       {"HOST:44/app:v1?", "HOST:443?"},
		"docker://HOST/app:v1":          {"HOST/app:v1"},
		"docker run HOST/app:v1 --flag": {"HOST/app:v1"},
		"a=HOST/app:v1,b=HOST/app:v2;":  {"HOST/app:v1", "HOST/app:v2"},
		"(HOST/app:v1) 'HOST/app:v2'":   {"HOST/app:v1", "HOST/app:v2"},
		"pull HOST/app. Then HOST/bb@" + digest + ".":             {"HOST/app", "HOST/bb@" + digest},
		"pull HOST/app:v1.":                                       {"HOST/app:v1", "HOST/app:v1."},
		"${IMAGE:-HOST/app:v1}":                                   {"HOST/app:v1"},
		"HOST/app:v1:ro":                                          {"HOST/app:v1"},
		"123456789012.DKR.ECR.EU-WEST-1.amazonaws.com/app:V1":     {"123456789012.DKR.ECR.EU-WEST-1.amazonaws.com/app:V1"},
		"123456789012.dkr-ecr-fips.us-east-1.on.aws/app:v1":       {"123456789012.dkr-ecr-fips.us-east-1.on.aws/app:v1"},
		"999999999999.dkr.ecr.cn-north-1.amazonaws.com.cn/app:v1": {"999999999999.dkr.ecr.cn-north-1.amazonaws.com.cn/app:v1"},
		"proxy.example.com/app:v1":                                {"proxy.example.com/app:v1"},
		"see Proxy.Example.Com/app:v1!":                           {"Proxy.Example.Com/app:v1"},
		"my-proxy.example.com/app:v1":                             nil,
		"proxy.example.com.evil/app:v1":                           nil,
		"proxy.example.com:5000/app:v1":                           nil,
		"mirror.example.com:5000/ecr/app:v1":                      {"mirror.example.com:5000/ecr/app:v1"},
		"mirror.example.com:5000/ecru/app":                        nil,
		"mydkr.ecr.example.com/app dkr.ecrx":                      nil,
		"run\\nproxy.example.com/app:v1":                          {"proxy.example.com/app:v1"},
	} {
		quoted, err := json.Marshal(map[string]any{"a": []any{map[string]any{"b": "x " + text}}})
		awstest.NoError(t, err)
		wantReferences(t, string(quoted), want...)
		quoted, err = json.Marshal([]string{text})
		awstest.NoError(t, err)
		wantReferences(t, string(quoted), want...)
		quoted, err = json.Marshal(map[string]int{text: 1})
		awstest.NoError(t, err)
		wantReferences(t, string(quoted), want...)
	}
}

// What a template puts into a reference is not known, but the part before it is.
func TestReferencesWithTemplates(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"HOST/app:{{tag}}":                  {"HOST/app:ANY"},
		"HOST/app:v{{inputs.parameters.n}}": {"HOST/app:ANY"},
		"HOST/app:$(params.tag)":            {"HOST/app:ANY"},
		"HOST/app:${TAG} HOST/app:$TAG":     {"HOST/app:ANY"},
		"'HOST/app:v1-' + n":                {"HOST/app:ANY"},
		"HOST/app:%s":                       {"HOST/app:ANY"},
		"HOST/app:<tag>":                    {"HOST/app:ANY"},
		"'HOST/app:' + tag":                 {"HOST/app:ANY"},
		"HOST/app:v1@$(digest)":             {"HOST/app:ANY"},
		"HOST/app@sha256:{{digest}}":        {"HOST/app:ANY"},
		"HOST/app@sha256:0a":                {"HOST/app:ANY"},
		"HOST/$(params.image):v1":           {"HOST/$(params.image):v1?"},
		"HOST/team/{{app}}":                 {"HOST/team/{{app}}?"},
		"HOST/team-${X}:v1 HOST/x-":         {"HOST/team-${X}:v1?", "HOST/x-?"},
		"'HOST/team/' + app":                {"HOST/team/?"},
		"docker login HOST":                 {"HOST?"},
		"HOST/ HOST":                        {"HOST?", "HOST/?"},
		"HOST/App:v1":                       {"HOST/App:v1?"},
		"HOST/app*":                         {"HOST/app*?"},
		"${ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/app:v1":   {"${ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/app:v1?"},
		"123456789012.dkr.ecr.${REGION}.amazonaws.com/app:v1": {"123456789012.dkr.ecr.${REGION}.amazonaws.com/app:v1?"},
		"dkr.ecr.eu-west-1.amazonaws.com/app":                 {"dkr.ecr.eu-west-1.amazonaws.com/app?"},
	} {
		quoted, err := json.Marshal([]string{text, "text"})
		awstest.NoError(t, err)
		wantReferences(t, string(quoted), want...)
	}
}

func TestReferencesInSeveralMembers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		`{"image": "HOST/xx"}`:                                                     {"HOST/xx"},
		`{"image": "HOST/xx", "name": "y"}`:                                        {"HOST/xx"},
		`{"repository": "HOST/xx", "tag": "v9"}`:                                   {"HOST/xx:v9"},
		`{"repository": "HOST/xx/", "tag": "v9"}`:                                  {"HOST/xx:v9"},
		`{"repository": "HOST/xx", "tag": 1.10}`:                                   {"HOST/xx:1.10"},
		`{"repository": "HOST/xx", "version": "v9", "digest": "` + sha("a") + `"}`: {"HOST/xx:v9", "HOST/xx@" + sha("a")},
		`{"repository": "HOST/xx", "tag": "{{tag}}"}`:                              {"HOST/xx:ANY"},
		`{"repository": "HOST/xx", "tag": "", "digest": null}`:                     {"HOST/xx:ANY"},
		`{"repository": "HOST/xx", "digest": "sha256:0a"}`:                         {"HOST/xx:ANY"},
		`{"repository": "HOST/xx:v1", "tag": "v9"}`:                                {"HOST/xx:v1"},
		`{"repository": "docker://HOST/xx", "tag": "v9"}`:                          {"HOST/xx:v9"},
		`{"repository": "proxy.example.com/xx", "tag": "v9"}`:                      {"proxy.example.com/xx:v9"},
		`{"baseImage": "HOST/xx", "version": "v9"}`:                                {"HOST/xx", "HOST/xx:v9"},
		`{"repository": "HOST/xx", "sidecar": {"tag": "v9"}}`:                      {"HOST/xx:ANY"},
		`{"image": {"registry": "HOST", "repository": "xx", "tag": "v9"}}`:         {"HOST/xx:v9"},
		`{"registry": "https://HOST/", "repository": "team/xx"}`:                   {"HOST/team/xx:ANY"},
		`{"registry": "HOST/team", "image": "xx:v9", "tag": "v1"}`:                 {"HOST/team/xx:v9"},
		`{"registry": "HOST", "image": "yy", "repository": "xx", "tag": "v9"}`:     {"HOST/xx:v9", "HOST/yy:v9"},
		`{"registry": "HOST", "repository": "{{x}}", "tag": "v9"}`:                 {"HOST?"},
		`{"registry": "HOST", "path": "x"}`:                                        {"HOST?"},
		`{"registry": "HOST/team"}`:                                                {"HOST/team?"},
		`{"repository": "HOST/nvidia", "image": "driver", "version": "550"}`:       {"HOST/nvidia/driver:550", "HOST/nvidia:550"},
		`{"name": "x", "newName": "HOST/xx", "newTag": "v9"}`:                      {"HOST/xx", "HOST/xx:v9"},
		`{"url": "oci://HOST/xx", "ref": {"tag": "v9"}}`:                           {"HOST/xx", "HOST/xx:v9"},
		`{"url": "oci://HOST/xx", "ref": {"semver": ">= 1.0"}}`:                    {"HOST/xx", "HOST/xx:ANY"},
		`{"repoURL": "HOST/charts", "chart": "xx", "targetRevision": "1.2.3"}`:     {"HOST/charts", "HOST/charts/xx:1.2.3", "HOST/charts:1.2.3"},
		`{"annotation": "{\"repository\": \"HOST/xx\", \"tag\": \"v9\"}"}`:         {"HOST/xx:v9"},
		`{"annotation": "{not JSON HOST/xx:v9"}`:                                   {"HOST/xx:v9"},
		`{"repository": "nginx", "tag": "1"}`:                                      nil,
	} {
		wantReferences(t, text, want...)
	}
}

func TestReferencesReadsEscapes(t *testing.T) {
	t.Parallel()
	wantReferences(t, `["HOST\u002fapp:v1", "HOST\/app:v2", "\u003123456789012.dkr.ecr.eu-west-1.amazonaws.com/app"]`, "HOST/app", "HOST/app:v1", "HOST/app:v2")
	wantReferences(t, `["\u0070roxy.example.com/app:v1"]`, "proxy.example.com/app:v1")
}

func TestReferencesFailsOnWhatIsNotJSON(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{", `{"a": "` + registry + `app"`, `{"a": "` + registry + `app"} x`, `{} {}`} {
		got, err := workload.References([]byte(text), nil)
		if err == nil || got != nil {
			t.Errorf("%s names %v, error %v", text, got, err)
		}
	}
}

// Every reference in a string is found between any other texts.
func FuzzReferences(f *testing.F) {
	f.Add("docker run ", " --flag", `{"a": "b"}`)
	f.Add("{", "}", `["`+registry+`app:v1"]`)
	f.Add("${X:-", "}", `{"repository": "`+registry+`x", "tag": 5}`)
	f.Add("123456789012", ".", `{"registry": "proxy.example.com", "image": "x"}`)
	f.Fuzz(func(t *testing.T, before, after, text string) {
		refs, err := workload.References([]byte(text), aliases)
		for _, r := range refs {
			if _, parseErr := reference.ParseAny(r.Text); err != nil || r.Problem == "" && parseErr != nil {
				t.Errorf("%s names %+v: %v", text, r, parseErr)
			}
		}
		if err == nil != json.Valid([]byte(text)) {
			t.Errorf("%q: %v", text, err)
		}
		quoted, err := json.Marshal([]string{before + " " + registry + "app:v1 " + after})
		awstest.NoError(t, err)
		refs, err = workload.References(quoted, nil)
		awstest.NoError(t, err)
		if !slices.Contains(refs, workload.Reference{Text: registry + "app:v1"}) {
			t.Errorf("%s names %v", quoted, refs)
		}
	})
}

// A long text takes time in proportion to its length.
func TestReferencesInLongTexts(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"dkr.ecr.", registry, "proxy.example.com", "proxy.example.com/", strings.TrimSuffix(registry, "/"), "x", "{", "\\"} {
		quoted, err := json.Marshal([]string{strings.Repeat(part, 1<<18/len(part))})
		awstest.NoError(t, err)
		_, err = workload.References(quoted, aliases)
		awstest.NoError(t, err)
	}
}
