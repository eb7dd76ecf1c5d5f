package ecrapi

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"iter"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi/imagepage"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

const (
	maxPage = 32 << 20 // bytes; a usual page of 1,000 images has half a megabyte
	maxKept = 2 << 20  // the capacity in bytes up to which a buffer is reused
)

// Images implements [plan.Registry].
func (c Client) Images(ctx context.Context, name string) iter.Seq2[[]evaluator.Image, error] {
	return unique("describe images in "+name, func(im *evaluator.Image) string { return im.Digest }, contentOf,
		func(token *string) (page[evaluator.Image], error) {
			return c.describeImages(ctx, &ecr.DescribeImagesInput{
				RepositoryName: &name, MaxResults: aws.Int32(maxResults), NextToken: token,
				// without the filter ECR lists ACTIVE images only
				Filter: &types.DescribeImagesFilter{ImageStatus: types.ImageStatusFilterAny},
			})
		})
}

// Describe returns those of at most 100 different digests that still exist.
func (c Client) Describe(ctx context.Context, name string, digests []string) ([]evaluator.Image, error) {
	return c.describe(withoutPace(ctx), name, identifiers(digests))
}

// maxHalved is the number of images for which LastActivity searches the missing ones.
const maxHalved = 20

// LastActivity returns when each image was last pushed, restored or pulled. The references
// are to images of the repository. An image that does not exist has no entry.
func (c Client) LastActivity(ctx context.Context, name string, images []reference.Reference) (map[reference.Reference]time.Time, error) {
	last := map[reference.Reference]time.Time{}
	asked, at := map[string]bool{}, map[string]time.Time{} // by digest or tag
	ids := make([]types.ImageIdentifier, len(images))
	for i := range images {
		ids[i].ImageTag = &images[i].Tag
		if images[i].Digest != "" {
			ids[i] = types.ImageIdentifier{ImageDigest: &images[i].Digest}
		}
		asked[cmp.Or(images[i].Digest, images[i].Tag)] = true
	}
	for found, err := range c.named(ctx, name, ids) {
		switch {
		case errors.Is(err, plan.ErrRepositoryNotFound):
			return last, nil
		case err != nil:
			return nil, err
		}
		for i := range found {
			im := &found[i]
			for _, name := range slices.Concat(im.Tags, []string{im.Digest}) {
				if asked[name] {
					at[name] = max(im.PushedAt, im.LastActivatedAt, im.LastRecordedPullTime).Time()
				}
			}
		}
	}
	for _, image := range images {
		if time, found := at[cmp.Or(image.Digest, image.Tag)]; found {
			last[image] = time
		}
	}
	return last, nil
}

// named returns the images with these names, and perhaps others. It costs about two calls
// to find out that one image is missing, so with many names it then lists the repository.
func (c Client) named(ctx context.Context, name string, ids []types.ImageIdentifier) iter.Seq2[[]evaluator.Image, error] {
	describe := c.describe
	if len(ids) > maxHalved {
		describe = c.describeAll
	}
	return func(yield func([]evaluator.Image, error) bool) {
		for some := range slices.Chunk(ids, plan.MaxBatch) {
			found, err := describe(ctx, name, some)
			if errors.Is(err, errImageNotFound) {
				c.Images(ctx, name)(yield)
				return
			}
			if !yield(found, err) {
				return
			}
		}
	}
}

func isNamed(im *evaluator.Image, id types.ImageIdentifier) bool {
	return id.ImageDigest != nil && im.Digest == *id.ImageDigest || id.ImageTag != nil && slices.Contains(im.Tags, *id.ImageTag)
}

// describe returns those of at most 100 different images that exist. If one is missing, it
// calls again with each half.
func (c Client) describe(ctx context.Context, name string, ids []types.ImageIdentifier) ([]evaluator.Image, error) {
	found, err := c.describeAll(ctx, name, ids)
	switch {
	case !errors.Is(err, errImageNotFound):
		return found, err
	case len(ids) == 1:
		return nil, nil
	}
	half := len(ids) / 2
	first, firstErr := c.describe(ctx, name, ids[:half])
	second, secondErr := c.describe(ctx, name, ids[half:])
	return append(first, second...), errors.Join(firstErr, secondErr)
}

// describeAll returns at most 100 different images. ECR refuses the whole call, with
// errImageNotFound, if one is missing.
func (c Client) describeAll(ctx context.Context, name string, ids []types.ImageIdentifier) ([]evaluator.Image, error) {
	p, err := c.describeImages(ctx, &ecr.DescribeImagesInput{RepositoryName: &name, ImageIds: ids})
	if err != nil {
		return nil, fmt.Errorf("describe images in %s: %w", name, err)
	}
	found := len(ids)
	for _, id := range ids { // an answer that repeats one image may lack another
		if !slices.ContainsFunc(p.items, func(im evaluator.Image) bool { return isNamed(&im, id) }) {
			found--
		}
	}
	if found < len(ids) {
		return nil, fmt.Errorf("describe images in %s: the answer has %d of %d images; run again", name, found, len(ids))
	}
	return p.items, nil
}

