package ecrapi_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// ECR refuses to describe a list with a missing digest. Describe still finds the other
// images.
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
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: Describe mismatch (-want +got), error %v:\n%s", name, err, diff)
		}
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
	if _, err := client.Describe(t.Context(), "gone", digests); !errors.Is(err, plan.ErrRepositoryNotFound) {
		t.Errorf("in a repository that is gone: %v, want ErrRepositoryNotFound", err)
	}
	registry.Remove("app", digests[0])
	calls := 0
	registry.Before("DescribeImages", func() {
		if calls++; calls == 2 { // the first half
			registry.FailNext("DescribeImages", "", "AccessDeniedException", 1)
		}
	})
	_, err := client.Describe(t.Context(), "app", digests)
	wantError(t, err, "describe images in app: ")
	wantError(t, err, "not authorized to perform: ecr:DescribeImages")
	wantError(t, err, "grant the action to the role")
}

func TestUntagReturnsTheOutcomeOfEachTag(t *testing.T) {
	t.Parallel()
	registry, client, calls := start(t)
	both := registry.Put("app", fakeecr.Image{Digest: digest(1), Tags: []string{"pr-1", "pr-2", "v1"}})
	refused := registry.Put("app", fakeecr.Image{Digest: digest(2), Tags: []string{"pr-3", "v2"}})
	registry.RefuseImage(refused, "KmsError")
	got, err := client.Untag(t.Context(), "app", []string{"pr-1", "pr-2", "pr-3", "pr-4"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"pr-1": both, "pr-2": both}
	awstest.Equal(t, "removed", want, got.Removed)
	if len(got.Failed) != 2 || got.Failed["pr-3"].Code != "KmsError" || got.Failed["pr-4"].Code != "ImageNotFound" {
		t.Errorf("failed %v", got.Failed)
	}
	if n := calls.Snapshot()["BatchDeleteImage"]; n != 1 || len(registry.Images("app")) != 2 {
		t.Errorf("%d calls, left %v", n, registry.Images("app"))
	}
	_, err = client.Untag(t.Context(), "gone", []string{"pr-1"})
	if !errors.Is(err, plan.ErrRepositoryNotFound) {
		t.Errorf("in a repository that is gone: %v", err)
	}
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
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got.Deleted)
	if want := []string{plain, tagged}; !slices.Equal(slices.Compact(got.Deleted), want) {
		t.Errorf("deleted %v, want %v", got.Deleted, want)
	}
	codes := map[string]string{}
	for _, f := range got.Failed {
		codes[f.Digest] = f.Code
	}
	want := map[string]string{child: "ImageReferencedByManifestList", refused: "KmsError", missing: "ImageNotFound"}
	awstest.Equal(t, "failures", want, codes)
	wantError(t, got.Failed[0], "ImageReferencedByManifestList: Requested image referenced by manifest list: ["+index+"]")
	if left := registry.Images("app"); len(left) != 3 {
		t.Errorf("%d images are left, want 3", len(left))
	}
	if n := calls.Snapshot()["BatchDeleteImage"]; n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

func TestAFailureWithoutIdentifierHasNoDigest(t *testing.T) {
	t.Parallel()
	client, _ := connect(t, canned{"BatchDeleteImage": func(string) string {
		return `{"imageIds": [], "failures": [{"failureCode": "MissingDigestAndTag"}, {"imageId": {}, "failureCode": "InvalidImageTag"}]}`
	}})
	got, err := client.Delete(t.Context(), "app", []string{digest(1)})
	want := apply.Deletion{Failed: []plan.Failure{{Code: "MissingDigestAndTag"}, {Code: "InvalidImageTag"}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Delete mismatch (-want +got), error %v:\n%s", err, diff)
	}
}

func TestDeleteErrors(t *testing.T) {
	t.Parallel()
	registry, client, _ := start(t)
	digests := put(registry, 1)
	if _, err := client.Delete(t.Context(), "gone", digests); !errors.Is(err, plan.ErrRepositoryNotFound) {
		t.Errorf("in a repository that is gone: %v, want ErrRepositoryNotFound", err)
	}
	registry.Fail("BatchDeleteImage", "app", "AccessDeniedException")
	_, err := client.Delete(t.Context(), "app", digests)
	wantError(t, err, "delete images in app: ")
	wantError(t, err, "not authorized to perform: ecr:BatchDeleteImage")
	wantError(t, err, "grant the action to the role")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Delete(ctx, "app", digests); !errors.Is(err, context.Canceled) {
		t.Errorf("with a cancelled context: %v", err)
	}
	if len(registry.Images("app")) != 1 {
		t.Error("a refused call has deleted the image")
	}
}

func TestArchiveMovesOneImage(t *testing.T) {
	t.Parallel()
	registry, client, _ := start(t)
	digests := put(registry, 2)
	if err := client.Archive(t.Context(), "app", digests[0]); err != nil {
		t.Fatal(err)
	}
	images := registry.Images("app")
	if images[0].Status != "ARCHIVED" || images[1].Status != "ACTIVE" {
		t.Errorf("statuses %s and %s after the first image was archived", images[0].Status, images[1].Status)
	}
}

// Archiving is confirmed only by an answer with the status ARCHIVED.
func TestArchiveBelievesOneStatusOnly(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]error{"ARCHIVED": nil, "ACTIVE": apply.ErrUnanswered, "ACTIVATING": apply.ErrUnanswered, "NEW": apply.ErrUnanswered} {
		client, _ := connect(t, canned{"UpdateImageStorageClass": func(string) string { return `{"imageStatus": "` + status + `"}` }})
		if err := client.Archive(t.Context(), "app", digest(1)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", status, err, want)
		}
	}
}

// An error about the image is a Failure, as from BatchDeleteImage. An error about the
// call is not.
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
		wantError(t, err, "archive image "+digest+" in app: "+code+": ")
	}
	err := client.Archive(t.Context(), "gone", child)
	if _, ok := errors.AsType[plan.Failure](err); ok || !errors.Is(err, plan.ErrRepositoryNotFound) {
		t.Errorf("in a repository that is gone: %v, want ErrRepositoryNotFound", err)
	}
	registry.Fail("UpdateImageStorageClass", "", "AccessDeniedException")
	wantError(t, client.Archive(t.Context(), "app", child), "not authorized to perform: ecr:UpdateImageStorageClass")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := client.Archive(ctx, "app", child); !errors.Is(err, context.Canceled) {
		t.Errorf("with a cancelled context: %v", err)
	}
}
