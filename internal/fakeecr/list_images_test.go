package fakeecr_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

func listed(t *testing.T, client *ecr.Client, in ecr.ListImagesInput) string {
	t.Helper()
	var ids []types.ImageIdentifier
	pages := ecr.NewListImagesPaginator(client, &in)
	for pages.HasMorePages() {
		page := must[*ecr.ListImagesOutput](t)(pages.NextPage(t.Context()))
		ids = append(ids, page.ImageIds...)
	}
	return shown(ids)
}

func TestListImagesListsEachTag(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	s.Put("app", fakeecr.Image{Digest: digest(1), Tags: []string{"c", "a", "b"}})
	s.Put("app", fakeecr.Image{Digest: digest(2)})
	s.Put("app", fakeecr.Image{Digest: digest(3), Tags: []string{"d"}})
	s.Put("app", fakeecr.Image{Digest: digest(4), Tags: []string{"e"}, Status: "ARCHIVED"})
	for _, c := range []struct {
		name   string
		filter *types.ListImagesFilter
		want   string
	}{
		{"of ACTIVE images without a filter", nil, "01:a 01:b 01:c 02: 03:d"},
		{"of tagged images", &types.ListImagesFilter{TagStatus: "TAGGED"}, "01:a 01:b 01:c 03:d"},
		{"of untagged images", &types.ListImagesFilter{TagStatus: "UNTAGGED"}, "02:"},
		{"of archived images", &types.ListImagesFilter{ImageStatus: "ARCHIVED"}, "04:e"},
		{"of all images", &types.ListImagesFilter{ImageStatus: "ANY", TagStatus: "ANY"}, "01:a 01:b 01:c 02: 03:d 04:e"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, size := range []*int32{nil, aws.Int32(1), aws.Int32(2), aws.Int32(1000)} {
				got := listed(t, client, ecr.ListImagesInput{RepositoryName: aws.String("app"), Filter: c.filter, MaxResults: size})
				if got != c.want {
					t.Errorf("in pages of %d: got %q, want %q", aws.ToInt32(size), got, c.want)
				}
			}
		})
	}
}

// If the last tag of a page is removed, the next page still begins after it.
func TestListImagesGoesOnAfterATagThatIsGone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		gone func(*fakeecr.Server)
		want string
	}{
		{"with its image", func(s *fakeecr.Server) { s.Remove("app", digest(1)) }, "01:a 01:b 02:d"},
		{"alone", func(s *fakeecr.Server) { s.Untag("app", "b") }, "01:a 01:b 01:c 02:d"},
		{"to another image", func(s *fakeecr.Server) { s.Tag("app", digest(2), "b") }, "01:a 01:b 01:c 02:b 02:d"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, client := start(t)
			s.Put("app", fakeecr.Image{Digest: digest(1), Tags: []string{"a", "b", "c"}})
			s.Put("app", fakeecr.Image{Digest: digest(2), Tags: []string{"d"}})
			pages := 0
			s.Before("ListImages", func() {
				if pages++; pages == 2 {
					c.gone(s)
				}
			})
			got := listed(t, client, ecr.ListImagesInput{RepositoryName: aws.String("app"), MaxResults: aws.Int32(2)})
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestListImagesErrors(t *testing.T) {
	t.Parallel()
	_, client := start(t)
	app := aws.String("app")
	wantRefusals(t, client.ListImages, "InvalidParameterException", map[string]*ecr.ListImagesInput{
		"a page of 1001":       {RepositoryName: app, MaxResults: aws.Int32(1001)},
		"a foreign token":      {RepositoryName: app, NextToken: aws.String("AAAAAAAAAAAAAAAAAAAAAAAA")},
		"an unknown status":    {RepositoryName: app, Filter: &types.ListImagesFilter{ImageStatus: "LOST"}},
		"a malformed name":     {RepositoryName: aws.String("/app")},
		"a malformed registry": {RepositoryName: app, RegistryId: aws.String("1234567890123")},
	})
}
