package ecrapi_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// ECR refuses to describe a list with a missing digest. Describe still finds the other images.
func TestDescribeReturnsWhatIsStillThere(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		removed  []int
		maxCalls int
	}{
		"all":         {nil, 1},
		"first gone":  {[]int{0}, 15},
		"last gone":   {[]int{99}, 15},
		"some gone":   {[]int{3, 50, 51, 98}, 60},
		"every other": {evens(100), 199},
		"none":        {append(evens(100), odds(100)...), 199},
	} {
		registry, client, calls := start(t)
		digests := put(registry, 100)
		want := slices.Clone(digests)
		for _, i := range test.removed {
			registry.Remove("app", digests[i])
			want = slices.DeleteFunc(want, func(d string) bool { return d == digests[i] })
		}
		images, err := client.Describe(t.Context(), "app", digests)
		got := []string{}
		for _, im := range images {
			got = append(got, im.Digest)
		}
		slices.Sort(got)
		awstest.NoError(t, err)
		awstest.Equal(t, name+": Describe", want, got)
		if n := calls.Snapshot()["DescribeImages"]; n > test.maxCalls {
			t.Errorf("%s: %d calls, want at most %d", name, n, test.maxCalls)
		}
	}
}

func evens(n int) []int { return every(0, n) }
func odds(n int) []int  { return every(1, n) }

func every(from, n int) []int {
	var list []int
	for i := from; i < n; i += 2 {
		list = append(list, i)
	}
	return list
}

func TestDescribeFindsImagesOfEveryStatus(t *testing.T) {
	t.Parallel()
	registry, client, _ := start(t)
	archived := registry.Put("app", fakeecr.Image{Status: "ARCHIVED", LastArchivedAt: now})
	images, err := client.Describe(t.Context(), "app", []string{archived})
	if err != nil || len(images) != 1 || images[0].Status != "ARCHIVED" {
		t.Errorf("Describe = %+v, %v", images, err)
	}
}

func TestDescribeErrors(t *testing.T) {
	t.Parallel()
	registry, client, _ := start(t)
	digests := put(registry, 4)
	_, err := client.Describe(t.Context(), "gone", digests)
	awstest.ErrorIs(t, "a repository that is gone", err, plan.ErrRepositoryNotFound)
	registry.Remove("app", digests[0])
	calls := 0
	registry.Before("DescribeImages", func() {
		if calls++; calls == 2 { // the first half
			registry.FailNext("DescribeImages", "", "AccessDeniedException", 1)
		}
	})
	_, err = client.Describe(t.Context(), "app", digests)
	awstest.ErrorContains(t, err, "describe images in app: ", "not authorized to perform: ecr:DescribeImages")
	awstest.ErrorContains(t, err, "grant the action to the role")
}

func TestUntagReturnsTheOutcomeOfEachTag(t *testing.T) {
	t.Parallel()
	registry, client, calls := start(t)
	both := registry.Put("app", fakeecr.Image{Digest: digest(1), Tags: []string{"pr-1", "pr-2", "v1"}})
	refused := registry.Put("app", fakeecr.Image{Digest: digest(2), Tags: []string{"pr-3", "v2"}})
	registry.RefuseImage(refused, "KmsError")
	got, err := client.Untag(t.Context(), "app", []string{"pr-1", "pr-2", "pr-3", "pr-4"})
	awstest.NoError(t, err)
	want := map[string]string{"pr-1": both, "pr-2": both}
	awstest.Equal(t, "removed", want, got.Removed)
	if len(got.Failed) != 2 || got.Failed["pr-3"].Code != "KmsError" || got.Failed["pr-4"].Code != "ImageNotFound" {
		t.Errorf("failed %v", got.Failed)
	}
	awstest.Equal(t, "BatchDeleteImage calls", 1, calls.Snapshot()["BatchDeleteImage"])
	awstest.Equal(t, "images that are left", 2, len(registry.Images("app")))
	_, err = client.Untag(t.Context(), "gone", []string{"pr-1"})
	awstest.ErrorIs(t, "a repository that is gone", err, plan.ErrRepositoryNotFound)
}

func TestDeleteReturnsTheOutcomeOfEachImage(t *testing.T) {
	t.Parallel()
	registry, client, calls := start(t)
	plain := registry.Put("app", fakeecr.Image{Digest: digest(1)})
	tagged := registry.Put("app", fakeecr.Image{Digest: digest(2), Tags: []string{"a", "b"}})
	child := registry.Put("app", fakeecr.Image{Digest: digest(3)})
	index := registry.Put("app", fakeecr.Image{Digest: digest(4), Children: []string{child}})
	refused := registry.Put("app", fakeecr.Image{Digest: digest(5)})
	registry.RefuseImage(refused, "KmsError")
	missing := digest(6)

	got, err := client.Delete(t.Context(), "app", []string{plain, tagged, child, refused, missing})
	awstest.NoError(t, err)
	slices.Sort(got.Deleted)
	awstest.Equal(t, "deleted images", []string{plain, tagged}, slices.Compact(got.Deleted))
	codes := map[string]string{}
	for _, f := range got.Failed {
		codes[f.Digest] = f.Code
	}
	want := map[string]string{child: "ImageReferencedByManifestList", refused: "KmsError", missing: "ImageNotFound"}
	awstest.Equal(t, "failures", want, codes)
	awstest.ErrorContains(t, got.Failed[0], "ImageReferencedByManifestList: Requested image referenced by manifest list: ["+index+"]")
	awstest.Equal(t, "images that are left", 3, len(registry.Images("app")))
	awstest.Equal(t, "BatchDeleteImage calls", 1, calls.Snapshot()["BatchDeleteImage"])
}

