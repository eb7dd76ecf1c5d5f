package fakeecr_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// describe returns all details of a listing in pages of the given size.
func describe(ctx context.Context, client *ecr.Client, in ecr.DescribeImagesInput) ([]types.ImageDetail, error) {
	var details []types.ImageDetail
	pages := ecr.NewDescribeImagesPaginator(client, &in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		details = append(details, page.ImageDetails...)
	}
	return details, nil
}

func digests(details []types.ImageDetail) []string {
	var digests []string
	for _, d := range details {
		digests = append(digests, aws.ToString(d.ImageDigest))
	}
	return digests
}

func TestDescribeImagesAnswersEveryField(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	s.Put("app", fakeecr.Image{
		Digest:               digest(1),
		Tags:                 []string{"v1", `git "hash" \ é`, "tab\there"},
		PushedAt:             now.Add(-96*time.Hour + 250*time.Millisecond),
		LastRecordedPullTime: now.Add(-72 * time.Hour),
		LastArchivedAt:       now.Add(-48 * time.Hour),
		LastActivatedAt:      now.Add(-24 * time.Hour),
		Status:               "ARCHIVED",
		SizeInBytes:          5_000_000_000,
		ManifestMediaType:    ociImage,
		ArtifactMediaType:    "application/spdx+json",
		SubjectDigest:        digest(9),
	})
	got := must[*ecr.DescribeImagesOutput](t)(client.DescribeImages(t.Context(), &ecr.DescribeImagesInput{
		RepositoryName: aws.String("app"), ImageIds: byDigest(digest(1)),
	}))
	want := []types.ImageDetail{{
		RegistryId:             aws.String("123456789012"),
		RepositoryName:         aws.String("app"),
		ImageDigest:            aws.String(digest(1)),
		ImageTags:              []string{"v1", `git "hash" \ é`, "tab\there"},
		ImageSizeInBytes:       aws.Int64(5_000_000_000),
		ImagePushedAt:          aws.Time(now.Add(-96*time.Hour + 250*time.Millisecond)),
		ImageManifestMediaType: aws.String(ociImage),
		ArtifactMediaType:      aws.String("application/spdx+json"),
		LastRecordedPullTime:   aws.Time(now.Add(-72 * time.Hour)),
		SubjectManifestDigest:  aws.String(digest(9)),
		ImageStatus:            types.ImageStatusArchived,
		LastArchivedAt:         aws.Time(now.Add(-48 * time.Hour)),
		LastActivatedAt:        aws.Time(now.Add(-24 * time.Hour)),
	}}
	awstest.Equal(t, "DescribeImages", want, got.ImageDetails, cmpopts.IgnoreUnexported(types.ImageDetail{}))
}

func TestDescribeImagesLeavesOutWhatIsNot(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.Put("app", fakeecr.Image{Digest: digest(1), ManifestMediaType: ociIndex})
	_, answer := post(t, s, "DescribeImages", `{"repositoryName": "app"}`)
	want := map[string]any{"imageDetails": []any{map[string]any{
		"registryId": "123456789012", "repositoryName": "app", "imageDigest": digest(1), "imageSizeInBytes": 0.0,
		"imagePushedAt": float64(now.Unix()), "imageManifestMediaType": ociIndex, "imageStatus": "ACTIVE",
	}}}
	awstest.Equal(t, "DescribeImages", want, answer)
}

func TestDescribeImagesPages(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	for i := range 250 {
		s.Put("app", fakeecr.Image{Digest: digest(249 - i)})
	}
	for _, c := range []struct {
		name  string
		size  *int32
		calls int
	}{
		{"of 100 by default", nil, 3},
		{"of one", aws.Int32(1), 250},
		{"that end with the last image", aws.Int32(125), 2},
		{"of 1000 at most", aws.Int32(1000), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.ResetCalls()
			got := must[[]types.ImageDetail](t)(describe(t.Context(), client,
				ecr.DescribeImagesInput{RepositoryName: aws.String("app"), MaxResults: c.size}))
			if calls := s.Calls()["DescribeImages"]; calls != c.calls {
				t.Errorf("got %d calls, want %d", calls, c.calls)
			}
			for i, d := range digests(got) {
				if d != digest(i) {
					t.Fatalf("image %d is %s, want %s", i, d, digest(i))
				}
			}
			if len(got) != 250 {
				t.Errorf("got %d images, want 250", len(got))
			}
		})
	}
}

