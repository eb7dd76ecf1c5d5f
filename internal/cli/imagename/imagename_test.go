package imagename_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/imagename"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

const host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"

var aliases = reference.Aliases{"proxy.example.com/aws": {ID: "123456789012", Region: "eu-west-1", Prefix: "team"}}

func TestParseReadsEveryForm(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"team/app":                         "team/app",
		"team/app v1":                      "team/app v1",
		"team/app v1 sha256:3f1c 3f1c22":   "team/app v1 sha256:3f1c 3f1c22",
		"team/app:v1":                      "team/app v1",
		"app:v1 v2 app:v3":                 "app v1 v2 v3",
		"team/app@sha256:3f1c":             "team/app sha256:3f1c",
		"team/app:v1@sha256:3f1c":          "team/app sha256:3f1c",
		host + "/team/app:v1":              host + " team/app v1",
		host + "/app":                      host + " app",
		"docker://" + host + "/app@3f1c":   host + " app 3f1c",
		host + "/app:a " + host + "/app:b": host + " app a b",
		"docker.io/library/nginx v1":       "docker.io/library/nginx v1", // the prefix of a pull-through cache
		"proxy.example.com/aws/app:v1":     host + " team/app v1",
	} {
		got, err := imagename.Parse(strings.Fields(line), aliases)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		words := append([]string{got.Repository}, got.Names...)
		if got.Registry.ID != "" {
			words = append([]string{got.Registry.String()}, words...)
		}
		awstest.Equal(t, line, want, strings.Join(words, " "))
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"sha256:3f1c":                   "sha256:3f1c names no repository; write REPOSITORY@DIGEST",
		"@sha256:3f1c":                  "names no repository",
		":v1":                           "names no repository",
		host:                            "names no repository",
		host + "/":                      "names no repository",
		"app:":                          "app: ends before its tag or digest; add it",
		"app@":                          "app@ ends before its tag or digest",
		"localhost:5000/app:v1":         "is an image of another registry, localhost:5000; name an image of an ECR registry",
		"12345.dkr.ecr.eu-west-1.a.b/c": `the account "12345" is not 12 digits`,
		"app:v1 web:v1":                 "web:v1 is in another repository than app:v1; name the images of one repository at a time",
		"app v1 " + host + "/app:v1":    "is in another repository than app",
		"team/app v1 team/app":          "team/app names no image; add its tag or digest, such as team/app:TAG",
	} {
		_, err := imagename.Parse(strings.Fields(line), aliases)
		awstest.ErrorContains(t, err, want)
	}
}

func TestHint(t *testing.T) {
	t.Parallel()
	missing := fmt.Errorf("x: %w", plan.ErrRepositoryNotFound)
	awstest.ErrorContains(t, imagename.Images{Repository: "ghcr.io/team/app"}.Hint(missing), "if ghcr.io is the host of another registry")
	for _, repository := range []string{"team/app", "my.app"} {
		awstest.Equal(t, repository, missing.Error(), imagename.Images{Repository: repository}.Hint(missing).Error())
	}
}
