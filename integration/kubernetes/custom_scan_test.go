package kubernetes_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// operators defines three kinds of custom resources and creates one object of each. No pod
// runs. The images are job:v1, cron:v1 and chart:v1.
func (s *site) operators() {
	s.define(definition("keda.sh", "scaledjobs", "ScaledJob"), definition("argoproj.io", "cronworkflows", "CronWorkflow"),
		definition("helm.toolkit.fluxcd.io", "helmreleases", "HelmRelease"))
	s.custom("keda.sh", "scaledjobs", "ScaledJob", "import", object{"spec": object{
		"jobTargetRef": object{"template": podTemplate("job:v1")},
	}})
	s.custom("argoproj.io", "cronworkflows", "CronWorkflow", "report", object{"spec": object{"workflowSpec": object{
		"templates": []object{{"script": object{"image": "alpine", "source": "set -e\ndocker run --rm " + ecr("cron:v1") + " report > out\n"}}},
	}}})
	s.custom("helm.toolkit.fluxcd.io", "helmreleases", "HelmRelease", "web", object{"spec": object{"values": object{
		"image": object{"repository": ecr("chart"), "tag": "v1"},
	}}})
	s.push("job:v1", "job:v2", "cron:v1", "cron:v2", "chart:v1", "chart:v2")
}

func TestCustomResourcesKeepTheirImages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.operators()
	role, _ := s.tool(cleanerKey, 0, "kubernetes-role", "scaledjobs.keda.sh", "cronworkflows.argoproj.io", "helmreleases.helm.toolkit.fluxcd.io")
	s.applyRole(string(role))
	s.apply(eks)
	s.wantLeft("job:v1", "cron:v1", "chart:v1")
	for _, path := range []string{"keda.sh/v1/namespaces/prod/scaledjobs/import", "argoproj.io/v1/namespaces/prod/cronworkflows/report", "helm.toolkit.fluxcd.io/v1/namespaces/prod/helmreleases/web"} {
		s.remove("/apis/" + path)
	}
	s.apply(eks)
	s.wantLeft()
}

// A kind that the role may not list is a finding, and its images are not protected.
func TestCustomResourcesThatMayNotBeListed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.operators()
	s.allow(append(builtIns, "keda.sh: scaledjobs")...)
	r := s.apply(eks)
	s.wantLeft("job:v1")
	s.wantFinding(r, "kubernetesNotListed", "2 kinds", "cronworkflows.argoproj.io", "ecrclean kubernetes-role")
}

// The field eksResources selects the kinds.
func TestSelectedCustomResources(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.operators()
	s.allow(append(builtIns, "keda.sh: scaledjobs", "argoproj.io: cronworkflows", "helm.toolkit.fluxcd.io: helmreleases")...)
	s.apply(eks + `, "eksResources": ["*.keda.sh", "cronworkflows.*"]`)
	s.wantLeft("job:v1", "cron:v1")
	s.apply(eks + `, "eksResources": []`)
	s.wantLeft()
}

// The scan asks for its rights once, and not for each kind.
func TestKindsThatMayNotBeListedCostNoCalls(t *testing.T) {
	t.Parallel()
	s := inUse(t)
	s.allow(builtIns...)
	p := &proxy{}
	s.through(p)
	s.apply(eks)
	before := p.calls.Swap(0)
	t.Log("calls:", before)
	var kinds []object
	for i := range 40 {
		kinds = append(kinds, definition("example.com", fmt.Sprint("kind", i, "s"), fmt.Sprint("Kind", i)))
	}
	s.define(kinds...)
	r := s.apply(eks)
	awstest.Equal(t, "calls with 40 kinds", before, p.calls.Load())
	s.wantFinding(r, "kubernetesNotListed", "40 kinds")
}

// The access policies of EKS are an authorizer without rules: a SelfSubjectRulesReview is
// incomplete. This one is AmazonEKSViewPolicy.
func TestAnAccessPolicy(t *testing.T) {
	t.Parallel()
	denied := []string{"podtemplates", "secrets", "scaledjobs", "cronworkflows", "helmreleases"}
	policy := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var review object
		_ = json.NewDecoder(r.Body).Decode(&review) // an empty review is denied
		spec, _ := review["spec"].(object)
		attributes, _ := spec["resourceAttributes"].(object)
		resource, _ := attributes["resource"].(string)
		allowed := spec["user"] == cleanerUser && attributes["verb"] == "list" && !slices.Contains(denied, resource)
		review["status"] = object{"allowed": allowed}
		_ = json.NewEncoder(w).Encode(review)
	}))
	t.Cleanup(policy.Close)
	file := filepath.Join(t.TempDir(), "webhook.json")
	text, err := json.Marshal(object{
		"apiVersion": "v1", "kind": "Config", "current-context": "eks",
		"clusters": []object{{"name": "eks", "cluster": object{"server": policy.URL, "certificate-authority-data": certificatePEM(policy.Certificate().Raw)}}},
		"contexts": []object{{"name": "eks", "context": object{"cluster": "eks"}}},
	})
	awstest.NoError(t, err)
	awstest.NoError(t, os.WriteFile(file, text, 0o600))
	s := inUse(t, "--authorization-mode=Webhook", "--authorization-webhook-config-file="+file, "--authorization-webhook-version=v1")
	s.operators()
	r := s.apply(eks)
	s.wantLeft("app:v1")
	s.wantFinding(r, "kubernetesNotListed", "4 kinds", "podtemplates", "scaledjobs.keda.sh")
}