// While other images are removed and added between the pages, each kept image is listed
// exactly once.
func TestDescribeImagesPagesAreStableUnderChange(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	for i := range 400 {
		s.Put("app", fakeecr.Image{Digest: digest(2 * i)})
	}
	page := 0
	s.Before("DescribeImages", func() {
		page++
		s.Put("app", fakeecr.Image{Digest: digest(2*100*page + 1)})
		for i := range 90 { // most of the page before, which has been read
			s.Remove("app", digest(2*(100*(page-2)+i+1)))
		}
	})
	got := must[[]types.ImageDetail](t)(describe(t.Context(), client, ecr.DescribeImagesInput{RepositoryName: aws.String("app")}))
	seen := map[string]int{}
	for _, d := range digests(got) {
		seen[d]++
	}
	for i := range 400 {
		if n := seen[digest(2*i)]; n != 1 {
			t.Errorf("image %d was listed %d times", 2*i, n)
		}
	}
}

func TestDescribeImagesRejectsForeignTokens(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	s.CreateRepository("other")
	for i := range 3 {
		s.Put("app", fakeecr.Image{Digest: digest(i), Tags: []string{fmt.Sprint(i)}})
		s.Put("other", fakeecr.Image{Digest: digest(i)})
	}
	one := aws.Int32(1)
	first := must[*ecr.DescribeImagesOutput](t)(client.DescribeImages(t.Context(),
		&ecr.DescribeImagesInput{RepositoryName: aws.String("app"), MaxResults: one}))
	list := must[*ecr.ListImagesOutput](t)(client.ListImages(t.Context(),
		&ecr.ListImagesInput{RepositoryName: aws.String("app"), MaxResults: one}))
	wantRefusals(t, client.DescribeImages, "InvalidParameterException", map[string]*ecr.DescribeImagesInput{
		"of another repository": {RepositoryName: aws.String("other"), NextToken: first.NextToken},
		"of another filter": {
			RepositoryName: aws.String("app"), NextToken: first.NextToken,
			Filter: &types.DescribeImagesFilter{TagStatus: types.TagStatusTagged},
		},
		"of another operation": {RepositoryName: aws.String("app"), NextToken: list.NextToken},
		"that is no token":     {RepositoryName: aws.String("app"), NextToken: aws.String("!")},
		"that is too short":    {RepositoryName: aws.String("app"), NextToken: aws.String("AAAA")},
		"that is empty":        {RepositoryName: aws.String("app"), NextToken: aws.String("")},
		"that is cut":          {RepositoryName: aws.String("app"), NextToken: aws.String((*first.NextToken)[:40])},
	})
	t.Run("of another server", func(t *testing.T) {
		_, stranger := start(t)
		_, err := stranger.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("app"), NextToken: first.NextToken})
		wantCode(t, err, "InvalidParameterException")
	})
}

