package ecrapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

func TestImagesReadsAllPages(t *testing.T) {
	t.Parallel()
	registry, client, calls := start(t)
	want := put(registry, 2001)
	list, err := collect(t, each(client.Images(t.Context(), "app")))
	awstest.NoError(t, err)
	var got []string
	for _, im := range list {
		got = append(got, im.Digest)
	}
	slices.Sort(got)
	awstest.Equal(t, "digests", want, got)
	awstest.Equal(t, "calls for 2001 images", 3, calls.Snapshot()["DescribeImages"])
}

func TestImagesConvertsEveryField(t *testing.T) {
	t.Parallel()
	registry, client, _ := start(t)
	registry.Put("app", fakeecr.Image{
		Digest: digest(1), Tags: []string{"v1", "latest"}, PushedAt: now.Add(-9 * time.Hour), LastRecordedPullTime: now.Add(-time.Hour),
		LastArchivedAt: now.Add(-3 * time.Hour), LastActivatedAt: now.Add(-2 * time.Hour), SizeInBytes: 12345,
		ManifestMediaType: "application/vnd.oci.image.manifest.v1+json", ArtifactMediaType: "application/vnd.example", SubjectDigest: digest(9),
	})
	got, err := collect(t, each(client.Images(t.Context(), "app")))
	want := []evaluator.Image{{
		Digest: digest(1), Tags: []string{"v1", "latest"}, Status: evaluator.Active,
		PushedAt: evaluator.At(now.Add(-9 * time.Hour)), LastRecordedPullTime: evaluator.At(now.Add(-time.Hour)),
		LastArchivedAt: evaluator.At(now.Add(-3 * time.Hour)), LastActivatedAt: evaluator.At(now.Add(-2 * time.Hour)), SizeInBytes: 12345,
		ManifestMediaType: "application/vnd.oci.image.manifest.v1+json", SubjectDigest: digest(9),
	}}
	awstest.NoError(t, err)
	awstest.Equal(t, "Images", want, got)
}

func TestImagesListsEveryStatus(t *testing.T) {
	t.Parallel()
	registry, client, _ := start(t)
	for i, status := range []string{"ACTIVE", "ARCHIVED", "ACTIVATING"} {
		registry.Put("app", fakeecr.Image{Digest: digest(i), Status: status})
	}
	list, err := collect(t, each(client.Images(t.Context(), "app")))
	awstest.NoError(t, err)
	got := map[evaluator.ImageStatus]int{}
	for _, im := range list {
		got[im.Status]++
	}
	want := map[evaluator.ImageStatus]int{evaluator.Active: 1, evaluator.Archived: 1, evaluator.Activating: 1}
	awstest.Equal(t, "statuses", want, got)
}

func TestImagesCanBeLeftEarly(t *testing.T) {
	t.Parallel()
	registry, client, calls := start(t)
	put(registry, 2001)
	n := 0
	for _, err := range each(client.Images(t.Context(), "app")) {
		if err != nil {
			t.Error(err)
		}
		if n++; n == 1000 {
			break
		}
	}
	awstest.Equal(t, "calls for a page of images", 1, calls.Snapshot()["DescribeImages"])
}

// Pages overlap if images are added and removed between the calls. An image that counts
// twice would push another one out of a rule's count.
func TestImagesOnSeveralPagesCountOnce(t *testing.T) {
	t.Parallel()
	pages := map[string]string{
		"":  `{"imageDetails": [{"imageDigest": "sha256:a", "imagePushedAt": 1}, {"imageDigest": "sha256:b", "imagePushedAt": 2}], "nextToken": "t"}`,
		"t": `{"imageDetails": [{"imageDigest": "sha256:b", "imagePushedAt": 2}, {"imageDigest": "sha256:c", "imagePushedAt": 3}], "nextToken": ""}`,
	}
	client, _ := connect(t, canned{"DescribeImages": func(token string) string { return pages[token] }})
	list, err := collect(t, each(client.Images(t.Context(), "app")))
	var got []string
	for _, im := range list {
		got = append(got, im.Digest)
	}
	awstest.NoError(t, err)
	awstest.Equal(t, "Images", []string{"sha256:a", "sha256:b", "sha256:c"}, got)
}

