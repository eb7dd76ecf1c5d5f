package workload

import (
	"fmt"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

type podStatus struct {
	InitContainerStatuses, ContainerStatuses, EphemeralContainerStatuses []containerStatus
}

type containerStatus struct {
	Name, ImageID string

	State        struct{ Running *struct{} }
	VolumeMounts []struct {
		Name         string // of the volume
		VolumeStatus struct {
			Image struct{ ImageRef string } // has the forms of an imageID
		}
	}
}

// podImages returns the images of a pod. What the specification names runs after a restart.
// A container may still run another image, because the tag has moved or the specification
// has changed. So both count.
func (o *object) podImages() ([]Image, error) {
	if err := o.Spec.check(); err != nil {
		return nil, err
	}
	var images []Image
	named, mounted := map[string]string{}, map[string]string{}
	for _, c := range o.Spec.containers() {
		named[c.Name] = c.Image
		images = append(images, Image{Name: c.Image})
	}
	for _, v := range o.Spec.volumes() {
		mounted[v.Name] = v.Image
		if v.Image != "" {
			images = append(images, Image{Name: v.Image})
		}
	}
	for _, s := range slices.Concat(o.Status.InitContainerStatuses, o.Status.ContainerStatuses, o.Status.EphemeralContainerStatuses) {
		runs := s.State.Running != nil
		images = append(images, recorded(named[s.Name], s.ImageID, runs)...)
		for _, m := range s.VolumeMounts {
			if id := m.VolumeStatus.Image.ImageRef; id != "" { // other volumes have none
				images = append(images, recorded(mounted[m.Name], id, runs)...)
			}
		}
	}
	return images, nil
}

// recorded returns the images of an imageID. It is REPOSITORY@DIGEST, after a scheme in some
// runtimes. The repository can be another one than in the name of the image: then the digest
// is in use in both. A runtime that does not know the manifest records another digest, that
// of the image's configuration. The imageID is empty while the container waits.
func recorded(name, imageID string, runs bool) []Image {
	own, nameErr := reference.ParseAny(name)
	id, err := reference.ParseAny(imageID)
	switch {
	case imageID == "" && !runs:
		return nil // the specification has the name already
	case imageID == "" && name != "" || own.Digest != "" && (err != nil || id.Digest == ""):
		return []Image{{Name: name, Runs: runs}}
	case err != nil || id.Digest == "":
		return []Image{{Name: name, Runs: runs, Problem: fmt.Sprintf(
			"its imageID %.200q is not the digest of a manifest; the image with the tag is kept, which may be a different one", imageID)}}
	}
	images := []Image{{Name: name, Digest: id.Digest, Runs: runs}}
	own.Tag, own.Digest = id.Tag, id.Digest
	if nameErr != nil || own != id {
		images = append(images, Image{Name: id.String(), Digest: id.Digest})
	}
	return images
}
