package ecrapi

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
)

// manifestTypes are the media types that a manifest can have. Without all of
// them ECR may answer with one platform's manifest instead of the index.
var manifestTypes = []string{
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.v2+json",
}

// Children reads the manifests of at most 100 indexes, in one call. ECR counts that as
// a pull unless the caller's role is a pull-time exclusion.
func (c Client) Children(ctx context.Context, name string, indexes []string) (cleaner.Reading, error) {
	pulls := pullWatch{since: instant()}
	out, err := c.api.BatchGetImage(ctx, &ecr.BatchGetImageInput{
		RepositoryName: &name, ImageIds: identifiers(indexes), AcceptedMediaTypes: manifestTypes,
	}, pulls.watch)
	if err != nil {
		return cleaner.Reading{}, fmt.Errorf("read manifests in %s: %w", name, Classify(err))
	}
	manifests, failed := map[string]string{}, map[string]cleaner.Failure{}
	for _, im := range out.Images {
		manifests[digestOf(im.ImageId)] = aws.ToString(im.ImageManifest)
	}
	for _, f := range out.Failures {
		failed[digestOf(f.ImageId)] = failure(f)
	}
	reading := cleaner.Reading{Children: make(map[string][]string, len(indexes)), At: spanOf(out.ResultMetadata, instant().Sub(pulls.since))}
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
			reading.Failed = append(reading.Failed, cleaner.Failure{Digest: digest, Code: cleaner.CodeNoIndex})
		default:
			reading.Failed = append(reading.Failed, cleaner.Failure{Digest: digest, Code: cleaner.CodeNoAnswer})
		}
	}
	return reading, nil
}

func digestOf(id *types.ImageIdentifier) string {
	if id == nil {
		return ""
	}
	return aws.ToString(id.ImageDigest)
}

// A pullWatch notes when the first attempt at a call began that ECR may have recorded
// as a pull. An attempt that ECR refuses is no pull, and neither is the wait before
// one.
type pullWatch struct {
	since time.Time
	known bool
}

func (w *pullWatch) watch(o *ecr.Options) {
	step := middleware.FinalizeMiddlewareFunc("WatchPull", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		began := instant()
		out, metadata, err := next.HandleFinalize(ctx, in)
		if !w.known && (err == nil || awsclient.IsFault(err)) {
			w.since, w.known = began, true
		}
		return out, metadata, err
	})
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error { return stack.Finalize.Add(step, middleware.After) })
}

// spanOf returns when ECR may have recorded a call as a pull: from the first attempt
// that ECR may have carried out, which began that long ago, to the answer. It is zero
// when the answer does not tell ECR's time.
func spanOf(metadata middleware.Metadata, took time.Duration) cleaner.Span {
	answered, ok := awsmiddleware.GetServerTime(metadata)
	if !ok {
		return cleaner.Span{}
	}
	answered = answered.UTC().Truncate(time.Second) // the precision of the header Date
	return cleaner.Span{From: answered.Add(-took).Truncate(time.Second), To: answered}
}

// instant reads the clock to see how long a call took. No verdict depends on it.
func instant() time.Time { return time.Now() } //nolint:forbidigo // measures a wait, as a timer does

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
