package ecrapi_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

func TestChildrenReadsIndexes(t *testing.T) {
	t.Parallel()
	registry, client, calls := start(t)
	child := registry.Put("app", fakeecr.Image{})
	oci := registry.Put("app", fakeecr.Image{Children: []string{child, digest(7)}, Tags: []string{"a", "b"}})
	docker := registry.Put("app", fakeecr.Image{Children: []string{child}, ManifestMediaType: "application/vnd.docker.distribution.manifest.list.v2+json"})
	outer := registry.Put("app", fakeecr.Image{Children: []string{oci}})
	got, err := client.Children(t.Context(), "app", []string{oci, docker, outer})
	awstest.NoError(t, err)
	want := map[string][]string{oci: {child, digest(7)}, docker: {child}, outer: {oci}}
	awstest.Equal(t, "children", want, got.Children)
	awstest.Equal(t, "failed", []plan.Failure(nil), got.Failed)
	awstest.Equal(t, "BatchGetImage calls", 1, calls.Snapshot()["BatchGetImage"])
}

// An index that cannot be read is missing from the children and has a failure with a
// reason, so that no caller takes it for an index without children.
func TestChildrenReturnsFailures(t *testing.T) {
	t.Parallel()
	registry, client, _ := start(t)
	for name, manifest := range map[string]string{
		"no JSON":        `{"manifests": [`,
		"no list":        `{"schemaVersion": 2, "layers": []}`,
		"null":           `{"manifests": null}`,
		"without digest": `{"manifests": [{"digest": "sha256:a"}, {"size": 1}]}`,
		"no object":      `[]`,
		"number":         `{"manifests": [{"digest": 1}]}`,
	} {
		index := registry.Put("app", fakeecr.Image{Manifest: manifest, ManifestMediaType: "application/vnd.oci.image.index.v1+json", Digest: digest(len(name))})
		wantUnread(t, client, []string{index}, plan.Failure{Digest: index, Code: plan.CodeNoIndex})
	}
	archived := registry.Put("app", fakeecr.Image{Status: "ARCHIVED", Children: []string{digest(1)}})
	const notFound = "Requested image not found"
	wantUnread(t, client, []string{archived, digest(99)},
		plan.Failure{Digest: archived, Code: "ImageNotFound", Message: notFound}, plan.Failure{Digest: digest(99), Code: "ImageNotFound", Message: notFound})
	empty := registry.Put("app", fakeecr.Image{Manifest: `{"manifests": []}`, ManifestMediaType: "application/vnd.oci.image.index.v1+json"})
	got, err := client.Children(t.Context(), "app", []string{empty})
	if err != nil || !cmp.Equal(got.Children, map[string][]string{empty: {}}) || got.Failed != nil {
		t.Errorf("children of an empty index: %+v, %v", got, err)
	}
}

// wantUnread checks that no index can be read, for these reasons.
func wantUnread(t *testing.T, client ecrapi.Client, indexes []string, want ...plan.Failure) {
	t.Helper()
	got, err := client.Children(t.Context(), "app", indexes)
	if diff := cmp.Diff(want, got.Failed); diff != "" || err != nil || len(got.Children) > 0 {
		t.Errorf("children %v, error %v, failed mismatch (-want +got):\n%s", got.Children, err, diff)
	}
}

// ECR answers 200 even if some images fail. Every failure keeps its code and reason.
func TestChildrenKeepsEveryFailureOfAnAnswer(t *testing.T) {
	t.Parallel()
	for _, code := range fakeecr.ImageFailureCodes {
		client, _ := connect(t, canned{"BatchGetImage": func(string) string {
			return fmt.Sprintf(`{"images": [], "failures": [{"imageId": {"imageDigest": "sha256:a"}, "failureCode": %q, "failureReason": "because"}]}`, code)
		}})
		wantUnread(t, client, []string{"sha256:a", "sha256:b"},
			plan.Failure{Digest: "sha256:a", Code: code, Message: "because"}, plan.Failure{Digest: "sha256:b", Code: plan.CodeNoAnswer})
	}
}

