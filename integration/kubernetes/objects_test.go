package kubernetes_test

import "github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"

// Collections of the namespace prod.
const (
	pods                = "/api/v1/namespaces/prod/pods"
	core                = "/api/v1/namespaces/prod/"
	apps                = "/apis/apps/v1/namespaces/prod/"
	batch               = "/apis/batch/v1/namespaces/prod/"
	deployments         = apps + "deployments"
	replicaSets         = apps + "replicasets"
	controllerRevisions = apps + "controllerrevisions"
)

// ecr returns the reference of an image in the registry of the tests.
func ecr(image string) string { return inusetest.Registry + image }

// container returns a container of an image in the registry of the tests.
func container(image string) object { return object{"name": "app", "image": ecr(image)} }

// pod returns a pod with one container.
func pod(name, image string) object {
	return object{"metadata": object{"name": name}, "spec": object{"containers": []object{container(image)}}}
}

// podTemplate returns a template with one container, whose pods the selector selects.
func podTemplate(image string) object {
	return object{"metadata": object{"labels": selector}, "spec": object{"containers": []object{container(image)}}}
}

var selector = object{"app": "web"}