// An image that changes while pages are fetched, and is listed again, is an error:
// neither listing has the current image and tags. A mere pull is left to the re-check.
func TestAnImageThatChangesBetweenPagesIsAnError(t *testing.T) {
	t.Parallel()
	const first = `"imageTags": ["a", "b"], "imagePushedAt": 5, "imageStatus": "ACTIVE", "lastActivatedAt": 6, "lastRecordedPullTime": 7`
	for second, changed := range map[string]bool{
		first: false,
		`"imageTags": ["b", "a"], "imagePushedAt": 5, "imageStatus": "ACTIVE", "lastActivatedAt": 6, "lastRecordedPullTime": 9`: false,
		`"imageTags": ["a"], "imagePushedAt": 5, "imageStatus": "ACTIVE", "lastActivatedAt": 6, "lastRecordedPullTime": 7`:      true,
		`"imageTags": ["a", "b", "prod"], "imagePushedAt": 5, "imageStatus": "ACTIVE", "lastActivatedAt": 6`:                    true,
		`"imageTags": ["a", "c"], "imagePushedAt": 5, "imageStatus": "ACTIVE", "lastActivatedAt": 6`:                            true,
		`"imagePushedAt": 5, "imageStatus": "ACTIVE", "lastActivatedAt": 6`:                                                     true,
		`"imageTags": ["a", "b"], "imagePushedAt": 6, "imageStatus": "ACTIVE", "lastActivatedAt": 6`:                            true,
		`"imageTags": ["a", "b"], "imagePushedAt": 5, "imageStatus": "ARCHIVED", "lastActivatedAt": 6`:                          true,
		`"imageTags": ["a", "b"], "imagePushedAt": 5, "imageStatus": "ACTIVE", "lastActivatedAt": 8`:                            true,
		`"imageTags": ["a", "b"], "imagePushedAt": 5, "imageStatus": "ACTIVE", "lastActivatedAt": 6, "lastArchivedAt": 4`:       true,
	} {
		pages := map[string]string{
			"":  `{"imageDetails": [{"imageDigest": "sha256:x", ` + first + `}], "nextToken": "t"}`,
			"t": `{"imageDetails": [{"imageDigest": "sha256:y", "imagePushedAt": 2}, {"imageDigest": "sha256:x", ` + second + `}]}`,
		}
		client, _ := connect(t, canned{"DescribeImages": func(token string) string { return pages[token] }})
		list, err := collect(t, each(client.Images(t.Context(), "app")))
		if changed {
			awstest.ErrorContains(t, err, "describe images in app: sha256:x changed while the pages were listed; run again")
		} else if err != nil || len(list) != 2 {
			t.Errorf("%s: %d images, %v", second, len(list), err)
		}
	}
}

func TestARepeatedPageTokenCutsTheListingShort(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]func(token string) string{
		"same token":   func(string) string { return "t" },
		"cycle":        func(token string) string { return map[string]string{"": "a", "a": "b", "b": "c", "c": "a"}[token] },
		"to the start": func(token string) string { return map[string]string{"": "a", "a": "b", "b": "a"}[token] },
	} {
		client, _ := connect(t, canned{
			"DescribeImages":       func(token string) string { return fmt.Sprintf(`{"imageDetails": [], "nextToken": %q}`, next(token)) },
			"DescribeRepositories": func(token string) string { return fmt.Sprintf(`{"repositories": [], "nextToken": %q}`, next(token)) },
		})
		_, err := collect(t, each(client.Images(t.Context(), "app")))
		awstest.ErrorContains(t, err, "describe images in app: the listing is cut short: ECR repeats a page token")
		_, err = collect(t, client.Repositories(t.Context()))
		awstest.ErrorContains(t, err, "describe repositories: the listing is cut short: ECR repeats a page token")
		if t.Failed() {
			t.Fatalf("case %s", name)
		}
	}
}

