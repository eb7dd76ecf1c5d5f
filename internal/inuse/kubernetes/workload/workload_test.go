package workload_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/kubernetes/workload"
)

const registry = inusetest.Registry

var sha = inusetest.Digest

// pod returns a pod with one container, whose status has these members.
func pod(image, status string) string {
	return `{"metadata": {"namespace": "prod", "name": "web"}, "spec": {"containers": [{"name": "app", "image": "` + image + `"}]},
		"status": {"containerStatuses": [{"name": "app", ` + status + `}]}}`
}

func wantImages(t *testing.T, kind, text string, want ...workload.Image) {
	t.Helper()
	name, got, err := workload.Images(kind, []byte(text))
	for i := range got {
		got[i].Name = strings.TrimPrefix(got[i].Name, registry)
	}
	if err != nil || name != "prod/web" || !slices.Equal(got, want) {
		t.Errorf("%s %s\n%q has images %+v, error %v; want %+v", kind, text, name, got, err, want)
	}
}

func TestAPodUsesWhatItsSpecificationNamesAndWhatItRuns(t *testing.T) {
	t.Parallel()
	const running = `"state": {"running": {"startedAt": "2026-11-30T05:00:00Z"}}, "imageID": "`
	v1 := registry + "app:v1"
	a := sha("a")
	named := workload.Image{Name: "app:v1"}
	doubt := func(id string) workload.Image {
		return workload.Image{Name: "app:v1", Runs: true, Problem: "its imageID \"" + id +
			"\" is not the digest of a manifest; the image with the tag is kept, which may be a different one"}
	}
	for id, want := range map[string][]workload.Image{
		registry + "app@" + a:                        {named, {Name: "app:v1", Digest: a, Runs: true}},
		"docker-pullable://" + registry + "app@" + a: {named, {Name: "app:v1", Digest: a, Runs: true}},
		registry + "app:v0@" + strings.ToUpper(a):    {named, {Name: "app:v1", Digest: a, Runs: true}},
		registry + "copy@" + a:                       {named, {Name: "app:v1", Digest: a, Runs: true}, {Name: "copy@" + a, Digest: a}},
		"docker.io/library/app@" + a:                 {named, {Name: "app:v1", Digest: a, Runs: true}, {Name: "docker.io/library/app@" + a, Digest: a}},
		"docker://" + a:                              {named, doubt("docker://" + a)},
		a:                                            {named, doubt(a)},
		strings.Repeat("a", 64):                      {named, doubt(strings.Repeat("a", 64))},
		"?":                                          {named, doubt("?")},
		registry + "app@sha256:1":                    {named, doubt(registry + "app@sha256:1")},
		"":                                           {named, {Name: "app:v1", Runs: true}},
	} {
		wantImages(t, "Pod", pod(v1, running+id+`"`), want...)
	}
	wantImages(t, "Pod", pod(v1, `"state": {"waiting": {}}, "imageID": ""`), named)
	wantImages(t, "Pod", pod(v1, `"state": {"terminated": {}}, "imageID": "`+registry+`app@`+a+`"`), named, workload.Image{Name: "app:v1", Digest: a})
	wantImages(t, "Pod", strings.Replace(pod(v1, ""), `{"name": "app", }`, "", 1), named)
	byDigest := workload.Image{Name: "app@" + sha("b")}
	wantImages(t, "Pod", pod(registry+byDigest.Name, running+a+`"`), byDigest, workload.Image{Name: byDigest.Name, Runs: true})
	wantImages(t, "Pod", pod(registry+byDigest.Name, running+registry+"app@"+a+`"`), byDigest, workload.Image{Name: byDigest.Name, Digest: a, Runs: true})
}

// The status can have a container that the specification lacks, such as one that was removed.
func TestAPodUsesWhatOnlyItsStatusHas(t *testing.T) {
	t.Parallel()
	status := func(id string) string {
		return strings.Replace(pod(registry+"app:v1", `"state": {"running": {}}, "imageID": "`+id+`"`), `s": [{"name": "app"`, `s": [{"name": "old"`, 1)
	}
	wantImages(t, "Pod", status(registry+"old@"+sha("a")), workload.Image{Name: "app:v1"},
		workload.Image{Digest: sha("a"), Runs: true}, workload.Image{Name: "old@" + sha("a"), Digest: sha("a")})
	_, got, err := workload.Images("Pod", []byte(status("")))
	awstest.NoError(t, err)
	if len(got) != 2 || got[1].Problem == "" {
		t.Errorf("got %+v, want a problem", got)
	}
}

func TestAPodUsesItsContainersAndImageVolumes(t *testing.T) {
	t.Parallel()
	wantImages(t, "Pod", `{"metadata": {"namespace": "prod", "name": "web"},
		"spec": {
			"initContainers": [{"name": "i", "image": "`+registry+`init:1"}],
			"containers": [{"name": "c", "image": "`+registry+`app:1"}],
			"ephemeralContainers": [{"name": "e", "image": "`+registry+`debug:1"}],
			"volumes": [{"name": "c", "image": {"reference": "`+registry+`model:1"}}, {"name": "w", "image": {}}, {"name": "x", "emptyDir": {}}]
		},
		"status": {
			"initContainerStatuses": [{"name": "i", "imageID": "`+registry+`init@`+sha("1")+`"}],
			"containerStatuses": [{"name": "c", "state": {"running": {}}, "imageID": "`+registry+`app@`+sha("2")+`", "volumeMounts": [
				{"name": "c", "volumeStatus": {"image": {"imageRef": "`+registry+`model@`+sha("4")+`"}}}, {"name": "x"}]}],
			"ephemeralContainerStatuses": [{"name": "e", "imageID": "`+registry+`debug@`+sha("3")+`"}]
		}}`,
		workload.Image{Name: "init:1"}, workload.Image{Name: "app:1"}, workload.Image{Name: "debug:1"}, workload.Image{Name: "model:1"},
		workload.Image{Name: "init:1", Digest: sha("1")}, workload.Image{Name: "app:1", Digest: sha("2"), Runs: true},
		workload.Image{Name: "model:1", Digest: sha("4"), Runs: true}, workload.Image{Name: "debug:1", Digest: sha("3")})
}

