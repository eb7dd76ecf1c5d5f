package ecrapi

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
)

// manifestTypes are the media types that a manifest can have. Without all of
// them ECR may answer with one platform's manifest instead of the index.
var manifestTypes = []string{
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.v2+json",
}

// Children reads the manifests of at most 100 indexes, in one call, and adds to
// children what each lists. It adds nothing for an index that cannot be read.
// Unless the caller's role is a pull-time exclusion, ECR takes this for a pull.
func (c Client) Children(ctx context.Context, name string, indexes []string, children map[string][]string) error {
	out, err := c.api.BatchGetImage(ctx, &ecr.BatchGetImageInput{
		RepositoryName: &name, ImageIds: identifiers(indexes), AcceptedMediaTypes: manifestTypes,
	})
	if err != nil {
		return fmt.Errorf("read manifests in %s: %w", name, Classify(err))
	}
	asked := make(map[string]bool, len(indexes))
	for _, digest := range indexes {
		asked[digest] = true
	}
	for _, im := range out.Images {
		if im.ImageId == nil || !asked[aws.ToString(im.ImageId.ImageDigest)] {
			continue
		}
		if digests, ok := listed(aws.ToString(im.ImageManifest)); ok {
			children[*im.ImageId.ImageDigest] = digests
		}
	}
	return nil
}

// listed returns the digests that an index lists. It returns false for a text
// that is no index, or one whose entries are not all digests.
func listed(manifest string) ([]string, bool) {
	var index struct {
		Manifests *[]struct {
			Digest string `json:"digest"`
		} `json:"manifests"`
	}
	if err := json.Unmarshal([]byte(manifest), &index); err != nil || index.Manifests == nil {
		return nil, false
	}
	digests := make([]string, len(*index.Manifests))
	for i, m := range *index.Manifests {
		if m.Digest == "" {
			return nil, false
		}
		digests[i] = m.Digest
	}
	return digests, true
}
