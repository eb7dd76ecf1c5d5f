package fakeecr_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

func TestPutCompletesTheImage(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	d := s.Put("app", fakeecr.Image{})
	got := s.Images("app")
	want := []fakeecr.Image{{
		Digest: d, PushedAt: now, Status: "ACTIVE", Manifest: got[0].Manifest,
		ManifestMediaType: ociImage, ArtifactMediaType: "application/vnd.oci.image.config.v1+json",
	}}
	awstest.Equal(t, "Put", want, got)
	if want := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(got[0].Manifest))); d != want {
		t.Errorf("got digest %s, want that of the manifest, %s", d, want)
	}
}

func TestPutReadsTheManifest(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	index := `{"mediaType": "` + ociIndex + `", "manifests": [{"digest": "` + digest(1) + `"}], "subject": {"digest": "` + digest(2) + `"}}`
	image := `{"mediaType": "` + dockerImage + `", "config": {"mediaType": "application/vnd.docker.container.image.v1+json"}}`
	for _, c := range []struct {
		name     string
		in, want fakeecr.Image
	}{
		{
			"of an index",
			fakeecr.Image{Manifest: index},
			fakeecr.Image{ManifestMediaType: ociIndex, Children: []string{digest(1)}, SubjectDigest: digest(2)},
		},
		{
			"of an image",
			fakeecr.Image{Manifest: image},
			fakeecr.Image{ManifestMediaType: dockerImage, ArtifactMediaType: "application/vnd.docker.container.image.v1+json"},
		},
		{
			"but not over what is said",
			fakeecr.Image{Manifest: index, ManifestMediaType: dockerIndex, Children: []string{}},
			fakeecr.Image{ManifestMediaType: dockerIndex, Children: []string{}, SubjectDigest: digest(2)},
		},
		{
			"unless it cannot be read",
			fakeecr.Image{Manifest: "?"},
			fakeecr.Image{ManifestMediaType: ociImage, ArtifactMediaType: "application/vnd.oci.image.config.v1+json"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.Digest = s.Put("app", c.in)
			c.want.Status, c.want.PushedAt, c.want.Manifest = "ACTIVE", now, c.in.Manifest
			for _, got := range s.Images("app") {
				if got.Digest != c.want.Digest {
					continue
				}
				awstest.Equal(t, "Put", c.want, got)
			}
			s.Remove("app", c.want.Digest, digest(3))
		})
	}
}

func TestGeneratedManifestsDifferAndStayTheSame(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	digests := map[string]bool{}
	for range 5 {
		digests[s.Put("app", fakeecr.Image{})] = true
		digests[s.Put("app", fakeecr.Image{Children: []string{digest(1)}})] = true
	}
	if len(digests) != 10 {
		t.Errorf("got %d digests, want 10", len(digests))
	}
	for _, im := range s.Images("app") {
		if sum := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(im.Manifest))); sum != im.Digest {
			t.Errorf("the manifest of %s has the digest %s", im.Digest, sum)
		}
	}
}

