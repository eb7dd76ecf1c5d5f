package fakeecr_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

func pull(t *testing.T, client *ecr.Client, ids []types.ImageIdentifier, accepted ...string) *ecr.BatchGetImageOutput {
	t.Helper()
	return must[*ecr.BatchGetImageOutput](t)(client.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{
		RepositoryName: aws.String("app"), ImageIds: ids, AcceptedMediaTypes: accepted,
	}))
}

// pulledIDs returns the identifiers in the answer in the form of shown.
func pulledIDs(out *ecr.BatchGetImageOutput) string {
	var ids []types.ImageIdentifier
	for _, im := range out.Images {
		ids = append(ids, *im.ImageId)
	}
	return shown(ids)
}

func failures(failures []types.ImageFailure) map[string]string {
	codes := map[string]string{}
	for _, f := range failures {
		codes[shown([]types.ImageIdentifier{*f.ImageId})] = string(f.FailureCode) + ": " + aws.ToString(f.FailureReason)
	}
	return codes
}

func TestBatchGetImageAnswersTheManifest(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	text := `{"schemaVersion": 2, "mediaType": "` + dockerImage + `"}`
	d := s.Put("app", fakeecr.Image{Manifest: text, Tags: []string{"a"}})
	got := pull(t, client, []types.ImageIdentifier{byTag("a")})
	want := []types.Image{{
		RegistryId:             aws.String("123456789012"),
		RepositoryName:         aws.String("app"),
		ImageId:                &types.ImageIdentifier{ImageDigest: aws.String(d), ImageTag: aws.String("a")},
		ImageManifest:          aws.String(text),
		ImageManifestMediaType: aws.String(dockerImage),
	}}
	opts := cmpopts.IgnoreUnexported(types.Image{}, types.ImageIdentifier{})
	if diff := cmp.Diff(want, got.Images, opts); diff != "" || len(got.Failures) != 0 {
		t.Errorf("got failures %v, mismatch (-want +got)\n%s", got.Failures, diff)
	}
}

