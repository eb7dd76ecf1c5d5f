package workload

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
)

// revisionImages returns the images in the data of a controller revision. Each controller
// writes its data in its own form: a patch with the template, a whole object, or something
// without any template. So every list of containers and every image volume counts.
func revisionImages(data json.RawMessage) ([]Image, error) {
	if len(data) == 0 {
		return nil, nil
	}
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return nil, errors.New("its data is not JSON")
	}
	return templates(value), nil
}

func templates(value any) (images []Image) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			images = append(images, templates(item)...)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			images = append(images, templates(value[key])...)
			items, _ := value[key].([]any)
			for _, item := range items {
				member, _ := item.(map[string]any)
				image := member["image"]
				if volume, ok := image.(map[string]any); ok && key == "volumes" {
					image = volume["reference"]
				}
				name, _ := image.(string)
				name = strings.TrimSpace(name)
				if isList := key == "volumes" || slices.Contains(containerLists, key); isList && name != "" {
					images = append(images, Image{Name: name})
				}
			}
		}
	}
	return images
}

var containerLists = []string{"containers", "initContainers", "ephemeralContainers"}