// template is a template of pods with all places for images.
const template = `{"metadata": {}, "spec": {"initContainers": [{"image": "i"}], "containers": [{"image": " c\t"}, {"image": " "}],
	"ephemeralContainers": [{"image": "e"}], "volumes": [{"image": {"reference": "v"}}, {"image": {"pullPolicy": "Always"}}, {"secret": {}}]}}`

func TestOwnersUseTheImagesOfTheirTemplates(t *testing.T) {
	t.Parallel()
	for _, kind := range workload.Kinds {
		body := `"spec": {"replicas": 0, "template": ` + template + `}`
		switch kind {
		case "PodTemplate":
			body = `"template": ` + template
		case "CronJob":
			body = `"spec": {"suspend": true, "jobTemplate": {"spec": {"template": ` + template + `}}}`
		case "ControllerRevision", "Pod":
			continue // see the other tests
		}
		wantImages(t, kind, `{"metadata": {"namespace": "prod", "name": "web"}, `+body+`}`,
			workload.Image{Name: "i"}, workload.Image{Name: "c"}, workload.Image{Name: "e"}, workload.Image{Name: "v"})
	}
}

func TestControllerRevisionsUseEveryTemplateInTheirData(t *testing.T) {
	t.Parallel()
	named := func(names ...string) (images []workload.Image) {
		for _, name := range names {
			images = append(images, workload.Image{Name: name})
		}
		return images
	}
	for data, want := range map[string][]workload.Image{
		`, "data": {"spec": {"template": ` + template + `}}`:                                                          named("c", "e", "i", "v"),
		`, "data": [{"a": {"spec": {"containers": [{"image": "c"}]}}, "b": {"containers": [{"image": "d"}]}}]`:        named("c", "d"),
		`, "data": {"containers": [{"name": "partial"}, "text", null, {"image": 5}], "volumes": [{"image": "text"}]}`: named("text"),
		`, "data": {"containers": {"image": "c"}, "image": "x", "volumes": 5}`:                                        nil,
		`, "data": null`:   nil,
		`, "data": "text"`: nil,
		``:                 nil,
	} {
		wantImages(t, "ControllerRevision", `{"metadata": {"namespace": "prod", "name": "web"}`+data+`}`, want...)
	}
}

func TestImagesFailsOnWhatIsNoWorkload(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, text, want string }{
		{"Pod", `{`, "read a Pod: unexpected end"},
		{"Pod", `{"metadata": {"name": "x", "namespace": "y"}}`, "pod y/x: it has no containers"},
		{"Pod", `{"spec": {"containers": [{"name": "c"}]}}`, `its container "c" has no image`},
		{"Pod", `{"spec": {"containers": [{"image": "c"}], "initContainers": [null]}}`, `its container "" has no image`},
		{"Pod", `{"spec": {"containers": [{"image": 5}]}}`, "cannot unmarshal number"},
		{"Pod", `{"spec": {"containers": {"image": "c"}}}`, "cannot unmarshal object"},
		{"Deployment", `{"spec": {}}`, "deployment : it has no template"},
		{"Deployment", `{"metadata": {"name": "x"}, "spec": {"template": {}}}`, "deployment x: it has no template"},
		{"Deployment", `{"spec": {"template": {"spec": {"containers": []}}}}`, "it has no containers"},
		{"Deployment", `{"spec": {"template": {"spec": {"containers": [{}]}}}}`, "has no image"},
		{"CronJob", `{"spec": {}}`, "it has no template"},
		{"PodTemplate", `{}`, "it has no template"},
		{"Service", `{}`, `the images of a "Service" are not known`},
	} {
		_, images, err := workload.Images(c.kind, []byte(c.text))
		awstest.ErrorContains(t, err, c.want)
		if images != nil {
			t.Errorf("%s %s has images %v", c.kind, c.text, images)
		}
	}
}

// Every image that a generated pod names is found, wherever it is.
func FuzzImages(f *testing.F) {
	f.Add("Pod", "app", sha("a"), `{"spec": {}}`)
	f.Add("CronJob", "team/app", "x", template)
	f.Add("ControllerRevision", "x", "", `{"data": {"containers": [{"image": "x"}]}}`)
	f.Fuzz(func(t *testing.T, kind, name, id, text string) {
		_, _, _ = workload.Images(kind, []byte(text))
		type object = map[string]any
		image := func(n int) string { return fmt.Sprint("host.example.com/", strings.ToValidUTF8(name, ""), n) }
		c := func(n int) []object { return []object{{"name": fmt.Sprint(n), "image": image(n)}} }
		pod, err := json.Marshal(object{
			"spec":   object{"containers": c(1), "initContainers": c(2), "ephemeralContainers": c(3), "volumes": []object{{"image": object{"reference": image(4)}}}},
			"status": object{"containerStatuses": []object{{"name": "1", "imageID": id}, {"name": name, "imageID": image(5) + "@" + sha("a")}}},
		})
		awstest.NoError(t, err)
		_, got, err := workload.Images("Pod", pod)
		awstest.NoError(t, err)
		for n := 1; n <= 4; n++ {
			if !slices.Contains(got, workload.Image{Name: image(n)}) {
				t.Errorf("%s: got %v without %s", pod, got, image(n))
			}
		}
	})
}