func TestDescribeImagesFilters(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	for i, status := range []string{"ACTIVE", "ARCHIVED", "ACTIVATING"} {
		s.Put("app", fakeecr.Image{Digest: digest(2 * i), Status: status})
		s.Put("app", fakeecr.Image{Digest: digest(2*i + 1), Status: status, Tags: []string{status}})
	}
	for _, c := range []struct {
		name   string
		filter *types.DescribeImagesFilter
		want   []string
	}{
		{"ACTIVE without a filter", nil, []string{digest(0), digest(1)}},
		{"ACTIVE with a tag status alone", &types.DescribeImagesFilter{TagStatus: "TAGGED"}, []string{digest(1)}},
		{"untagged", &types.DescribeImagesFilter{TagStatus: "UNTAGGED"}, []string{digest(0)}},
		{"any tag status", &types.DescribeImagesFilter{TagStatus: "ANY"}, []string{digest(0), digest(1)}},
		{"archived", &types.DescribeImagesFilter{ImageStatus: "ARCHIVED"}, []string{digest(2), digest(3)}},
		{"activating", &types.DescribeImagesFilter{ImageStatus: "ACTIVATING", TagStatus: "TAGGED"}, []string{digest(5)}},
		{"any status", &types.DescribeImagesFilter{ImageStatus: "ANY", TagStatus: "UNTAGGED"}, []string{digest(0), digest(2), digest(4)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := must[[]types.ImageDetail](t)(describe(t.Context(), client,
				ecr.DescribeImagesInput{RepositoryName: aws.String("app"), Filter: c.filter, MaxResults: aws.Int32(1)}))
			awstest.Equal(t, "result", c.want, digests(got))
		})
	}
}

func TestDescribeImagesByIdentifier(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	s.Put("app", fakeecr.Image{Digest: digest(1), Tags: []string{"a", "b"}})
	s.Put("app", fakeecr.Image{Digest: digest(2), Status: "ARCHIVED"})
	for _, c := range []struct {
		name   string
		ids    []types.ImageIdentifier
		filter *types.DescribeImagesFilter
		want   []string
	}{
		{"in any status without a filter", byDigest(digest(2), digest(1)), nil, []string{digest(2), digest(1)}},
		{"each image once", []types.ImageIdentifier{byTag("a"), byTag("b")}, nil, []string{digest(1)}},
		{"filtered on request", byDigest(digest(2), digest(1)), &types.DescribeImagesFilter{ImageStatus: "ACTIVE"}, []string{digest(1)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := must[*ecr.DescribeImagesOutput](t)(client.DescribeImages(t.Context(), &ecr.DescribeImagesInput{
				RepositoryName: aws.String("app"), ImageIds: c.ids, Filter: c.filter,
			}))
			awstest.Equal(t, "result", c.want, digests(got.ImageDetails))
		})
	}
}

