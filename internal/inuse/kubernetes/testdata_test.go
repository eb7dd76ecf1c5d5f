package kubernetes_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
)

// The files have the form of answers of kube-apiserver 1.37.
func TestAnswersOfKubernetes(t *testing.T) {
	t.Parallel()
	f := newFake()
	file := func(name string) http.HandlerFunc {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		awstest.NoError(t, err)
		return answer(string(text))
	}
	first, second := file("pods-1.json"), file("pods-2.json")
	f.on("/apis", file("apis.json"))
	f.on("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", file("rules.json"))
	f.on("/apis/tekton.dev/v1/tasks", file("tasks.json"))
	f.on(pods, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("continue") == "eyJ2IjoibWV0YSJ9" {
			second(w, r)
		} else {
			first(w, r)
		}
	})
	wantUses(t, cluster(t, f),
		"builder:v2 task.tekton.dev ci/build", "model:v3 pod prod/web-5d9c7", "debug:v1 pod prod/web-5d9c7", "late:v1 pod prod/waiting",
		"migrate:v1 pod prod/web-5d9c7", "migrate:v1@"+inusetest.Digest("a")+" pod prod/web-5d9c7",
		"web:v1 pod prod/web-5d9c7", "web:v1@"+inusetest.Digest("b")+" pod prod/web-5d9c7 runs")
}
