package ecrapi_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
)

func TestChildrenReadsIndexes(t *testing.T) {
	t.Parallel()
	registry, client, calls := start(t)
	child := registry.Put("app", fakeecr.Image{})
	oci := registry.Put("app", fakeecr.Image{Children: []string{child, digest(7)}, Tags: []string{"a", "b"}})
	docker := registry.Put("app", fakeecr.Image{Children: []string{child}, ManifestMediaType: "application/vnd.docker.distribution.manifest.list.v2+json"})
	outer := registry.Put("app", fakeecr.Image{Children: []string{oci}})
	got := map[string][]string{"sha256:before": nil}
	if err := client.Children(t.Context(), "app", []string{oci, docker, outer}, got); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"sha256:before": nil, oci: {child, digest(7)}, docker: {child}, outer: {oci}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Children mismatch (-want +got):\n%s", diff)
	}
	if n := calls.Snapshot()["BatchGetImage"]; n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

// What cannot be read is missing, so that nobody takes it for childless.
func TestChildrenLeavesOutWhatItCannotRead(t *testing.T) {
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
		got := map[string][]string{}
		if err := client.Children(t.Context(), "app", []string{index}, got); err != nil || len(got) > 0 {
			t.Errorf("%s: children %v, %v; want none", name, got, err)
		}
	}
	archived := registry.Put("app", fakeecr.Image{Status: "ARCHIVED", Children: []string{digest(1)}})
	got := map[string][]string{}
	if err := client.Children(t.Context(), "app", []string{archived, digest(99)}, got); err != nil || len(got) > 0 {
		t.Errorf("children of what cannot be pulled: %v, %v; want none", got, err)
	}
	empty := registry.Put("app", fakeecr.Image{Manifest: `{"manifests": []}`, ManifestMediaType: "application/vnd.oci.image.index.v1+json"})
	if err := client.Children(t.Context(), "app", []string{empty}, got); err != nil || !cmp.Equal(got, map[string][]string{empty: {}}) {
		t.Errorf("children of an empty index: %v, %v", got, err)
	}
}

// An answer about something else is no answer.
func TestChildrenTakesOnlyWhatItAskedFor(t *testing.T) {
	t.Parallel()
	client, _ := connect(t, canned{"BatchGetImage": func(string) string {
		return `{"images": [{"imageManifest": "{\"manifests\": []}"}, {"imageId": {"imageDigest": "sha256:other"}, "imageManifest": "{\"manifests\": []}"}], "failures": []}`
	}})
	got := map[string][]string{}
	if err := client.Children(t.Context(), "app", []string{"sha256:asked"}, got); err != nil || len(got) > 0 {
		t.Errorf("Children = %v, %v; want none", got, err)
	}
}

func TestChildrenErrors(t *testing.T) {
	t.Parallel()
	registry, client, _ := start(t)
	err := client.Children(t.Context(), "gone", []string{digest(1)}, map[string][]string{})
	if !errors.Is(err, cleaner.ErrRepositoryNotFound) {
		t.Errorf("in a repository that is gone: %v, want ErrRepositoryNotFound", err)
	}
	registry.Fail("BatchGetImage", "app", "AccessDeniedException")
	err = client.Children(t.Context(), "app", []string{digest(1)}, map[string][]string{})
	wantError(t, err, "read manifests in app: ")
	wantError(t, err, "not authorized to perform: ecr:BatchGetImage")
	wantError(t, err, "grant the action to the role")
}

// Reading counts as a pull unless the role is excluded.
func TestChildrenStampsThePull(t *testing.T) {
	t.Parallel()
	for _, excluded := range []bool{true, false} {
		registry, client, _ := start(t)
		registry.ExcludePulls(excluded)
		index := registry.Put("app", fakeecr.Image{PushedAt: now.Add(-time.Hour), Children: []string{digest(1)}})
		if err := client.Children(t.Context(), "app", []string{index}, map[string][]string{}); err != nil {
			t.Fatal(err)
		}
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
	if diff := cmp.Diff([]string{"arn:1", "arn:2", "arn:3"}, got); err != nil || diff != "" {
		t.Errorf("PullTimeExclusions mismatch (-want +got), error %v:\n%s", err, diff)
	}
	client, _ = connect(t, canned{"ListPullTimeUpdateExclusions": func(string) string { return fmt.Sprintf(`{"nextToken": %q}`, "t") }})
	_, err = client.PullTimeExclusions(t.Context())
	wantError(t, err, "list pull-time update exclusions: the listing is cut short")
	registry, client, _ := start(t)
	registry.Fail("", "", "AccessDeniedException")
	_, err = client.PullTimeExclusions(t.Context())
	wantError(t, err, "list pull-time update exclusions: ")
	wantError(t, err, "grant the action to the role")
}