// describeImages returns the images before the first refused one, and its error. Only the
// SDK's client has a pageStep; the answer of another API is converted from the SDK's types.
func (c Client) describeImages(ctx context.Context, in *ecr.DescribeImagesInput) (page[evaluator.Image], error) {
	var step pageStep
	out, err := c.api.DescribeImages(ctx, in, func(o *ecr.Options) { o.APIOptions = append(o.APIOptions, step.replace) })
	if err != nil {
		return page[evaluator.Image]{}, Classify(err)
	}
	if p := step.page; p != nil {
		return page[evaluator.Image]{p.Images, p.NextToken}, p.Refused
	}
	items, err := converted(out.ImageDetails, image)
	return page[evaluator.Image]{items, aws.ToString(out.NextToken)}, err
}

func image(d types.ImageDetail) (evaluator.Image, error) {
	im := evaluator.Image{
		Digest:               aws.ToString(d.ImageDigest),
		Tags:                 d.ImageTags,
		Status:               cmp.Or(evaluator.ImageStatus(d.ImageStatus), evaluator.Active), // emulators send none
		PushedAt:             evaluator.At(aws.ToTime(d.ImagePushedAt)),
		LastRecordedPullTime: evaluator.At(aws.ToTime(d.LastRecordedPullTime)),
		LastArchivedAt:       evaluator.At(aws.ToTime(d.LastArchivedAt)),
		LastActivatedAt:      evaluator.At(aws.ToTime(d.LastActivatedAt)),
		SizeInBytes:          aws.ToInt64(d.ImageSizeInBytes),
		ManifestMediaType:    aws.ToString(d.ImageManifestMediaType),
		SubjectDigest:        aws.ToString(d.SubjectManifestDigest),
	}
	return im, imagepage.Check(&im)
}

var contentSeed = maphash.MakeSeed()

// contentOf hashes the status, the tags in any order, and the times except the last pull.
func contentOf(im *evaluator.Image) uint64 {
	sum := maphash.Comparable(contentSeed, struct {
		status                      evaluator.ImageStatus
		pushed, archived, activated evaluator.Instant
	}{im.Status, im.PushedAt, im.LastArchivedAt, im.LastActivatedAt})
	for _, tag := range im.Tags {
		sum += maphash.String(contentSeed, tag)
	}
	return sum
}

// A pageStep replaces the step of the SDK that reads an answer. It reads pages itself.
type pageStep struct {
	sdk  middleware.DeserializeMiddleware
	page *imagepage.Page
}

func (s *pageStep) replace(stack *middleware.Stack) (err error) {
	s.sdk, err = stack.Deserialize.Swap(s.ID(), s)
	return err
}

func (*pageStep) ID() string { return "OperationDeserializer" }

func (s *pageStep) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	s.page = nil // of an earlier attempt
	out, metadata, err := next.HandleDeserialize(ctx, in)
	response, ok := out.RawResponse.(*smithyhttp.Response)
	if err != nil || !ok || response.StatusCode != http.StatusOK {
		again := func(context.Context, middleware.DeserializeInput) (middleware.DeserializeOutput, middleware.Metadata, error) {
			return out, metadata, err
		}
		return s.sdk.HandleDeserialize(ctx, in, middleware.DeserializeHandlerFunc(again))
	}
	p, err := readPage(response)
	_ = response.Body.Close() // it was only read
	if err != nil {
		return out, metadata, &smithy.DeserializationError{Err: err}
	}
	s.page, out.Result = &p, &ecr.DescribeImagesOutput{ImageDetails: []types.ImageDetail{}} // not nil: the answer has a list
	return out, metadata, nil
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func readPage(response *smithyhttp.Response) (imagepage.Page, error) {
	buffer := buffers.Get().(*bytes.Buffer)
	defer func() {
		if buffer.Cap() <= maxKept {
			buffers.Put(buffer)
		}
	}()
	buffer.Reset()
	buffer.Grow(int(min(max(response.ContentLength, 0), maxPage)) + bytes.MinRead)
	n, err := buffer.ReadFrom(io.LimitReader(response.Body, maxPage+1))
	switch {
	case err != nil:
		return imagepage.Page{}, err
	case n > maxPage:
		return imagepage.Page{}, fmt.Errorf("the page has more than %d MiB%s", maxPage>>20, checkEndpoint)
	}
	p, err := imagepage.Decode(buffer.Bytes())
	if err != nil {
		return p, fmt.Errorf("%w%s", err, checkEndpoint)
	}
	return p, present("imageDetails", p.Images != nil)
}