func TestBatchGetImageByDigestAnswersForEachTag(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	s.Put("app", fakeecr.Image{Digest: digest(1), Tags: []string{"a", "b"}})
	s.Put("app", fakeecr.Image{Digest: digest(2)})
	if got, want := pulledIDs(pull(t, client, byDigest(digest(1), digest(2)))), "01:a 01:b 02:"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBatchGetImageByDigestAndTagAnswersForTheTag(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	s.Put("app", fakeecr.Image{Digest: digest(1), Tags: []string{"a", "b"}})
	if got, want := pulledIDs(pull(t, client, []types.ImageIdentifier{both(digest(1), "b")})), "01:b"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBatchGetImageFailsForOneImageOnly(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	s.Put("app", fakeecr.Image{Digest: digest(1), Tags: []string{"a"}})
	s.Put("app", fakeecr.Image{Digest: digest(2), Tags: []string{"b"}})
	s.Put("app", fakeecr.Image{Digest: digest(3), Status: "ARCHIVED"})
	s.Put("app", fakeecr.Image{Digest: digest(4), Status: "ACTIVATING"})
	got := pull(t, client, append(byDigest(digest(1), digest(9), digest(3), digest(4), "abc"),
		byTag("none"), types.ImageIdentifier{}, types.ImageIdentifier{ImageDigest: aws.String(digest(1)), ImageTag: aws.String("b")}))
	if got, want := pulledIDs(got), "01:a"; got != want {
		t.Errorf("got images %q, want %q", got, want)
	}
	want := map[string]string{
		"09:":   "ImageNotFound: Requested image not found",
		"03:":   "ImageNotFound: Requested image not found",
		"04:":   "ImageNotFound: Requested image not found",
		":none": "ImageNotFound: Requested image not found",
		"bc:":   "InvalidImageDigest: Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
		":":     "MissingDigestAndTag: Invalid request parameters: both tag and digest cannot be null",
		"01:b":  "ImageTagDoesNotMatchDigest: Invalid request parameters: given tag does not map to the given digest",
	}
	awstest.Equal(t, "failures", want, failures(got.Failures))
}

func TestBatchGetImageServesAcceptedTypes(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	s.Put("app", fakeecr.Image{Digest: digest(1)})
	s.Put("app", fakeecr.Image{Digest: digest(2)})
	s.Put("app", fakeecr.Image{Digest: digest(3), Tags: []string{"index"}, Children: []string{digest(1), digest(2)}})
	s.Put("app", fakeecr.Image{Digest: digest(4), Children: []string{digest(8), digest(2)}})
	s.Put("app", fakeecr.Image{Digest: digest(5), Children: []string{digest(8)}})
	s.Put("app", fakeecr.Image{Digest: digest(6), ManifestMediaType: dockerIndex, Manifest: "no JSON"})
	index := []types.ImageIdentifier{byTag("index")}
	for _, c := range []struct {
		name     string
		ids      []types.ImageIdentifier
		accepted []string
		want     string
	}{
		{"an index that is accepted", index, allTypes, "03:index"},
		{"of an index its linux/amd64 child", index, []string{ociImage}, "01:index"},
		{"of an index that child without accepted types", index, nil, "01:index"},
		{"else the first child that is there", byDigest(digest(4)), nil, "02:"},
		{"nothing of an index without children", byDigest(digest(5)), nil, ""},
		{"nothing of an index that cannot be read", byDigest(digest(6)), nil, ""},
		{"the other kind of index not", index, []string{dockerIndex, dockerImage}, ""},
		{"an image that is accepted", byDigest(digest(2)), []string{ociImage}, "02:"},
		{"an image of another type not", byDigest(digest(2)), []string{dockerImage}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := pull(t, client, c.ids, c.accepted...)
			if ids := pulledIDs(got); ids != c.want {
				t.Errorf("got %q, want %q", ids, c.want)
			}
			if missing := c.want == ""; missing != (len(got.Failures) == 1) {
				t.Errorf("got failures %v", failures(got.Failures))
			}
		})
	}
}

func TestBatchGetImageStampsThePull(t *testing.T) {
	t.Parallel()
	at := now
	s, client := start(t, fakeecr.WithClock(func() time.Time { return at }))
	s.Put("app", fakeecr.Image{Digest: digest(1)})
	s.Put("app", fakeecr.Image{Digest: digest(2), Children: []string{digest(1)}})
	s.Put("app", fakeecr.Image{Digest: digest(3), Status: "ARCHIVED"})
	at = now.Add(time.Hour)
	pull(t, client, byDigest(digest(2), digest(3)))
	at = now.Add(2 * time.Hour)
	s.ExcludePulls(true)
	pull(t, client, byDigest(digest(1), digest(2)))
	want := []time.Time{{}, now.Add(time.Hour), {}}
	for i, im := range s.Images("app") {
		if !im.LastRecordedPullTime.Equal(want[i]) {
			t.Errorf("image %d: got last pull %v, want %v", i+1, im.LastRecordedPullTime, want[i])
		}
	}
}

// ECR records a pull at least once in 24 hours, so it may record no more.
func TestAPullWithin24HoursOfTheLastIsNotRecorded(t *testing.T) {
	t.Parallel()
	at := now
	s, client := start(t, fakeecr.WithClock(func() time.Time { return at }))
	s.Put("app", fakeecr.Image{Digest: digest(1), PushedAt: now.Add(-100 * time.Hour), LastRecordedPullTime: now.Add(-24 * time.Hour)})
	for _, step := range []struct {
		after    time.Duration
		recorded time.Duration
		pull     func()
	}{
		{0, 0, func() { pull(t, client, byDigest(digest(1))) }},
		{24*time.Hour - time.Millisecond, 0, func() { s.Pull("app", digest(1)) }},
		{24 * time.Hour, 24 * time.Hour, func() { s.Pull("app", digest(1)) }},
		{47 * time.Hour, 24 * time.Hour, func() { pull(t, client, byDigest(digest(1))) }},
	} {
		at = now.Add(step.after)
		step.pull()
		if got := s.Images("app")[0].LastRecordedPullTime; !got.Equal(now.Add(step.recorded)) {
			t.Errorf("a pull after %v: the record is %v, want %v", step.after, got, now.Add(step.recorded))
		}
	}
}

func TestBatchGetImageErrors(t *testing.T) {
	t.Parallel()
	_, client := start(t)
	app := aws.String("app")
	wantRefusals(t, client.BatchGetImage, "InvalidParameterException", map[string]*ecr.BatchGetImageInput{
		"no identifiers":   {RepositoryName: app, ImageIds: []types.ImageIdentifier{}},
		"101 identifiers":  {RepositoryName: app, ImageIds: make([]types.ImageIdentifier, 101)},
		"no types":         {RepositoryName: app, ImageIds: byDigest(digest(1)), AcceptedMediaTypes: []string{}},
		"101 types":        {RepositoryName: app, ImageIds: byDigest(digest(1)), AcceptedMediaTypes: make([]string, 101)},
		"a malformed name": {RepositoryName: aws.String("app/"), ImageIds: byDigest(digest(1))},
	})
}

func TestGeneratedManifestsSayWhatTheImageIs(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	subject := s.Put("app", fakeecr.Image{})
	s.Put("app", fakeecr.Image{Tags: []string{"sbom"}, SubjectDigest: subject, ArtifactMediaType: "application/spdx+json"})
	s.Put("app", fakeecr.Image{Tags: []string{"list"}, ManifestMediaType: dockerIndex, Children: []string{subject, digest(1), digest(2)}})
	var artifact struct {
		ArtifactType    string
		Config, Subject struct{ MediaType, Digest string }
		Layers          []json.RawMessage
	}
	got := pull(t, client, []types.ImageIdentifier{byTag("sbom"), byTag("list")}, allTypes...)
	if err := json.Unmarshal([]byte(*got.Images[0].ImageManifest), &artifact); err != nil {
		t.Fatal(err)
	}
	if artifact.Subject.Digest != subject || artifact.ArtifactType != "application/spdx+json" || len(artifact.Layers) != 1 {
		t.Errorf("the artifact has the manifest %s", *got.Images[0].ImageManifest)
	}
	var index struct {
		MediaType string
		Manifests []struct {
			MediaType, Digest string
			Platform          struct{ OS, Architecture string }
		}
	}
	if err := json.Unmarshal([]byte(*got.Images[1].ImageManifest), &index); err != nil {
		t.Fatal(err)
	}
	var children []string
	for _, m := range index.Manifests {
		children = append(children, m.MediaType+" "+m.Digest+" "+m.Platform.OS+"/"+m.Platform.Architecture)
	}
	want := []string{
		dockerImage + " " + subject + " linux/amd64",
		dockerImage + " " + digest(1) + " linux/arm64",
		dockerImage + " " + digest(2) + " unknown/unknown",
	}
	if diff := cmp.Diff(want, children); diff != "" || index.MediaType != dockerIndex {
		t.Errorf("the index is a %s, mismatch (-want +got)\n%s", index.MediaType, diff)
	}
}
