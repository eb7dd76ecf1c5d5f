package ecrapi

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/smithy-go/middleware"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// manifestTypes are the media types of manifests. If one is missing from a call, ECR may
// return the manifest of one platform instead of the index.
var manifestTypes = []string{
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.v2+json",
}

// Children reads the manifests of at most 100 indexes in one call. ECR records that call
// as a pull, unless the caller's role is a pull-time exclusion.
func (c Client) Children(ctx context.Context, name string, indexes []string) (plan.Reading, error) {
	since := now()
	out, err := c.api.BatchGetImage(ctx, &ecr.BatchGetImageInput{
		RepositoryName: &name, ImageIds: identifiers(indexes), AcceptedMediaTypes: manifestTypes,
	}, pullsBegin(&since))
	if err != nil {
		return plan.Reading{}, fmt.Errorf("read manifests in %s: %w", name, Classify(err))
	}
	manifests, failed := map[string]string{}, map[string]plan.Failure{}
	for _, im := range out.Images {
		manifests[digestOf(im.ImageId)] = aws.ToString(im.ImageManifest)
	}
	for _, f := range out.Failures {
		failed[digestOf(f.ImageId)] = failure(f)
	}
	reading := plan.Reading{Children: map[string][]string{}, At: spanOf(out.ResultMetadata, now().Sub(since))}
	for _, digest := range indexes {
		manifest := manifests[digest]
		f, refused := failed[digest]
		children, isIndex := listed(manifest)
		switch {
		case isIndex:
			reading.Children[digest] = children
		case refused:
			reading.Failed = append(reading.Failed, f)
		case manifest != "":
			reading.Failed = append(reading.Failed, plan.Failure{Digest: digest, Code: plan.CodeNoIndex})
		default:
			reading.Failed = append(reading.Failed, plan.Failure{Digest: digest, Code: plan.CodeNoAnswer})
		}
	}
	return reading, nil
}

// pullsBegin is an option of a call. It sets since to the start of the first attempt that
// ECR may have recorded as a pull. ECR records no pull for an attempt that it refuses.
func pullsBegin(since *time.Time) func(*ecr.Options) {
	known := false
	return beforeSending("WatchPull", func(_ context.Context, send func() error) error {
		began := now()
		err := send()
		if !known && (err == nil || awsclient.IsFault(err)) {
			*since, known = began, true
		}
		return err
	})
}

// spanOf returns the time in which ECR may have recorded a pull, by ECR's clock. The
// span ends with the answer and took that long. It is zero if the answer has no Date.
func spanOf(metadata middleware.Metadata, took time.Duration) plan.Span {
	answered, ok := awsmiddleware.GetServerTime(metadata)
	if !ok {
		return plan.Span{}
	}
	answered = answered.UTC().Truncate(time.Second) // the precision of the header Date
	return plan.Span{From: answered.Add(-took).Truncate(time.Second), To: answered}
}

// listed returns false if the manifest is not an index, or has an entry without digest.
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
