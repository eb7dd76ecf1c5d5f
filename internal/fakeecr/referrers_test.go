package fakeecr_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

func referrersOf(subject string) *ecr.ListImageReferrersInput {
	return &ecr.ListImageReferrersInput{
		RepositoryName: aws.String("app"), SubjectId: &types.SubjectIdentifier{ImageDigest: aws.String(subject)},
	}
}

func TestListImageReferrersAnswersEveryField(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	s.Put("app", fakeecr.Image{Digest: digest(2), SubjectDigest: digest(9)})
	manifest := `{"mediaType": "` + ociImage + `", "artifactType": "application/spdx+json",
		"subject": {"digest": "` + digest(1) + `"}, "annotations": {"by": "me"}}`
	d := s.Put("app", fakeecr.Image{Manifest: manifest, SizeInBytes: 7})
	got := must[*ecr.ListImageReferrersOutput](t)(client.ListImageReferrers(t.Context(), referrersOf(digest(1))))
	want := []types.ImageReferrer{{
		Digest: aws.String(d), MediaType: aws.String(ociImage), ArtifactType: aws.String("application/spdx+json"),
		Size: aws.Int64(7), Annotations: map[string]string{"by": "me"}, ArtifactStatus: types.ArtifactStatusActive,
	}}
	awstest.Equal(t, "ListImageReferrers", want, got.Referrers, cmpopts.IgnoreUnexported(types.ImageReferrer{}))
}

func TestListImageReferrersPagesAndFilters(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	for i := range 60 {
		im := fakeecr.Image{Digest: digest(i), SubjectDigest: digest(99), ArtifactMediaType: fmt.Sprintf("type/%d", i%3)}
		if i%2 == 1 {
			im.Status = "ARCHIVED"
		}
		s.Put("app", im)
	}
	for _, c := range []struct {
		name   string
		filter *types.ListImageReferrersFilter
		size   *int32
		want   []int
	}{
		{"20 ACTIVE ones by default", nil, nil, []int{20, 10}},
		{"50 at most", &types.ListImageReferrersFilter{ArtifactStatus: "ANY"}, aws.Int32(50), []int{50, 10}},
		{"archived", &types.ListImageReferrersFilter{ArtifactStatus: "ARCHIVED"}, aws.Int32(30), []int{30}},
		{"of two types", &types.ListImageReferrersFilter{ArtifactTypes: []string{"type/0", "type/2"}}, aws.Int32(19), []int{19, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := referrersOf(digest(99))
			in.Filter, in.MaxResults = c.filter, c.size
			var got []int
			for range 3 {
				page := must[*ecr.ListImageReferrersOutput](t)(client.ListImageReferrers(t.Context(), in))
				got = append(got, len(page.Referrers))
				if in.NextToken = page.NextToken; in.NextToken == nil {
					break
				}
			}
			awstest.Equal(t, "page sizes", c.want, got)
		})
	}
}

func TestListImageReferrersErrors(t *testing.T) {
	t.Parallel()
	_, client := start(t)
	for name, change := range map[string]func(*ecr.ListImageReferrersInput){
		"a page of 51":       func(in *ecr.ListImageReferrersInput) { in.MaxResults = aws.Int32(51) },
		"a foreign token":    func(in *ecr.ListImageReferrersInput) { in.NextToken = aws.String("AAAAAAAAAAAAAAAAAAAAAAAA") },
		"a malformed digest": func(in *ecr.ListImageReferrersInput) { in.SubjectId.ImageDigest = aws.String("x") },
		"an unknown status": func(in *ecr.ListImageReferrersInput) {
			in.Filter = &types.ListImageReferrersFilter{ArtifactStatus: "LOST"}
		},
		"six types": func(in *ecr.ListImageReferrersInput) {
			in.Filter = &types.ListImageReferrersFilter{ArtifactTypes: strings.Fields("a b c d e f")}
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := referrersOf(digest(1))
			change(in)
			_, err := client.ListImageReferrers(t.Context(), in)
			wantCode(t, err, "InvalidParameterException")
		})
	}
}

func TestListImageReferrersOfNothing(t *testing.T) {
	t.Parallel()
	_, client := start(t)
	got := must[*ecr.ListImageReferrersOutput](t)(client.ListImageReferrers(t.Context(), referrersOf(digest(1))))
	if len(got.Referrers) != 0 || got.NextToken != nil {
		t.Errorf("got %d referrers and token %v", len(got.Referrers), got.NextToken)
	}
}
