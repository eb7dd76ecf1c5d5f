package kubernetes_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// operators defines three kinds of custom resources and creates one object of each. No pod
// runs. The images are job:v1, cron:v1 and chart:v1.
func (s *site) operators() {
	s.define(definition("keda.sh", "scaledjobs", "ScaledJob"))
	s.custom("keda.sh", "scaledjobs", "ScaledJob", "import", object{"spec": object{
		"jobTargetRef": object{"template": podTemplate("job:v1")},
	}})
	s.define(definition("argoproj.io", "cronworkflows", "CronWorkflow"))
	s.custom("argoproj.io", "cronworkflows", "CronWorkflow", "report", object{"spec": object{"workflowSpec": object{
		"templates": []object{{"script": object{"image": "alpine", "source": "set -e\ndocker run --rm " + ecr("cron:v1") + " report > out\n"}}},
	}}})
	s.define(definition("helm.toolkit.fluxcd.io", "helmreleases", "HelmRelease"))
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
	s.until("the role is in force", func() bool { return s.allowed("helm.toolkit.fluxcd.io", "helmreleases") })
	s.apply(eks)
	s.wantLeft("job:v1", "cron:v1", "chart:v1")
	for _, path := range []string{"keda.sh/v1/namespaces/prod/scaledjobs/import", "argoproj.io/v1/namespaces/prod/cronworkflows/report", "helm.toolkit.fluxcd.io/v1/namespaces/prod/helmreleases/web"} {
		s.remove("/apis/" + path)
	}
	s.apply(eks)
	s.wantLeft()
}

// applyRole creates the manifests of a ClusterRole and its binding.
func (c *cluster) applyRole(manifests string) {
	c.Helper()
	for manifest := range strings.SplitSeq(manifests, "---\n") {
		collection := "/apis/rbac.authorization.k8s.io/v1/clusterroles"
		if strings.Contains(manifest, "kind: ClusterRoleBinding\n") {
			collection = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
		}
		a := c.send(http.MethodPost, collection, adminToken, "application/yaml", []byte(manifest))
		awstest.Equal(c, "status of "+collection, http.StatusCreated, a.status)
	}
}

// A kind that the role may not list is a finding, and its images are not protected.
func TestCustomResourcesThatMayNotBeListed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.operators()
	s.allow(append(builtIns, "keda.sh: scaledjobs")...)
	r := s.apply(eks)
	s.wantLeft("job:v1")
	awstest.Contains(t, s.finding(r, "kubernetesNotListed"), "EKS cluster prod", "2 kinds", "cronworkflows.argoproj.io", "ecrclean kubernetes-role")
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
