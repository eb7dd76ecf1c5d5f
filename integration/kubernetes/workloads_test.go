package kubernetes_test

import (
	"maps"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// builtIns are the rules of the ClusterRole in deploy/kubernetes.
var builtIns = []string{
	": pods podtemplates replicationcontrollers", "apps: controllerrevisions daemonsets deployments replicasets statefulsets",
	"batch: cronjobs jobs",
}

// An owner makes objects of a kind that runs pods.
type owner struct {
	collection string
	object     func(name, image string) object
}

func spec(fields object) func(name, image string) object {
	return func(name, image string) object {
		o := object{"metadata": object{"name": name}, "spec": object{"template": podTemplate(image)}}
		maps.Copy(o["spec"].(object), fields)
		return o
	}
}

func job(fields object) func(name, image string) object {
	return func(name, image string) object {
		o := spec(fields)(name, image)
		o["spec"].(object)["template"].(object)["spec"].(object)["restartPolicy"] = "Never"
		return o
	}
}

func cronJob(fields object) func(name, image string) object {
	return func(name, image string) object {
		template := job(nil)(name, image)
		delete(template, "metadata")
		o := object{"metadata": object{"name": name}, "spec": object{"schedule": "0 3 * * *", "jobTemplate": template}}
		maps.Copy(o["spec"].(object), fields)
		return o
	}
}

var labels = object{"matchLabels": selector}

// owners have the kinds of workloads, each with and without pods. The name of an image is
// the name of its owner.
var owners = map[string]owner{
	"deployment":              {deployments, spec(object{"selector": labels, "replicas": 3})},
	"deployment-0":            {deployments, spec(object{"selector": labels, "replicas": 0})},
	"statefulset":             {apps + "statefulsets", spec(object{"selector": labels, "replicas": 3})},
	"statefulset-0":           {apps + "statefulsets", spec(object{"selector": labels, "replicas": 0})},
	"replicaset":              {replicaSets, spec(object{"selector": labels, "replicas": 1})},
	"replicaset-0":            {replicaSets, spec(object{"selector": labels, "replicas": 0})}, // a rollback goes back to it
	"replicationcontroller":   {core + "replicationcontrollers", spec(object{"selector": selector, "replicas": 1})},
	"replicationcontroller-0": {core + "replicationcontrollers", spec(object{"selector": selector, "replicas": 0})},
	"daemonset":               {apps + "daemonsets", spec(object{"selector": labels})}, // without a node there is no pod
	"job":                     {batch + "jobs", job(nil)},
	"job-0":                   {batch + "jobs", job(object{"suspend": true})},
	"cronjob":                 {batch + "cronjobs", cronJob(nil)},
	"cronjob-0":               {batch + "cronjobs", cronJob(object{"suspend": true})},
	"podtemplate": {core + "podtemplates", func(name, image string) object {
		return object{"metadata": object{"name": name}, "template": podTemplate(image)}
	}},
	"controllerrevision": {controllerRevisions, func(name, image string) object {
		return object{"metadata": object{"name": name}, "revision": 1, "data": object{"spec": object{"template": podTemplate(image)}}}
	}},
	"pod": {pods, pod},
	"pod-init": {pods, func(name, image string) object {
		o := pod(name, "base:v1")
		o["spec"].(object)["initContainers"] = []object{{"name": "init", "image": ecr(image)}}
		return o
	}},
	"pod-volume": {pods, func(name, image string) object {
		o := pod(name, "base:v1")
		o["spec"].(object)["volumes"] = []object{{"name": "model", "image": object{"reference": ecr(image), "pullPolicy": "Always"}}}
		return o
	}},
}

// Every kind keeps its images, also without pods, and no longer than its objects exist.
func TestWorkloadsKeepTheirImages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	role, err := os.ReadFile("../../deploy/kubernetes/cluster-role.yaml")
	awstest.NoError(t, err)
	s.applyRole(string(role))
	s.push("base:v1", "debug:v1")
	kept := []string{"base:v1", "debug:v1"}
	for name, o := range owners {
		s.push(name+":v1", name+":v2")
		s.create(o.collection, o.object(name, name+":v1"))
		kept = append(kept, name+":v1")
	}
	s.must(http.MethodPatch, pods+"/pod/ephemeralcontainers", object{"spec": object{
		"ephemeralContainers": []object{{"name": "debug", "image": ecr("debug:v1"), "targetContainerName": "app"}},
	}})
	r := s.apply(eks)
	s.wantLeft(kept...)
	awstest.Equal(t, "protected images", len(kept), r.Totals.Protected)
	for _, repository := range r.Repositories {
		kind, _, _ := strings.Cut(repository.Name, "-")
		if kind == "base" || kind == "debug" {
			kind = "pod"
		}
		for _, im := range repository.Images {
			for _, p := range im.ProtectedBy {
				awstest.Contains(t, p.By, kind+" prod/", "EKS cluster prod")
			}
		}
	}
	for name, o := range owners {
		s.remove(o.collection + "/" + name)
	}
	s.apply(eks)
	s.wantLeft()
}

// Both the image that runs and the image that a restart would run are in use.
func TestTheRecordedDigestOfAPodIsInUse(t *testing.T) {
	t.Parallel()
	s := newSite(t, "--feature-gates=ImageVolumeWithDigest=true") // off in 1.37
	s.allow(builtIns...)
	hex := func(digest string) string { return strings.TrimPrefix(digest, "sha256:") }
	forms := map[string]func(repository, digest string) string{
		"containerd": func(repository, digest string) string { return ecr(repository) + "@" + digest },
		"dockershim": func(repository, digest string) string { return "docker-pullable://" + ecr(repository) + "@" + digest },
		"other":      func(_, digest string) string { return ecr("mirror") + "@" + digest },
		"elsewhere":  func(_, digest string) string { return "docker.io/library/app@" + digest },
		"config":     func(_, _ string) string { return awstest.Digest(1) },
		"docker":     func(_, _ string) string { return "docker://" + awstest.Digest(1) },
		"crio":       func(_, _ string) string { return hex(awstest.Digest(1)) },
		"waiting":    func(_, _ string) string { return "" },
	}
	unknown := map[string]bool{"config": true, "docker": true, "crio": true, "waiting": true}
	kept := []string{}
	for name, form := range forms {
		running := s.untagged(name + ":before")
		s.push(name+":v1", name+":v2")
		o := pod(name, name+":v1")
		o["status"] = object{"phase": "Running", "containerStatuses": []object{{
			"name": "app", "image": ecr(name + ":v1"), "imageID": form(name, running), "ready": true, "restartCount": 0,
			"state": object{"running": object{"startedAt": "2026-01-01T00:00:00Z"}},
		}}}
		s.create(pods, o)
		if kept = append(kept, name+":v1"); !unknown[name] {
			kept = append(kept, name+":before")
		}
	}
	mounted := s.untagged("model:before")
	s.push("model:v1", "model:v2", "base:v1")
	o := owners["pod-volume"].object("model", "model:v1")
	o["status"] = object{"phase": "Running", "containerStatuses": []object{{
		"name": "app", "image": ecr("base:v1"), "imageID": "", "ready": true, "restartCount": 0,
		"volumeMounts": []object{{"name": "model", "mountPath": "/model", "volumeStatus": object{"image": object{"imageRef": ecr("model@" + mounted)}}}},
	}}}
	s.create(pods, o)
	kept = append(kept, "model:v1", "model:before", "base:v1")
	r := s.apply(eks)
	s.wantLeft(kept...)
	s.wantFinding(r, "unresolvedDigest", "3 containers")
}
