package fakeecr_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
)

const appARN = "arn:aws:ecr:eu-west-1:123456789012:repository/app"

func TestListTagsForResource(t *testing.T) {
	t.Parallel()
	s, client := start(t)
	list := func() string {
		out := must[*ecr.ListTagsForResourceOutput](t)(client.ListTagsForResource(t.Context(),
			&ecr.ListTagsForResourceInput{ResourceArn: aws.String(appARN)}))
		text := ""
		for _, tag := range out.Tags {
			text += *tag.Key + "=" + *tag.Value + ";"
		}
		return text
	}
	if got := list(); got != "" {
		t.Errorf("got %q without tags", got)
	}
	tags := map[string]string{"team": "a", "cleanup": ""}
	s.TagRepository("app", tags)
	tags["team"] = "b"
	if got, want := list(), "cleanup=;team=a;"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestListTagsForResourceErrors(t *testing.T) {
	t.Parallel()
	_, client := start(t)
	for arn, want := range map[string]string{
		"arn:aws:ecr:eu-west-1:123456789012:repository/none":  "RepositoryNotFoundException",
		"arn:aws:ecr:eu-west-1:123456789012:repository/":      "InvalidParameterException",
		"arn:aws:ecr:eu-west-1:111111111111:repository/app":   "InvalidParameterException",
		"arn:aws:ecr:us-east-1:123456789012:repository/app":   "InvalidParameterException",
		"arn:aws:ecr:eu-west-1:123456789012:repositories/app": "InvalidParameterException",
		"app": "InvalidParameterException",
	} {
		t.Run(arn, func(t *testing.T) {
			_, err := client.ListTagsForResource(t.Context(), &ecr.ListTagsForResourceInput{ResourceArn: aws.String(arn)})
			wantCode(t, err, want)
		})
	}
}