// The span of the reading begins at the first attempt and ends at the time of the answer.
func TestChildrenReturnsTheTimeOfItsPull(t *testing.T) {
	t.Parallel()
	registry, client, _ := start(t)
	index := registry.Put("app", fakeecr.Image{PushedAt: now.Add(-time.Hour), Children: []string{digest(1)}})
	got, err := client.Children(t.Context(), "app", []string{index})
	awstest.NoError(t, err)
	pulled := registry.Images("app")[0].LastRecordedPullTime.Truncate(time.Second)
	if pulled.Before(got.At.From) || pulled.After(got.At.To) || got.At.To.Sub(got.At.From) > 10*time.Second {
		t.Errorf("pulled at %v, read from %v to %v", pulled, got.At.From, got.At.To)
	}
}

// Another attempt may succeed after an answer with an index but without its manifest.
func TestChildrenWantsTheManifest(t *testing.T) {
	t.Parallel()
	for _, rest := range []string{``, `, "imageManifest": null`, `, "imageManifest": ""`} {
		client, _ := connect(t, canned{"BatchGetImage": func(string) string {
			return `{"images": [{"imageId": {"imageDigest": "sha256:a"}` + rest + `}], "failures": []}`
		}})
		wantUnread(t, client, []string{"sha256:a"}, plan.Failure{Digest: "sha256:a", Code: plan.CodeNoAnswer})
	}
}

// An attempt that ECR refuses is no pull. An attempt without an answer may be one.
func TestChildrenDoesNotCountRefusedAttemptsAsAPull(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		body   string
		most   time.Duration
	}{
		"throttled": {400, `{"__type": "ThrottlingException"}`, slowness + 2*time.Second},
		"no answer": {500, `{}`, time.Hour},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, _ := ecrapi.Connect(awstest.Offline(&slow{fails: 5, status: test.status, body: test.body}))
			began := time.Now()
			got, err := client.Children(t.Context(), "app", []string{"sha256:a"})
			if err != nil || len(got.Children) != 1 {
				t.Fatalf("%s: %+v, %v", name, got, err)
			}
			all := time.Since(began)
			if span := got.At.To.Sub(got.At.From); span < slowness-time.Second || test.most < all && span > test.most || test.most > all && span < all-time.Second {
				t.Errorf("%s: read from %v to %v in %v", name, got.At.From, got.At.To, all)
			}
		})
	}
}

// A slow server takes its time for each answer, and refuses the first ones.
type slow struct {
	fails, status int
	body          string
}

const slowness = 4 * time.Second

func (s *slow) Do(r *http.Request) (*http.Response, error) {
	_, err := io.Copy(io.Discard, r.Body)
	time.Sleep(slowness)
	answer := &http.Response{StatusCode: s.status, Request: r, Header: http.Header{
		"Content-Type": {"application/x-amz-json-1.1"}, "Date": {time.Now().UTC().Format(http.TimeFormat)},
	}}
	body := s.body
	if s.fails--; s.fails < 0 {
		answer.StatusCode, body = http.StatusOK, `{"images": [{"imageId": {"imageDigest": "sha256:a"}, "imageManifest": "{\"manifests\": []}"}], "failures": []}`
	}
	answer.Body = io.NopCloser(strings.NewReader(body))
	return answer, err
}

// An answer about another image is no answer.
func TestChildrenTakesOnlyWhatItAskedFor(t *testing.T) {
	t.Parallel()
	client, _ := connect(t, canned{"BatchGetImage": func(string) string {
		return `{"images": [{"imageManifest": "{\"manifests\": []}"}, {"imageId": {"imageDigest": "sha256:other"}, "imageManifest": "{\"manifests\": []}"}], "failures": []}`
	}})
	wantUnread(t, client, []string{"sha256:asked"}, plan.Failure{Digest: "sha256:asked", Code: plan.CodeNoAnswer})
}

