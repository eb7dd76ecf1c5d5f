//go:build integration

package integration_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// A registry is the registry of one Region of a server. Each scenario has its own.
type registry struct {
	*moto
	region string
	client *ecr.Client
	// now is the time from which the ages of images count.
	now time.Time
	// keys are the environment variables of the programs' credentials in another account.
	keys []string
}

func (m *moto) registry(region string) *registry {
	return &registry{moto: m, region: region, now: time.Now(), client: ecr.NewFromConfig(m.config(region))}
}

// config returns the configuration of the test's own clients, with the SDK's retries.
func (m *moto) config(region string) aws.Config {
	cfg := awsclient.Local(m.url, region)
	cfg.Retryer, cfg.APIOptions = nil, nil
	return cfg
}

// create adds a repository, with the lifecycle policy unless that is "".
func (r *registry) create(t *testing.T, name, policy string) {
	t.Helper()
	_, err := r.client.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: &name})
	awstest.NoError(t, err)
	if policy == "" {
		return
	}
	_, err = r.client.PutLifecyclePolicy(t.Context(), &ecr.PutLifecyclePolicyInput{
		RepositoryName: &name, LifecyclePolicyText: &policy,
	})
	awstest.NoError(t, err)
}

// An image is an image to push.
type image struct {
	name     string // tells it from others; two words make no other image
	tags     []string
	days     float64
	pulled   float64 // 0 is never
	children []string
}

const (
	imageType  = "application/vnd.oci.image.manifest.v1+json"
	indexType  = "application/vnd.oci.image.index.v1+json"
	configType = "application/vnd.oci.image.config.v1+json"
)

// manifest returns the manifest of the image and its digest.
func (r *registry) manifest(repository string, im image) (text, digest string) {
	annotations := map[string]string{"x.name": repository + "/" + im.name, "x.pushedAt": r.ago(im.days)}
	if im.pulled > 0 {
		annotations["x.pulledAt"] = r.ago(im.pulled)
	}
	type descriptor map[string]any
	m := map[string]any{"schemaVersion": 2, "mediaType": imageType, "annotations": annotations}
	if im.children == nil {
		m["config"] = descriptor{"mediaType": configType, "size": 1, "digest": digestOf(repository + im.name)}
		m["layers"] = []descriptor{{"mediaType": imageType, "size": 1_000_000, "digest": digestOf(im.name)}}
	} else {
		m["mediaType"] = indexType
		manifests := []descriptor{}
		for _, child := range im.children {
			manifests = append(manifests, descriptor{"mediaType": imageType, "size": 500, "digest": child})
		}
		m["manifests"] = manifests
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // maps of strings
	}
	return string(b), digestOf(string(b))
}

func (r *registry) ago(days float64) string {
	return strconv.FormatInt(r.now.Add(-time.Duration(days*24*float64(time.Hour))).Unix(), 10)
}

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// push pushes an image and returns its digest.
func (r *registry) push(t *testing.T, repository string, im image) string {
	t.Helper()
	text, digest := r.manifest(repository, im)
	tags := []*string{nil}
	if len(im.tags) > 0 {
		tags = aws.StringSlice(im.tags)
	}
	for _, tag := range tags {
		_, err := r.client.PutImage(t.Context(), &ecr.PutImageInput{
			RepositoryName: &repository, ImageManifest: &text, ImageDigest: &digest, ImageTag: tag,
		})
		awstest.NoError(t, err)
	}
	return digest
}

// inject stores many images at once. The server supports that in us-east-1 only.
func (r *registry) inject(t *testing.T, repository string, images []image) {
	t.Helper()
	type record struct {
		Repo     string   `json:"repo"`
		Manifest string   `json:"manifest"`
		Digest   string   `json:"digest"`
		Tags     []string `json:"tags"`
	}
	records := make([]record, len(images))
	for i, im := range images {
		text, digest := r.manifest(repository, im)
		records[i] = record{repository, text, digest, im.tags}
	}
	r.control(t, "/__inject", records)
}

// injectMany stores that many images in each of that many repositories and returns their
// names. v0 is the newest image.
func (r *registry) injectMany(t *testing.T, repositories, images int) []string {
	t.Helper()
	all := make([]image, images)
	for i := range all {
		tag := fmt.Sprint("v", i)
		all[i] = image{name: tag, tags: []string{tag}, days: float64(10 + i)}
	}
	names := make([]string, repositories)
	for i := range names {
		names[i] = fmt.Sprintf("team/app-%02d", i)
		r.inject(t, names[i], all)
	}
	return names
}

// left returns the images of a repository as their sorted tags, or "-" for an untagged
// image, in order.
func (r *registry) left(t *testing.T, repository string) []string {
	t.Helper()
	images := []string{}
	pages := ecr.NewDescribeImagesPaginator(r.client, &ecr.DescribeImagesInput{
		RepositoryName: &repository, MaxResults: aws.Int32(1000),
		Filter: &types.DescribeImagesFilter{ImageStatus: types.ImageStatusFilterAny},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		awstest.NoError(t, err)
		for _, im := range page.ImageDetails {
			slices.Sort(im.ImageTags)
			name := strings.Join(im.ImageTags, ",")
			if name == "" {
				name = "-"
			}
			images = append(images, name)
		}
	}
	slices.Sort(images)
	return images
}

// wantLeft checks the remaining images of a repository.
func (r *registry) wantLeft(t *testing.T, repository string, want ...string) {
	t.Helper()
	if got := r.left(t, repository); !slices.Equal(got, want) {
		t.Errorf("%s has images %v, want %v", repository, got, want)
	}
}

// keepNewest returns a lifecycle policy that keeps that many images.
func keepNewest(n int) string {
	return fmt.Sprintf(`{"rules": [{"rulePriority": 1, "description": "keep the newest images", "selection": {"tagStatus": "any",
 "countType": "imageCountMoreThan", "countNumber": %d}, "action": {"type": "expire"}}]}`, n)
}

// olderThan returns a lifecycle policy that expires images older than that many days.
func olderThan(tagStatus string, days int) string {
	return fmt.Sprintf(`{"rules": [{"rulePriority": 1, "description": "expire by age", "selection": {"tagStatus": %q,
 "countType": "sinceImagePushed", "countUnit": "days", "countNumber": %d}, "action": {"type": "expire"}}]}`, tagStatus, days)
}
