package fakeecr_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

func remove(t *testing.T, client *ecr.Client, ids ...types.ImageIdentifier) *ecr.BatchDeleteImageOutput {
	t.Helper()
	return must[*ecr.BatchDeleteImageOutput](t)(client.BatchDeleteImage(t.Context(), &ecr.BatchDeleteImageInput{
		RepositoryName: aws.String("app"), ImageIds: ids,
	}))
}

// left returns the images of "app" as digest:tag,tag with the last two letters of the
// digest.
func left(s *fakeecr.Server) string {
	var texts []string
	for _, im := range s.Images("app") {
		texts = append(texts, im.Digest[len(im.Digest)-2:]+":"+strings.Join(im.Tags, ","))
	}
	return strings.Join(texts, " ")
}

func both(digest, tag string) types.ImageIdentifier {
	return types.ImageIdentifier{ImageDigest: aws.String(digest), ImageTag: aws.String(tag)}
}

func TestBatchDeleteImage(t *testing.T) {
	t.Parallel()
	id := func(n int) types.ImageIdentifier { return byDigest(digest(n))[0] }
	for _, c := range []struct {
		name          string
		ids           []types.ImageIdentifier
		deleted, left string
	}{
		{"by digest deletes the image and its tags", []types.ImageIdentifier{id(1)}, "01:a 01:b", "02:c 03:"},
		{"by digest deletes an untagged image", []types.ImageIdentifier{id(3)}, "03:", "01:a,b 02:c"},
		{"by tag takes the tag", []types.ImageIdentifier{byTag("a")}, "01:a", "01:b 02:c 03:"},
		{"by the last tag deletes the image", []types.ImageIdentifier{byTag("c")}, "02:c", "01:a,b 03:"},
		{"by all tags deletes the image", []types.ImageIdentifier{byTag("b"), byTag("a")}, "01:b 01:a", "02:c 03:"},
		{"by digest and tag takes the tag", []types.ImageIdentifier{both(digest(1), "b")}, "01:b", "01:a 02:c 03:"},
		{"in the order of the request", []types.ImageIdentifier{id(3), id(1), byTag("c")}, "03: 01:a 01:b 02:c", ""},
		{"of one image twice counts once", []types.ImageIdentifier{id(1), byTag("a"), id(1)}, "01:a 01:b", "02:c 03:"},
		{"of one tag twice counts once", []types.ImageIdentifier{byTag("a"), byTag("a")}, "01:a", "01:b 02:c 03:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, client := start(t)
			s.Put("app", fakeecr.Image{Digest: digest(1), Tags: []string{"a", "b"}})
			s.Put("app", fakeecr.Image{Digest: digest(2), Tags: []string{"c"}})
			s.Put("app", fakeecr.Image{Digest: digest(3)})
			got := remove(t, client, c.ids...)
			if len(got.Failures) != 0 {
				t.Errorf("got failures %v", failures(got.Failures))
			}
			if got := shown(got.ImageIds); got != c.deleted {
				t.Errorf("got deleted %q, want %q", got, c.deleted)
			}
			if got := left(s); got != c.left {
				t.Errorf("got left %q, want %q", got, c.left)
			}
		})
	}
}

func TestBatchDeleteImageFailsForOneImageOnly(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	for i, tag := range []string{"a", "b", "c"} {
		s.Put("app", fakeecr.Image{Digest: digest(i + 1), Tags: []string{tag}})
	}
	s.RefuseImage(digest(3), "KmsError")
	got := remove(t, client, append(byDigest(digest(1), digest(9), digest(3), "sha256:xyz"), types.ImageIdentifier{},
		byTag("none"), both(digest(9), "b"), both(digest(2), "none"))...)
	if deleted := shown(got.ImageIds); deleted != "01:a" {
		t.Errorf("got deleted %q, want 01:a", deleted)
	}
	want := map[string]string{
		"09:":     "ImageNotFound: Requested image not found",
		"03:":     "KmsError: Requested image refused",
		"yz:":     "InvalidImageDigest: Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
		":":       "MissingDigestAndTag: Invalid request parameters: both tag and digest cannot be null",
		":none":   "ImageNotFound: Requested image not found",
		"09:b":    "ImageTagDoesNotMatchDigest: Invalid request parameters: given tag does not map to the given digest",
		"02:none": "ImageNotFound: Requested image not found",
	}
	awstest.Equal(t, "failures", want, failures(got.Failures))
	s.RefuseImage(digest(3), "")
	remove(t, client, byDigest(digest(3))...)
	if got := left(s); got != "02:b" {
		t.Errorf("got left %q, want 02:b", got)
	}
}