// Without digest or push time neither the image nor the images next to it in a count can be judged.
func TestImagesRefusesToGuess(t *testing.T) {
	t.Parallel()
	for want, detail := range map[string]string{
		`image without imageDigest (tags ["v1"])`: `{"imageTags": ["v1"], "imagePushedAt": 1}`,
		`image without imageDigest (tags [])`:     `{"imageDigest": "", "imagePushedAt": 1}`,
		`image sha256:a without imagePushedAt`:    `{"imageDigest": "sha256:a"}`,
	} {
		client, _ := connect(t, images(`{"imageDigest": "sha256:ok", "imagePushedAt": 1}`, detail))
		list, err := collect(t, each(client.Images(t.Context(), "app")))
		awstest.ErrorContains(t, err, "describe images in app: "+want)
		awstest.Equal(t, detail+": images before the error", 1, len(list))
	}
}

// described answers DescribeImages with the image details without encoding them, because
// the SDK decodes any number of seconds into a time between the years 1677 and 2262.
type described struct {
	ecrapi.API
	details []types.ImageDetail
}

func (d described) DescribeImages(context.Context, *ecr.DescribeImagesInput, ...func(*ecr.Options)) (*ecr.DescribeImagesOutput, error) {
	return &ecr.DescribeImagesOutput{ImageDetails: d.details}, nil
}

// Such a time cannot be in a report, or is not from ECR.
func TestImagesRefusesTimesOutOfRange(t *testing.T) {
	t.Parallel()
	id, ok, past, future := aws.String("sha256:a"), new(now), new(now.AddDate(-4000, 0, 0)), new(now.AddDate(8000, 0, 0))
	for name, detail := range map[string]types.ImageDetail{
		"push in the future":    {ImageDigest: id, ImagePushedAt: future},
		"push in the past":      {ImageDigest: id, ImagePushedAt: past},
		"pull in the past":      {ImageDigest: id, ImagePushedAt: ok, LastRecordedPullTime: past},
		"archived, the future":  {ImageDigest: id, ImagePushedAt: ok, LastArchivedAt: future},
		"just before 1970":      {ImageDigest: id, ImagePushedAt: new(time.Unix(-1, 0).UTC())},
		"pull in 1754":          {ImageDigest: id, ImagePushedAt: ok, LastRecordedPullTime: new(time.Date(1754, 8, 30, 0, 0, 0, 0, time.UTC))},
		"activated, the future": {ImageDigest: id, ImagePushedAt: ok, LastActivatedAt: future},
		"none":                  {ImageDigest: id, ImagePushedAt: &time.Time{}},
	} {
		want := "describe images in app: image sha256:a has a time before the year 1970 or after 2261; check the endpoint"
		if name == "none" {
			want = "describe images in app: image sha256:a without imagePushedAt"
		}
		api := described{details: []types.ImageDetail{detail}}
		_, err := collect(t, each(ecrapi.New(api).Images(t.Context(), "app")))
		awstest.ErrorContains(t, err, want)
		_, err = ecrapi.New(api).Describe(t.Context(), "app", []string{"sha256:a"})
		awstest.ErrorContains(t, err, want)
	}
}

func TestAMissingStatusMeansActiveAndAnUnknownOneIsAnError(t *testing.T) {
	t.Parallel()
	client, _ := connect(t, images(`{"imageDigest": "sha256:a", "imagePushedAt": 1}`, `{"imageDigest": "sha256:b", "imagePushedAt": 1, "imageStatus": "FROZEN"}`))
	list, err := collect(t, each(client.Images(t.Context(), "app")))
	awstest.ErrorContains(t, err, `describe images in app: image sha256:b has the unknown imageStatus "FROZEN"`)
	if len(list) != 1 || list[0].Status != evaluator.Active {
		t.Errorf("Images = %+v before the error", list)
	}
}