func TestChildrenErrors(t *testing.T) {
	t.Parallel()
	registry, client, _ := start(t)
	_, err := client.Children(t.Context(), "gone", []string{digest(1)})
	awstest.ErrorIs(t, "a repository that is gone", err, plan.ErrRepositoryNotFound)
	registry.Fail("BatchGetImage", "app", "AccessDeniedException")
	_, err = client.Children(t.Context(), "app", []string{digest(1)})
	awstest.ErrorContains(t, err, "read manifests in app: ", "not authorized to perform: ecr:BatchGetImage")
	awstest.ErrorContains(t, err, "grant the action to the role")
}

// Reading counts as a pull unless the role is excluded.
func TestChildrenStampsThePull(t *testing.T) {
	t.Parallel()
	for _, excluded := range []bool{true, false} {
		registry, client, _ := start(t)
		registry.ExcludePulls(excluded)
		index := registry.Put("app", fakeecr.Image{PushedAt: now.Add(-time.Hour), Children: []string{digest(1)}})
		_, err := client.Children(t.Context(), "app", []string{index})
		awstest.NoError(t, err)
		if stamped := !registry.Images("app")[0].LastRecordedPullTime.IsZero(); stamped == excluded {
			t.Errorf("excluded %t: stamped %t", excluded, stamped)
		}
	}
}

func TestPullTimeExclusionsReadsAllPages(t *testing.T) {
	t.Parallel()
	pages := map[string]string{
		"":  `{"pullTimeUpdateExclusions": ["arn:1", "arn:2"], "nextToken": "t"}`,
		"t": `{"pullTimeUpdateExclusions": ["arn:3"]}`,
	}
	client, _ := connect(t, canned{"ListPullTimeUpdateExclusions": func(token string) string { return pages[token] }})
	got, err := client.PullTimeExclusions(t.Context())
	awstest.NoError(t, err)
	awstest.Equal(t, "PullTimeExclusions", []string{"arn:1", "arn:2", "arn:3"}, got)
	client, _ = connect(t, canned{"ListPullTimeUpdateExclusions": func(string) string { return fmt.Sprintf(`{"pullTimeUpdateExclusions": [], "nextToken": %q}`, "t") }})
	_, err = client.PullTimeExclusions(t.Context())
	awstest.ErrorContains(t, err, "list pull-time update exclusions: the listing is cut short")
	registry, client, _ := start(t)
	registry.Fail("", "", "AccessDeniedException")
	_, err = client.PullTimeExclusions(t.Context())
	awstest.ErrorContains(t, err, "list pull-time update exclusions: ", "grant the action to the role")
}

// manifest answers BatchGetImage for any image with this manifest.
type manifest struct {
	ecrapi.API
	text string
}

func (m manifest) BatchGetImage(_ context.Context, in *ecr.BatchGetImageInput, _ ...func(*ecr.Options)) (*ecr.BatchGetImageOutput, error) {
	return &ecr.BatchGetImageOutput{Images: []types.Image{{ImageId: &in.ImageIds[0], ImageManifest: &m.text}}}, nil
}

// FuzzManifest: a manifest that is read has a list of digests, which may be empty but not
// nil. Otherwise the image has a failure.
func FuzzManifest(f *testing.F) {
	f.Add(`{"manifests": []}`)
	f.Add(`{"schemaVersion": 2, "manifests": [{"digest": "sha256:a", "platform": {"os": "linux"}}, {"digest": ""}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ecrapi.New(manifest{text: text}).Children(t.Context(), "app", []string{"sha256:index"})
		awstest.NoError(t, err)
		digests, read := got.Children["sha256:index"]
		if read && (digests == nil || slices.Contains(digests, "")) || read == (len(got.Failed) == 1) {
			t.Errorf("%q lists %q, failed %v", text, digests, got.Failed)
		}
	})
}
