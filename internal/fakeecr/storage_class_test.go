package fakeecr_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

func move(t *testing.T, client *ecr.Client, id types.ImageIdentifier, class types.TargetStorageClass) (*ecr.UpdateImageStorageClassOutput, error) {
	t.Helper()
	return client.UpdateImageStorageClass(t.Context(), &ecr.UpdateImageStorageClassInput{
		RepositoryName: aws.String("app"), ImageId: &id, TargetStorageClass: class,
	})
}

func TestUpdateImageStorageClassArchivesAndRestores(t *testing.T) {
	t.Parallel()
	at := now
	s, client := start(t, fakeecr.WithClock(func() time.Time { return at }))
	s.Put("app", fakeecr.Image{Digest: digest(1), Tags: []string{"a"}, PushedAt: now.Add(-time.Hour)})
	out := must[*ecr.UpdateImageStorageClassOutput](t)(move(t, client, byTag("a"), types.TargetStorageClassArchive))
	if out.ImageStatus != types.ImageStatusArchived || shown([]types.ImageIdentifier{*out.ImageId}) != "01:a" {
		t.Errorf("archiving answered %s %s", out.ImageStatus, shown([]types.ImageIdentifier{*out.ImageId}))
	}
	at = now.Add(24 * time.Hour)
	out = must[*ecr.UpdateImageStorageClassOutput](t)(move(t, client, byDigest(digest(1))[0], types.TargetStorageClassStandard))
	if out.ImageStatus != types.ImageStatusActive || *out.RegistryId != "123456789012" || *out.RepositoryName != "app" {
		t.Errorf("restoring answered %s %s %s", out.ImageStatus, *out.RegistryId, *out.RepositoryName)
	}
	im := s.Images("app")[0]
	if im.Status != "ACTIVE" || !im.LastArchivedAt.Equal(now) || !im.LastActivatedAt.Equal(at) || !im.PushedAt.Equal(now.Add(-time.Hour)) {
		t.Errorf("the image is now %+v", im)
	}
}

func TestUpdateImageStorageClassErrors(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	s.Put("app", fakeecr.Image{Digest: digest(1)})
	s.Put("app", fakeecr.Image{Digest: digest(2), Status: "ARCHIVED"})
	s.Put("app", fakeecr.Image{Digest: digest(3), Status: "ACTIVATING"})
	const (
		unsupported = "ImageStorageClassUpdateNotSupportedException"
		invalid     = "InvalidParameterException"
	)
	for _, c := range []struct {
		name  string
		id    types.ImageIdentifier
		class types.TargetStorageClass
		want  string
	}{
		{"archiving an archived image", byDigest(digest(2))[0], "ARCHIVE", unsupported},
		{"archiving an activating image", byDigest(digest(3))[0], "ARCHIVE", unsupported},
		{"restoring an active image", byDigest(digest(1))[0], "STANDARD", unsupported},
		{"restoring an activating image", byDigest(digest(3))[0], "STANDARD", unsupported},
		{"an image that is not there", byDigest(digest(9))[0], "ARCHIVE", "ImageNotFoundException"},
		{"an empty identifier", types.ImageIdentifier{}, "ARCHIVE", invalid},
		{"an unknown class", byDigest(digest(1))[0], "GLACIER", invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := move(t, client, c.id, c.class)
			wantCode(t, err, c.want)
		})
	}
}

func TestChildrenAreArchivedAfterTheirIndex(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	s.Put("app", fakeecr.Image{Digest: digest(1)})
	s.Put("app", fakeecr.Image{Digest: digest(2), Children: []string{digest(1)}})
	_, err := move(t, client, byDigest(digest(1))[0], types.TargetStorageClassArchive)
	wantMessage(t, err, "ImageStorageClassUpdateNotSupportedException",
		"Requested image referenced by manifest list: ["+digest(2)+"]")
	for _, d := range []string{digest(2), digest(1)} {
		if _, err := move(t, client, byDigest(d)[0], types.TargetStorageClassArchive); err != nil {
			t.Errorf("archiving %s: %v", d, err)
		}
	}
}