func TestRepositoriesReadsAllPagesInOrder(t *testing.T) {
	t.Parallel()
	registry := fakeecr.New(fakeecr.WithAccount("999999999999"))
	var want []plan.Repository
	for i := range 2001 {
		name := fmt.Sprintf("team/app-%04d", i)
		registry.CreateRepository(name)
		want = append(want, plan.Repository{Name: name, RegistryID: "999999999999", ARN: "arn:aws:ecr:eu-west-1:999999999999:repository/" + name})
	}
	client, calls := connect(t, registry)
	got, err := collect(t, client.Repositories(t.Context()))
	awstest.NoError(t, err)
	awstest.Equal(t, "Repositories", want, got)
	awstest.Equal(t, "calls for 2001 repositories", 3, calls.Snapshot()["DescribeRepositories"])
}

func TestRepositoriesRefusesOneWithoutName(t *testing.T) {
	t.Parallel()
	client, _ := connect(t, canned{"DescribeRepositories": func(string) string { return `{"repositories": [{"registryId": "1"}]}` }})
	_, err := collect(t, client.Repositories(t.Context()))
	awstest.ErrorContains(t, err, "describe repositories: a repository in the answer has no name")
}

func TestListingErrorsNameTheOperationAndTheObject(t *testing.T) {
	t.Parallel()
	registry, client, _ := start(t)
	_, err := collect(t, each(client.Images(t.Context(), "gone")))
	awstest.ErrorContains(t, err, "describe images in gone: ")
	awstest.ErrorIs(t, "a repository that is gone", err, plan.ErrRepositoryNotFound)
	registry.Fail("", "", "AccessDeniedException")
	_, err = collect(t, client.Repositories(t.Context()))
	awstest.ErrorContains(t, err, "describe repositories: ", "not authorized to perform: ecr:DescribeRepositories")
	awstest.ErrorContains(t, err, "grant the action to the role")
}

func TestACancelledContextEndsAListing(t *testing.T) {
	t.Parallel()
	registry, client, _ := start(t)
	put(registry, 1500)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n, failed := 0, error(nil)
	for _, err := range each(client.Images(ctx, "app")) {
		if failed = err; err == nil {
			n++
		}
		cancel()
	}
	if !errors.Is(failed, context.Canceled) || n != 1000 {
		t.Errorf("%d images, then %v; want the first page, then the cancellation", n, failed)
	}
}

func TestPolicyText(t *testing.T) {
	t.Parallel()
	registry, client, _ := start(t)
	_, err := client.PolicyText(t.Context(), "app")
	awstest.ErrorIs(t, "no policy", err, plan.ErrNoPolicy)
	awstest.ErrorContains(t, err, "get lifecycle policy of app: ")
	registry.SetLifecyclePolicy("app", `{"rules": []}`)
	if got, err := client.PolicyText(t.Context(), "app"); err != nil || got != `{"rules": []}` {
		t.Errorf("PolicyText = %q, %v", got, err)
	}
	_, err = client.PolicyText(t.Context(), "gone")
	awstest.ErrorIs(t, "a repository that is gone", err, plan.ErrRepositoryNotFound)
	registry.Fail("GetLifecyclePolicy", "app", "AccessDeniedException")
	_, err = client.PolicyText(t.Context(), "app")
	awstest.ErrorContains(t, err, "not authorized to perform: ecr:GetLifecyclePolicy")
}

