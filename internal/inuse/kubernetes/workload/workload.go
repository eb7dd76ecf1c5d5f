// Package workload reads the images that a Kubernetes object names. It takes the JSON of
// one object and has no other input. [Images] reads the objects of the built-in kinds that
// run containers. [References] finds references to ECR in objects of any other kind.
package workload

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// An Image is one image that an object uses.
type Image struct {
	Name   string // as the object names it; empty if nothing but Problem is known
	Digest string // the one that the container runtime recorded, or empty
	Runs   bool   // a container that runs now uses the image; only pods have such containers
	// Problem says why no digest is known although the status of the container has an
	// imageID. Otherwise it is empty.
	Problem string
}

// Kinds are the kinds of objects that [Images] reads.
var Kinds = []string{
	"ControllerRevision", "CronJob", "DaemonSet", "Deployment", "Job", "Pod", "PodTemplate", "ReplicaSet",
	"ReplicationController", "StatefulSet",
}

// Images returns the namespace and name of an object, such as prod/web, and its images. An
// image can be repeated. The items of a list have no kind, so the caller knows the kind.
// The names of the images are not checked. A container of a pod has its image twice: as the
// specification names it, which it runs after a restart, and with the recorded digest.
//
// Images fails on another kind and on JSON with other types. It fails on an object without
// a template, and on a container without an image.
//
// https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/
func Images(kind string, text []byte) (name string, images []Image, err error) {
	var o object
	if err := json.Unmarshal(text, &o); err != nil {
		return "", nil, fmt.Errorf("read a %s: %w", kind, err)
	}
	name = o.Metadata.name()
	switch kind {
	case "Pod":
		images, err = o.podImages()
	case "ControllerRevision":
		images, err = revisionImages(o.Data)
	case "PodTemplate":
		images, err = o.Template.images()
	case "CronJob":
		images, err = o.Spec.JobTemplate.Spec.Template.images()
	case "DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet":
		images, err = o.Spec.Template.images()
	default:
		err = fmt.Errorf("the images of a %q are not known", kind)
	}
	if err != nil {
		return name, nil, fmt.Errorf("%s %s: %w", strings.ToLower(kind), name, err)
	}
	return name, images, nil
}

// Searched reports whether the strings of objects of one of the [Kinds] should also be read
// with [References]. A controller revision can have any form, and an operator has the images
// that it starts in its arguments and environment. Pods and replica sets are too many, and
// repeat the strings of their owners.
func Searched(kind string) bool { return kind != "Pod" && kind != "ReplicaSet" }

// An object has the fields of all kinds that can name an image.
type object struct {
	Metadata metadata
	Spec     struct {
		podSpec

		Template    *template
		JobTemplate struct {
			Spec struct{ Template *template }
		}
	}
	Status   podStatus
	Template *template
	Data     json.RawMessage
}

type metadata struct{ Namespace, Name string }

func (m metadata) name() string { return strings.TrimPrefix(m.Namespace+"/"+m.Name, "/") }

type template struct{ Spec *podSpec }

type podSpec struct {
	InitContainers, Containers, EphemeralContainers []container

	Volumes []struct {
		Name  string
		Image *struct{ Reference string }
	}
}

type container struct{ Name, Image string }

// images returns the images of a template. A blank image is one that a controller of
// OpenShift sets later. The API server accepts spaces around a name in a template only.
func (t *template) images() ([]Image, error) {
	if t == nil || t.Spec == nil {
		return nil, errors.New("it has no template")
	}
	if err := t.Spec.check(); err != nil {
		return nil, err
	}
	var images []Image
	for _, c := range append(t.Spec.containers(), t.Spec.volumes()...) {
		if name := strings.TrimSpace(c.Image); name != "" {
			images = append(images, Image{Name: name})
		}
	}
	return images, nil
}

// check checks that the specification has containers, and that each has an image. The API
// server accepts no others.
func (s *podSpec) check() error {
	if len(s.Containers) == 0 {
		return errors.New("it has no containers")
	}
	for _, c := range s.containers() {
		if c.Image == "" {
			return fmt.Errorf("its container %q has no image", c.Name)
		}
	}
	return nil
}

func (s *podSpec) containers() []container {
	return slices.Concat(s.InitContainers, s.Containers, s.EphemeralContainers)
}

// volumes returns the image volumes. Their images may be empty.
func (s *podSpec) volumes() (volumes []container) {
	for _, v := range s.Volumes {
		if v.Image != nil {
			volumes = append(volumes, container{v.Name, v.Image.Reference})
		}
	}
	return volumes
}
