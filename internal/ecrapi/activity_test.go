package ecrapi_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

func tagged(tag string) reference.Reference { return reference.Reference{Repository: "app", Tag: tag} }

func TestLastActivityIsTheNewestTimeOfAnImage(t *testing.T) {
	t.Parallel()
	registry, client, _ := start(t)
	at := func(hours int) time.Time { return now.Add(time.Duration(hours) * time.Hour).UTC() }
	put := func(im fakeecr.Image) string { return registry.Put("app", im) }
	put(fakeecr.Image{Tags: []string{"pushed", "other"}, PushedAt: at(1)})
	put(fakeecr.Image{Tags: []string{"pulled"}, PushedAt: at(1), LastRecordedPullTime: at(2)})
	put(fakeecr.Image{Tags: []string{"restored"}, PushedAt: at(1), LastRecordedPullTime: at(2), LastActivatedAt: at(3)})
	archived := put(fakeecr.Image{Tags: []string{"archived"}, PushedAt: at(4), Status: "ARCHIVED", LastArchivedAt: at(9)})
	byDigest := reference.Reference{Repository: "app", Tag: "pushed", Digest: archived} // the tag does not count
	gone := reference.Reference{Repository: "app", Digest: digest(7)}
	got, err := client.LastActivity(t.Context(), "app", []reference.Reference{
		tagged("pushed"), tagged("other"), tagged("pulled"), tagged("restored"), byDigest, tagged("gone"), gone,
	})
	awstest.NoError(t, err)
	awstest.Equal(t, "last activity", map[reference.Reference]time.Time{
		tagged("pushed"): at(1), tagged("other"): at(1), tagged("pulled"): at(2), tagged("restored"): at(3), byDigest: at(4),
	}, got)
	got, err = client.LastActivity(t.Context(), "gone", []reference.Reference{tagged("pushed")})
	awstest.NoError(t, err)
	awstest.Equal(t, "images in a repository that does not exist", 0, len(got))
}

func TestLastActivityOfManyImages(t *testing.T) {
	t.Parallel()
	registry, client, calls := start(t)
	var images []reference.Reference
	for i := range 250 {
		tag := fmt.Sprint("v", i)
		registry.Put("app", fakeecr.Image{Digest: digest(i), Tags: []string{tag}, PushedAt: now})
		images = append(images, tagged(tag))
	}
	got, err := client.LastActivity(t.Context(), "app", images)
	awstest.NoError(t, err)
	awstest.Equal(t, "images and calls", []int{250, 3}, []int{len(got), calls.Snapshot()["DescribeImages"]})
	registry.FailNext("DescribeImages", "", "ThrottlingException", 1)
	if _, err = client.LastActivity(t.Context(), "app", images); err != nil {
		t.Errorf("after one throttled call: %v", err)
	}
	registry.Fail("DescribeImages", "", "AccessDeniedException")
	_, err = client.LastActivity(t.Context(), "app", images)
	awstest.ErrorContains(t, err, "describe images in app: ", "grant the action to the role")
}

// The images of an idle family may be deleted long before its task definitions.
func TestLastActivityOfManyDeletedImages(t *testing.T) {
	t.Parallel()
	registry, client, calls := start(t)
	var images []reference.Reference
	for i := range 300 {
		if i < 10 {
			registry.Put("app", fakeecr.Image{Digest: digest(i), Tags: []string{fmt.Sprint("v", i)}, PushedAt: now})
		}
		images = append(images, tagged(fmt.Sprint("v", i)), reference.Reference{Repository: "app", Digest: digest(i)})
	}
	got, err := client.LastActivity(t.Context(), "app", images)
	awstest.NoError(t, err)
	awstest.Equal(t, "images and calls", []int{20, 2}, []int{len(got), calls.Snapshot()["DescribeImages"]})
}