func TestDescribeImagesErrors(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	s.Put("app", fakeecr.Image{Digest: digest(1), Tags: []string{"a"}})
	s.Put("app", fakeecr.Image{Digest: digest(2), Tags: []string{"b"}})
	app := aws.String("app")
	const bad = "Invalid parameter at '%s' failed to satisfy constraint: '%s'"
	missing := "The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within the repository with name 'app' in the registry with id '123456789012'"
	for _, c := range []struct {
		name          string
		in            *ecr.DescribeImagesInput
		code, message string
	}{
		{
			"no such repository",
			&ecr.DescribeImagesInput{RepositoryName: aws.String("none")},
			"RepositoryNotFoundException",
			"The repository with name 'none' does not exist in the registry with id '123456789012'",
		},
		{
			"one image is missing",
			&ecr.DescribeImagesInput{RepositoryName: app, ImageIds: byDigest(digest(1), digest(7))},
			"ImageNotFoundException", fmt.Sprintf(missing, digest(7), "null"),
		},
		{
			"a tag of another image",
			&ecr.DescribeImagesInput{RepositoryName: app, ImageIds: []types.ImageIdentifier{{ImageDigest: aws.String(digest(1)), ImageTag: aws.String("b")}}},
			"ImageNotFoundException", fmt.Sprintf(missing, digest(1), "b"),
		},
		{
			"an empty identifier",
			&ecr.DescribeImagesInput{RepositoryName: app, ImageIds: []types.ImageIdentifier{{}}},
			"InvalidParameterException", "Invalid request parameters: both tag and digest cannot be null",
		},
		{
			"a malformed digest",
			&ecr.DescribeImagesInput{RepositoryName: app, ImageIds: byDigest("sha256-1")},
			"InvalidParameterException", "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
		},
		{
			"no identifiers",
			&ecr.DescribeImagesInput{RepositoryName: app, ImageIds: []types.ImageIdentifier{}},
			"InvalidParameterException", fmt.Sprintf(bad, "imageIds", "Member must have length greater than or equal to 1"),
		},
		{
			"101 identifiers",
			&ecr.DescribeImagesInput{RepositoryName: app, ImageIds: make([]types.ImageIdentifier, 101)},
			"InvalidParameterException", fmt.Sprintf(bad, "imageIds", "Member must have length less than or equal to 100"),
		},
		{
			"a tag that is too long",
			&ecr.DescribeImagesInput{RepositoryName: app, ImageIds: []types.ImageIdentifier{byTag(strings.Repeat("t", 301))}},
			"InvalidParameterException", fmt.Sprintf(bad, "imageIds", "Member must satisfy constraint: [Member must have length less than or equal to 300]"),
		},
		{
			"identifiers and a page size",
			&ecr.DescribeImagesInput{RepositoryName: app, ImageIds: byDigest(digest(1)), MaxResults: aws.Int32(5)},
			"InvalidParameterException", fmt.Sprintf(bad, "maxResults", "Member must be null when imageIds is given"),
		},
		{
			"identifiers and a token",
			&ecr.DescribeImagesInput{RepositoryName: app, ImageIds: byDigest(digest(1)), NextToken: aws.String("t")},
			"InvalidParameterException", fmt.Sprintf(bad, "nextToken", "Member must be null when imageIds is given"),
		},
		{
			"an empty page",
			&ecr.DescribeImagesInput{RepositoryName: app, MaxResults: aws.Int32(0)},
			"InvalidParameterException", fmt.Sprintf(bad, "maxResults", "Member must have value greater than or equal to 1"),
		},
		{
			"a page of 1001",
			&ecr.DescribeImagesInput{RepositoryName: app, MaxResults: aws.Int32(1001)},
			"InvalidParameterException", fmt.Sprintf(bad, "maxResults", "Member must have value less than or equal to 1000"),
		},
		{
			"an unknown tag status",
			&ecr.DescribeImagesInput{RepositoryName: app, Filter: &types.DescribeImagesFilter{TagStatus: "tagged"}},
			"InvalidParameterException", fmt.Sprintf(bad, "filter.tagStatus", "Member must satisfy enum value set: [TAGGED, UNTAGGED, ANY]"),
		},
		{
			"an unknown image status",
			&ecr.DescribeImagesInput{RepositoryName: app, Filter: &types.DescribeImagesFilter{ImageStatus: "LOST"}},
			"InvalidParameterException", fmt.Sprintf(bad, "filter.imageStatus", "Member must satisfy enum value set: [ACTIVE, ARCHIVED, ACTIVATING, ANY]"),
		},
		{
			"a short repository name",
			&ecr.DescribeImagesInput{RepositoryName: aws.String("a")},
			"InvalidParameterException", fmt.Sprintf(bad, "repositoryName", "Member must have length greater than or equal to 2"),
		},
		{
			"a malformed registry",
			&ecr.DescribeImagesInput{RepositoryName: app, RegistryId: aws.String("12")},
			"InvalidParameterException", fmt.Sprintf(bad, "registryId", "Member must satisfy regular expression pattern: [0-9]{12}"),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := client.DescribeImages(t.Context(), c.in)
			wantMessage(t, err, c.code, c.message)
		})
	}
}

func TestOtherRegistriesAreOutOfReach(t *testing.T) {
	t.Parallel()
	_, client := start(t, fakeecr.WithAccount("210987654321"))
	in := &ecr.DescribeImagesInput{RepositoryName: aws.String("app"), RegistryId: aws.String("210987654321")}
	if _, err := client.DescribeImages(t.Context(), in); err != nil {
		t.Errorf("the own registry: %v", err)
	}
	in.RegistryId = aws.String("123456789012")
	_, err := client.DescribeImages(t.Context(), in)
	wantCode(t, err, "AccessDeniedException")
}
