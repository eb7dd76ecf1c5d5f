package fakeecr_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

func names(repositories []types.Repository) []string {
	var names []string
	for _, r := range repositories {
		names = append(names, aws.ToString(r.RepositoryName))
	}
	return names
}

func TestDescribeRepositoriesAnswersEveryField(t *testing.T) {
	t.Parallel()
	s := fakeecr.New(fakeecr.WithClock(clock), fakeecr.WithAccount("210987654321"), fakeecr.WithRegion("us-east-2"))
	s.CreateRepository("team-a/app")
	got := must[*ecr.DescribeRepositoriesOutput](t)(newClient(t, s, 1).DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{}))
	want := []types.Repository{{
		RepositoryArn:              aws.String("arn:aws:ecr:us-east-2:210987654321:repository/team-a/app"),
		RegistryId:                 aws.String("210987654321"),
		RepositoryName:             aws.String("team-a/app"),
		RepositoryUri:              aws.String("210987654321.dkr.ecr.us-east-2.amazonaws.com/team-a/app"),
		CreatedAt:                  aws.Time(now),
		ImageTagMutability:         types.ImageTagMutabilityMutable,
		ImageScanningConfiguration: &types.ImageScanningConfiguration{},
		EncryptionConfiguration:    &types.EncryptionConfiguration{EncryptionType: types.EncryptionTypeAes256},
	}}
	opts := cmpopts.IgnoreUnexported(types.Repository{}, types.ImageScanningConfiguration{}, types.EncryptionConfiguration{})
	awstest.Equal(t, "DescribeRepositories", want, got.Repositories, opts)
}

func TestDescribeRepositoriesPagesByName(t *testing.T) {
	t.Parallel()
	s := fakeecr.New()
	for i := range 130 {
		s.CreateRepository(fmt.Sprintf("repo-%03d", 129-i))
	}
	client := newClient(t, s, 1)
	pages := ecr.NewDescribeRepositoriesPaginator(client, &ecr.DescribeRepositoriesInput{})
	var got []string
	var sizes []int
	for pages.HasMorePages() {
		page := must[*ecr.DescribeRepositoriesOutput](t)(pages.NextPage(t.Context()))
		got, sizes = append(got, names(page.Repositories)...), append(sizes, len(page.Repositories))
		s.CreateRepository("late-000")
		s.DeleteRepository("repo-000")
		s.DeleteRepository("repo-099")
	}
	awstest.Equal(t, "page sizes", []int{100, 30}, sizes)
	for i, name := range got {
		if want := fmt.Sprintf("repo-%03d", i); name != want {
			t.Errorf("repository %d is %s, want %s", i, name, want)
		}
	}
}

func TestDescribeRepositoriesPagesOfOne(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	s.CreateRepository("base")
	pages := ecr.NewDescribeRepositoriesPaginator(client, &ecr.DescribeRepositoriesInput{MaxResults: aws.Int32(1)})
	var got []string
	for pages.HasMorePages() {
		page := must[*ecr.DescribeRepositoriesOutput](t)(pages.NextPage(t.Context()))
		got = append(got, names(page.Repositories)...)
	}
	awstest.Equal(t, "result", []string{"app", "base"}, got)
}

func TestDescribeRepositoriesByName(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	s.CreateRepository("base")
	got := must[*ecr.DescribeRepositoriesOutput](t)(client.DescribeRepositories(t.Context(),
		&ecr.DescribeRepositoriesInput{RepositoryNames: []string{"base", "app"}}))
	awstest.Equal(t, "result", []string{"base", "app"}, names(got.Repositories))
}

func TestDescribeRepositoriesErrors(t *testing.T) {
	t.Parallel()
	_, client := start(t)
	for _, c := range []struct {
		name string
		in   *ecr.DescribeRepositoriesInput
		want string
	}{
		{"an unknown name", &ecr.DescribeRepositoriesInput{RepositoryNames: []string{"app", "none"}}, "RepositoryNotFoundException"},
		{"a malformed name", &ecr.DescribeRepositoriesInput{RepositoryNames: []string{"App"}}, "InvalidParameterException"},
		{"no names", &ecr.DescribeRepositoriesInput{RepositoryNames: []string{}}, "InvalidParameterException"},
		{"101 names", &ecr.DescribeRepositoriesInput{RepositoryNames: strings.Fields(strings.Repeat("app ", 101))}, "InvalidParameterException"},
		{"names and a page size", &ecr.DescribeRepositoriesInput{RepositoryNames: []string{"app"}, MaxResults: aws.Int32(1)}, "InvalidParameterException"},
		{"names and a token", &ecr.DescribeRepositoriesInput{RepositoryNames: []string{"app"}, NextToken: aws.String("a")}, "InvalidParameterException"},
		{"a page of 1001", &ecr.DescribeRepositoriesInput{MaxResults: aws.Int32(1001)}, "InvalidParameterException"},
		{"a foreign token", &ecr.DescribeRepositoriesInput{NextToken: aws.String("AAAAAAAAAAAAAAAAAAAAAAAA")}, "InvalidParameterException"},
		{"a malformed registry", &ecr.DescribeRepositoriesInput{RegistryId: aws.String("x")}, "InvalidParameterException"},
		{"another registry", &ecr.DescribeRepositoriesInput{RegistryId: aws.String("111111111111")}, "AccessDeniedException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := client.DescribeRepositories(t.Context(), c.in)
			wantCode(t, err, c.want)
		})
	}
}

func TestDescribeRepositoriesOfAnEmptyRegistry(t *testing.T) {
	t.Parallel()
	status, answer := post(t, fakeecr.New(), "DescribeRepositories", `{}`)
	if diff := cmp.Diff(map[string]any{"repositories": []any{}}, answer); diff != "" || status != http.StatusOK {
		t.Errorf("got %d, mismatch (-want +got)\n%s", status, diff)
	}
}