func TestRefusedImagesKeepTheirTags(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	s.Put("app", fakeecr.Image{Digest: digest(1), Tags: []string{"a", "b"}})
	s.RefuseImage(digest(1), "ImageInaccessible")
	got := remove(t, client, byTag("a"))
	want := map[string]string{":a": "ImageInaccessible: Requested image refused"}
	awstest.Equal(t, "failures", want, failures(got.Failures))
	if got := left(s); got != "01:a,b" {
		t.Errorf("got left %q, want 01:a,b", got)
	}
}

// ECR refuses to delete the children of an index that is not archived.
func TestBatchDeleteImageGuardsChildren(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		ids          []types.ImageIdentifier
		failed, left string
	}{
		{"by digest", byDigest(digest(1)), "01: [0a 0b]", "01:x,y 02: 03: 0a: 0b: 0c:"},
		{"with its index in the same call", byDigest(digest(11), digest(2)), "02: [0b]", "01:x,y 02: 03: 0a: 0c:"},
		{"by tag while another tag remains", []types.ImageIdentifier{byTag("x")}, "", "01:y 02: 03: 0a: 0b: 0c:"},
		{"by its last tag", []types.ImageIdentifier{byTag("x"), byTag("y")}, ":y [0a 0b]", "01:y 02: 03: 0a: 0b: 0c:"},
		{"not under an archived index", byDigest(digest(3)), "", "01:x,y 02: 0a: 0b: 0c:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, client := start(t)
			s.Put("app", fakeecr.Image{Digest: digest(1), Tags: []string{"x", "y"}})
			s.Put("app", fakeecr.Image{Digest: digest(2)})
			s.Put("app", fakeecr.Image{Digest: digest(11), Children: []string{digest(1), digest(2), digest(1)}})
			s.Put("app", fakeecr.Image{Digest: digest(3)})
			s.Put("app", fakeecr.Image{Digest: digest(10), Children: []string{digest(1)}, Status: "ACTIVATING"})
			s.Put("app", fakeecr.Image{Digest: digest(12), Children: []string{digest(1), digest(3)}, Status: "ARCHIVED"})
			got := remove(t, client, c.ids...)
			if got := guarded(got.Failures); got != c.failed {
				t.Errorf("got failures %q, want %q", got, c.failed)
			}
			if got := left(s); got != c.left {
				t.Errorf("got left %q, want %q", got, c.left)
			}
		})
	}
}

// guarded returns the failures of children as "image [index index]".
func guarded(failures []types.ImageFailure) string {
	var texts []string
	for _, f := range failures {
		list, ok := strings.CutPrefix(aws.ToString(f.FailureReason), "Requested image referenced by manifest list: [")
		if !ok || f.FailureCode != types.ImageFailureCodeImageReferencedByManifestList {
			return string(f.FailureCode) + ": " + aws.ToString(f.FailureReason)
		}
		indexes := strings.Split(strings.TrimSuffix(list, "]"), ", ")
		for i, index := range indexes {
			indexes[i] = index[len(index)-2:]
		}
		texts = append(texts, shown([]types.ImageIdentifier{*f.ImageId})+" ["+strings.Join(indexes, " ")+"]")
	}
	return strings.Join(texts, "; ")
}

func TestChildrenAreFreeWhenTheirIndexIsGone(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	s.Put("app", fakeecr.Image{Digest: digest(1)})
	s.Put("app", fakeecr.Image{Digest: digest(2), Children: []string{digest(1)}})
	s.Put("app", fakeecr.Image{Digest: digest(3), Children: []string{digest(1)}})
	remove(t, client, byDigest(digest(2))...)
	if got := guarded(remove(t, client, byDigest(digest(1))...).Failures); got != "01: [03]" {
		t.Errorf("with one index left: got %q, want 01: [03]", got)
	}
	remove(t, client, byDigest(digest(3))...)
	if got := remove(t, client, byDigest(digest(1))...).Failures; len(got) != 0 {
		t.Errorf("with no index left: got %v", failures(got))
	}
}

func TestBatchDeleteImageErrors(t *testing.T) {
	t.Parallel()
	_, client := start(t)
	app := aws.String("app")
	wantRefusals(t, client.BatchDeleteImage, "InvalidParameterException", map[string]*ecr.BatchDeleteImageInput{
		"no identifiers":       {RepositoryName: app, ImageIds: []types.ImageIdentifier{}},
		"101 identifiers":      {RepositoryName: app, ImageIds: make([]types.ImageIdentifier, 101)},
		"a malformed registry": {RepositoryName: app, ImageIds: byDigest(digest(1)), RegistryId: aws.String("me")},
	})
}
