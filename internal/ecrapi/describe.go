package ecrapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi/imagepage"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

const (
	// maxPage is the size from which a page is taken for a mistake. A usual one
	// of 1,000 images has half a megabyte.
	maxPage = 32 << 20
	// maxKept is the size up to which a buffer waits for the next page.
	maxKept = 2 << 20
)

// describeImages calls DescribeImages. A pageStep reads the answer; where it has
// not been asked, as by an API that is not the SDK's client, the SDK's types are
// converted.
func (c Client) describeImages(ctx context.Context, in *ecr.DescribeImagesInput) (page[evaluator.Image], error) {
	var step pageStep
	out, err := c.api.DescribeImages(ctx, in, func(o *ecr.Options) { o.APIOptions = append(o.APIOptions, step.replace) })
	if err != nil {
		return page[evaluator.Image]{}, Classify(err)
	}
	if p := step.page; p != nil {
		return page[evaluator.Image]{items: p.Images, refused: p.Refused, next: p.NextToken}, nil
	}
	items, refused := converted(out.ImageDetails, image)
	return page[evaluator.Image]{items: items, refused: refused, next: aws.ToString(out.NextToken)}, nil
}

// A pageStep stands in the place of the SDK's step that reads answers. It reads
// the pages, and leaves all that is no page to the SDK's.
type pageStep struct {
	plain middleware.DeserializeMiddleware
	page  *imagepage.Page
}

func (s *pageStep) replace(stack *middleware.Stack) (err error) {
	s.plain, err = stack.Deserialize.Swap(s.ID(), s)
	return err
}

// ID returns the name of the SDK's step.
func (*pageStep) ID() string { return "OperationDeserializer" }

// HandleDeserialize makes the call and reads its answer.
func (s *pageStep) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	s.page = nil // that of an attempt before
	out, metadata, err := next.HandleDeserialize(ctx, in)
	response, ok := out.RawResponse.(*smithyhttp.Response)
	if err != nil || !ok || response.StatusCode != http.StatusOK {
		return s.plain.HandleDeserialize(ctx, in, answered{out, metadata, err})
	}
	p, err := readPage(response)
	_ = response.Body.Close() // it was only read
	if err != nil {
		return out, metadata, &smithy.DeserializationError{Err: err}
	}
	s.page, out.Result = &p, &ecr.DescribeImagesOutput{ImageDetails: []types.ImageDetail{}} // there was a list
	return out, metadata, nil
}

// answered is a call that has been made.
type answered struct {
	out      middleware.DeserializeOutput
	metadata middleware.Metadata
	err      error
}

func (a answered) HandleDeserialize(context.Context, middleware.DeserializeInput) (middleware.DeserializeOutput, middleware.Metadata, error) {
	return a.out, a.metadata, a.err
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
		return imagepage.Page{}, fmt.Errorf("the page has more than %d MiB", maxPage>>20)
	}
	p, err := imagepage.Decode(buffer.Bytes())
	if err == nil && p.Refused == nil && len(p.Images) == 0 {
		err = present("imageDetails", hasImageDetails(buffer.Bytes()))
	}
	return p, err
}

// hasImageDetails reports whether a list stands in a page, be it empty.
func hasImageDetails(text []byte) bool {
	var page struct {
		ImageDetails []json.RawMessage `json:"imageDetails"`
	}
	return json.Unmarshal(text, &page) == nil && page.ImageDetails != nil
}