func TestTimesAreKeptInMilliseconds(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	zone := time.FixedZone("CET", 3600)
	s.Put("app", fakeecr.Image{PushedAt: time.Date(2026, 1, 1, 1, 0, 0, 123_999_999, zone)})
	want := time.Date(2026, 1, 1, 0, 0, 0, 123_000_000, time.UTC)
	if got := s.Images("app")[0].PushedAt; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEveryMillisecondSurvivesTheWire(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	for i := range 1000 {
		s.Put("app", fakeecr.Image{Digest: digest(i), PushedAt: now.Add(time.Duration(i) * time.Millisecond)})
	}
	got := must[[]types.ImageDetail](t)(describe(t.Context(), client, ecr.DescribeImagesInput{RepositoryName: aws.String("app")}))
	for i, d := range got {
		if want := now.Add(time.Duration(i) * time.Millisecond); !d.ImagePushedAt.Equal(want) {
			t.Errorf("got %v, want %v", d.ImagePushedAt, want)
		}
	}
}

func TestDockerImagesHaveADockerConfiguration(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.Put("app", fakeecr.Image{ManifestMediaType: dockerImage})
	if got, want := s.Images("app")[0].ArtifactMediaType, "application/vnd.docker.container.image.v1+json"; got != want {
		t.Errorf("got artifact media type %s, want %s", got, want)
	}
}

func TestTagsMove(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for _, step := range []struct {
		name string
		do   func()
		want string
	}{
		{"put twice in one list", func() { s.Put("app", fakeecr.Image{Digest: digest(1), Tags: []string{"a", "b", "a"}}) }, "01:a,b"},
		{"put on another image", func() { s.Put("app", fakeecr.Image{Digest: digest(2), Tags: []string{"a"}}) }, "01:b 02:a"},
		{"moved", func() { s.Tag("app", digest(2), "b") }, "01: 02:a,b"},
		{"moved to where it is", func() { s.Tag("app", digest(2), "a") }, "01: 02:a,b"},
		{"taken away", func() { s.Untag("app", "a") }, "01: 02:b"},
		{"taken away again", func() { s.Untag("app", "a") }, "01: 02:b"},
		{"replaced with their image", func() { s.Put("app", fakeecr.Image{Digest: digest(2), Tags: []string{"c"}}) }, "01: 02:c"},
		{"removed with their image", func() { s.Remove("app", digest(2)) }, "01:"},
		{"free again", func() { s.Tag("app", digest(1), "c") }, "01:c"},
	} {
		step.do()
		if got := left(s); got != step.want {
			t.Errorf("%s: got %q, want %q", step.name, got, step.want)
		}
	}
}

// Tests change an image by putting back its changed snapshot.
func TestSnapshotsAreCopies(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.Put("app", fakeecr.Image{Tags: []string{"a"}, Children: []string{digest(1)}})
	changed := s.Images("app")
	changed[0].Tags[0], changed[0].Children[0] = "x", "x"
	before := s.Images("app")
	if before[0].Tags[0] != "a" || before[0].Children[0] != digest(1) {
		t.Errorf("changed through a snapshot: %+v", before[0])
	}
	s.Put("app", before[0])
	awstest.Equal(t, "putting a snapshot back", before, s.Images("app"))
}

func TestRepositoriesComeAndGo(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	if got := s.Images("app"); got == nil || len(got) != 0 {
		t.Errorf("an empty repository: got %v", got)
	}
	s.Put("app", fakeecr.Image{})
	s.CreateRepository("app")
	if got := s.Images("app"); len(got) != 1 {
		t.Errorf("created twice: got %d images, want 1", len(got))
	}
	s.DeleteRepository("app")
	s.DeleteRepository("none")
	if got := s.Images("app"); got != nil {
		t.Errorf("deleted: got %v", got)
	}
}

// A listing is fast and correct after the removal of most images.
func TestManyRemovals(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for i := range 1000 {
		s.Put("app", fakeecr.Image{Digest: digest(i)})
	}
	if got := len(s.Images("app")); got != 1000 {
		t.Fatalf("got %d images, want 1000", got)
	}
	for i := range 995 {
		s.Remove("app", digest(i))
	}
	if got, want := len(s.Images("app")), 5; got != want {
		t.Errorf("got %d images, want %d", got, want)
	}
}

func TestMistakesOfTheCallerPanic(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for name, f := range map[string]func(){
		"Put into an unknown repository":   func() { s.Put("none", fakeecr.Image{}) },
		"Put with a malformed digest":      func() { s.Put("app", fakeecr.Image{Digest: "sha256:xyz"}) },
		"Remove in an unknown repository":  func() { s.Remove("none", digest(1)) },
		"Tag of an unknown image":          func() { s.Tag("app", digest(1), "a") },
		"Untag in an unknown repository":   func() { s.Untag("none", "a") },
		"TagRepository of an unknown one":  func() { s.TagRepository("none", nil) },
		"a policy of an unknown one":       func() { s.SetLifecyclePolicy("none", "") },
		"CreateRepository, upper case":     func() { s.CreateRepository("App") },
		"CreateRepository, one letter":     func() { s.CreateRepository("a") },
		"CreateRepository, 257 characters": func() { s.CreateRepository(strings.Repeat("a", 257)) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "fakeecr: ") {
					t.Errorf("got panic %q", text)
				}
			}()
			f()
		})
	}
}