func TestAFailureWithoutIdentifierHasNoDigest(t *testing.T) {
	t.Parallel()
	client, _ := connect(t, canned{"BatchDeleteImage": func(string) string {
		return `{"imageIds": [], "failures": [{"failureCode": "MissingDigestAndTag"}, {"imageId": {}, "failureCode": "InvalidImageTag"}]}`
	}})
	got, err := client.Delete(t.Context(), "app", []string{digest(1)})
	want := apply.Deletion{Failed: []plan.Failure{{Code: "MissingDigestAndTag"}, {Code: "InvalidImageTag"}}}
	awstest.NoError(t, err)
	awstest.Equal(t, "Delete", want, got)
}

func TestDeleteErrors(t *testing.T) {
	t.Parallel()
	registry, client, _ := start(t)
	digests := put(registry, 1)
	_, err := client.Delete(t.Context(), "gone", digests)
	awstest.ErrorIs(t, "a repository that is gone", err, plan.ErrRepositoryNotFound)
	registry.Fail("BatchDeleteImage", "app", "AccessDeniedException")
	_, err = client.Delete(t.Context(), "app", digests)
	awstest.ErrorContains(t, err, "delete images in app: ", "not authorized to perform: ecr:BatchDeleteImage")
	awstest.ErrorContains(t, err, "grant the action to the role")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = client.Delete(ctx, "app", digests)
	awstest.ErrorIs(t, "a cancelled context", err, context.Canceled)
	awstest.Equal(t, "images that a refused call leaves", 1, len(registry.Images("app")))
}

func TestArchiveMovesOneImage(t *testing.T) {
	t.Parallel()
	registry, client, _ := start(t)
	digests := put(registry, 2)
	awstest.NoError(t, client.Archive(t.Context(), "app", digests[0]))
	images := registry.Images("app")
	awstest.Equal(t, "status of the archived image", "ARCHIVED", images[0].Status)
	awstest.Equal(t, "status of the other image", "ACTIVE", images[1].Status)
}

// Archiving is confirmed only by an answer with the status ARCHIVED.
func TestArchiveBelievesOneStatusOnly(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]error{"ARCHIVED": nil, "ACTIVE": apply.ErrUnanswered, "ACTIVATING": apply.ErrUnanswered, "NEW": apply.ErrUnanswered} {
		client, _ := connect(t, canned{"UpdateImageStorageClass": func(string) string { return `{"imageStatus": "` + status + `"}` }})
		awstest.ErrorIs(t, status, client.Archive(t.Context(), "app", digest(1)), want)
	}
}

// An error about the image is a Failure, as from BatchDeleteImage. An error about the call is not.
func TestArchiveErrors(t *testing.T) {
	t.Parallel()
	registry, client, _ := start(t)
	archived := registry.Put("app", fakeecr.Image{Digest: digest(1), Status: "ARCHIVED"})
	child := registry.Put("app", fakeecr.Image{Digest: digest(2)})
	registry.Put("app", fakeecr.Image{Digest: digest(3), Children: []string{child}})
	for digest, code := range map[string]string{
		archived: "ImageStorageClassUpdateNotSupported", child: "ImageStorageClassUpdateNotSupported", digest(9): "ImageNotFound",
	} {
		err := client.Archive(t.Context(), "app", digest)
		failure, ok := errors.AsType[plan.Failure](err)
		if !ok || failure.Code != code || failure.Digest != digest || failure.Message == "" {
			t.Errorf("Archive(%s): %v, want the failure %s", digest, err, code)
		}
		awstest.ErrorContains(t, err, "archive image "+digest+" in app: "+code+": ")
	}
	err := client.Archive(t.Context(), "gone", child)
	if _, ok := errors.AsType[plan.Failure](err); ok || !errors.Is(err, plan.ErrRepositoryNotFound) {
		t.Errorf("in a repository that is gone: %v, want ErrRepositoryNotFound", err)
	}
	registry.Fail("UpdateImageStorageClass", "", "AccessDeniedException")
	awstest.ErrorContains(t, client.Archive(t.Context(), "app", child), "not authorized to perform: ecr:UpdateImageStorageClass")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	awstest.ErrorIs(t, "a cancelled context", client.Archive(ctx, "app", child), context.Canceled)
}