func TestResourcePolicies(t *testing.T) {
	t.Parallel()
	refuse := func(code string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type": "`+code+`", "message": "words"}`)
		}
	}
	for operation, c := range map[string]struct {
		read             func(ecrapi.Client) (string, error)
		missing, failing string
	}{
		"GetRepositoryPolicy": {
			func(c ecrapi.Client) (string, error) { return c.RepositoryPolicyText(t.Context(), "app") },
			"RepositoryPolicyNotFoundException", "get repository policy of app: ",
		},
		"GetRegistryPolicy": {
			func(c ecrapi.Client) (string, error) { return c.RegistryPolicyText(t.Context()) },
			"RegistryPolicyNotFoundException", "get registry policy: ",
		},
	} {
		client, _ := connect(t, canned{operation: func(string) string { return `{"policyText": "{}"}` }})
		if got, err := c.read(client); err != nil || got != "{}" {
			t.Errorf("%s: %q, %v", operation, got, err)
		}
		client, _ = connect(t, canned{operation: func(string) string { return `{"registryId": "123456789012"}` }})
		_, err := c.read(client)
		awstest.ErrorContains(t, err, c.failing, "policyText")
		client, _ = connect(t, refuse(c.missing))
		if got, err := c.read(client); err != nil || got != "" {
			t.Errorf("%s without a policy: %q, %v", operation, got, err)
		}
		client, _ = connect(t, refuse("AccessDeniedException"))
		_, err = c.read(client)
		awstest.ErrorContains(t, err, c.failing, "grant the action to the role")
	}
}

// Counts without failed attempts would hide throttling.
func TestCallsCountsEveryAttempt(t *testing.T) {
	t.Parallel()
	registry, client, calls := start(t)
	put(registry, 1)
	registry.FailNext("DescribeImages", "", "ThrottlingException", 2)
	list, err := collect(t, each(client.Images(t.Context(), "app")))
	if err != nil || len(list) != 1 {
		t.Fatalf("Images = %v, %v; want one image after two throttled calls", list, err)
	}
	_, _ = client.PolicyText(t.Context(), "app")
	want := map[string]int{"DescribeImages": 3, "GetLifecyclePolicy": 1}
	awstest.Equal(t, "Calls", want, calls.Snapshot())
	awstest.Equal(t, "calls of the registry and of the client", registry.Calls(), calls.Snapshot())
	calls.Snapshot()["DescribeImages"] = 0
	awstest.Equal(t, "calls after a snapshot was changed", 3, calls.Snapshot()["DescribeImages"])
}

func TestRepositoriesNamedReturnsThoseThatExist(t *testing.T) {
	t.Parallel()
	registry, client, calls := start(t)
	names := []string{"gone", "app"}
	for i := range 250 {
		name := fmt.Sprintf("team/%03d", i)
		registry.CreateRepository(name)
		names = append(names, name)
	}
	registry.Fail("DescribeRepositories", fakeecr.AllRepositories, "AccessDeniedException")
	found, err := client.RepositoriesNamed(t.Context(), names)
	awstest.NoError(t, err)
	got := []string{}
	for _, r := range found {
		got = append(got, r.Name)
	}
	awstest.Equal(t, "repositories", names[1:], got)
	awstest.Equal(t, "the account", "123456789012", found[0].RegistryID)
	if n := calls.Snapshot()["DescribeRepositories"]; n > 20 {
		t.Errorf("%d calls for 252 names", n)
	}
	_, err = collect(t, client.Repositories(t.Context()))
	awstest.ErrorIs(t, "a list that the role may not read", err, plan.ErrAccessDenied)
}

func TestRepositoriesNamedRefusesOtherAnswers(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"another repository": `{"repositories": [{"repositoryName": "web", "registryId": "1"}]}`,
		"none":               `{"repositories": []}`,
		"an empty answer":    `{}`,
		"a second one":       `{"repositories": [{"repositoryName": "app"}, {"repositoryName": "web"}]}`,
		"one without a name": `{"repositories": [{}]}`,
	} {
		client, _ := connect(t, canned{"DescribeRepositories": func(string) string { return answer }})
		if found, err := client.RepositoriesNamed(t.Context(), []string{"app"}); err == nil {
			t.Errorf("%s is read as %v", name, found)
		}
	}
	registry, client, _ := start(t)
	registry.Fail("DescribeRepositories", "app", "AccessDeniedException")
	_, err := client.RepositoriesNamed(t.Context(), []string{"app"})
	awstest.ErrorContains(t, err, "describe repositories app: ", "repository/app", "grant the action to the role")
}
