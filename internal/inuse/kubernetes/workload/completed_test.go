package workload_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/kubernetes/workload"
)

// A text can name a repository and its tag in two places, such as the values of a chart.
func TestReferencesInTwoPlacesOfAText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"repository: HOST/xx\ntag: v9\n":                                             {"HOST/xx", "HOST/xx:v9"},
		"image:\n  tag: \"1.10\" # new\n  repository: 'HOST/xx'\n":                   {"HOST/xx", "HOST/xx:1.10"},
		"a:\n- repository: HOST/xx\n  tag: v1\nb:\n  repository: HOST/yy\n  tag: v2": {"HOST/xx", "HOST/xx:v1", "HOST/yy", "HOST/yy:v2"},
		"a:\n  repository: HOST/xx\nb:\n  tag: v2":                                   {"HOST/xx", "HOST/xx:ANY"},
		"repository: HOST/xx\ntag: {{tag}}":                                          {"HOST/xx", "HOST/xx:ANY"},
		"repository: HOST/xx\ntag:\nother: 1":                                        {"HOST/xx", "HOST/xx:ANY"},
		"helm --set image.repository=HOST/xx,image.tag=v9,db.tag=7":                  {"HOST/xx", "HOST/xx:v9"},
		"IMAGE=HOST/xx\nexport IMAGE_TAG=v9 OTHER_TAG=v1\ndocker run $IMAGE":         {"HOST/xx", "HOST/xx:v9"},
		"WORKER_IMAGE=\"HOST/xx\"\nTAG=v9":                                           {"HOST/xx", "HOST/xx:ANY"},
		"run --image HOST/xx --tag v9":                                               {"HOST/xx", "HOST/xx:v9"},
		"repository: HOST/xx\ndigest: " + sha("a"):                                   {"HOST/xx", "HOST/xx@" + sha("a")},
		"a: {repository: HOST/xx, tag: v9}\nb: {repository: HOST/yy, tag: v2}":       {"HOST/xx", "HOST/xx:v2", "HOST/xx:v9", "HOST/yy", "HOST/yy:v2", "HOST/yy:v9"},
		"{x, \"repository\":\"docker://HOST/xx\",\"tag\":\"v9\"}":                    {"HOST/xx", "HOST/xx:v9"},
		"repository: HOST/xx\ntag: {{ .tag }}":                                       {"HOST/xx", "HOST/xx:ANY"},
		"apiVersion: v1\nimage: HOST/xx":                                             {"HOST/xx"},
		"image: HOST/xx:v1\ntag: v9":                                                 {"HOST/xx:v1"},
		"[1, {broken \"repository\": \"HOST/xx\", \"tag\": \"v9\"}":                  {"HOST/xx", "HOST/xx:v9"},
	} {
		quoted, err := json.Marshal(map[string]string{"values": text})
		awstest.NoError(t, err)
		wantReferences(t, string(quoted), want...)
	}
}

func TestReferencesInSeveralItems(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		`[{"name": "image.repository", "value": "HOST/xx"}, {"name": "image.tag", "value": "v9"}, {"name": "db.tag", "value": "7"}]`: {"HOST/xx", "HOST/xx:v9"},
		`[{"name": "image", "default": "HOST/xx"}, {"name": "tag", "default": "v9"}]`:                                                {"HOST/xx", "HOST/xx:v9"},
		`[{"name": "APP_IMAGE", "value": "HOST/xx"}, {"name": "APP_VERSION", "valueFrom": {"configMapKeyRef": {}}}]`:                 {"HOST/xx", "HOST/xx:ANY"},
		`[{"name": "image", "value": "HOST/xx"}, {"name": "other", "value": "v9"}]`:                                                  {"HOST/xx"},
		`[{"name": "image", "value": "HOST/xx"}, {"name": 5, "value": "v9"}, 7, null]`:                                               {"HOST/xx"},
		`["--image=HOST/xx", "--tag=v9"]`:                     {"HOST/xx", "HOST/xx:v9"},
		`["--worker-image", "HOST/xx", "--worker-tag", "v9"]`: {"HOST/xx", "HOST/xx:v9"},
		`["HOST/xx", "HOST/yy"]`:                              {"HOST/xx", "HOST/yy"},
		`{"IMAGE_REPO": "HOST/xx", "IMAGE_TAG": "v9"}`:        {"HOST/xx", "HOST/xx:v9"},
		`{"apiVersion": "v1", "image": "HOST/xx"}`:            {"HOST/xx"},
		`{"workerImage": "HOST/xx", "workerVersion": 1.10}`:   {"HOST/xx", "HOST/xx:1.10"},
	} {
		wantReferences(t, text, want...)
	}
}

// Many repositories and tags do not become the products of both, and take little time.
func TestReferencesOfManyRepositoriesAndTags(t *testing.T) {
	t.Parallel()
	text := "- repository: " + registry + "xx\n  tag: v\n" + strings.Repeat("- tag: a1\n- tag: a2\n- tag: a3\n- tag: a4\n", 10)
	quoted, err := json.Marshal([]string{text})
	awstest.NoError(t, err)
	wantReferences(t, string(quoted), "HOST/xx", "HOST/xx:a1", "HOST/xx:a2", "HOST/xx:a3", "HOST/xx:a4", "HOST/xx:v")
	var many strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&many, "- repository: %sx%d\n  tag: v%d\n", registry, i, i)
	}
	quoted, err = json.Marshal([]string{many.String()})
	awstest.NoError(t, err)
	refs, err := workload.References(quoted, nil)
	awstest.NoError(t, err)
	awstest.Equal(t, "number of references", 40_000, len(refs))
}
