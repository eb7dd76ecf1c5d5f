package imagepage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi/imagepage"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// sdk is an API whose answers the SDK reads. It gives one page.
type sdk struct {
	ecrapi.API
	next string
	err  error
}

func (s *sdk) DescribeImages(ctx context.Context, in *ecr.DescribeImagesInput, _ ...func(*ecr.Options)) (*ecr.DescribeImagesOutput, error) {
	out, err := s.API.DescribeImages(ctx, in)
	if s.err = err; err == nil {
		s.next = aws.ToString(out.NextToken)
		out.NextToken = nil
	}
	return out, err
}

// reference reads a page with the SDK. A panic of the SDK is an error.
func reference(t *testing.T, text string) (page imagepage.Page, err error) {
	t.Helper()
	cfg := awstest.Attempts(awstest.Offline(awstest.Answer(text)), 1)
	cfg.APIOptions = nil // the SDK as it is
	api := &sdk{API: ecr.NewFromConfig(cfg)}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the SDK panics: %v", r)
		}
	}()
	for images, refused := range ecrapi.New(api).Images(t.Context(), "app") {
		if page.Refused = errors.Unwrap(refused); refused == nil {
			page.Images = append(page.Images, images...)
		}
	}
	page.NextToken = api.next
	return page, api.err
}

// nearly compares times. The SDK cuts times to milliseconds and may lose one, so nearly
// accepts that difference.
var nearly = cmp.Comparer(func(a, b evaluator.Instant) bool {
	return a == b || a != 0 && b != 0 && max(a, b)-min(a, b) < evaluator.Instant(2*time.Millisecond)
})

// same checks that the decoder and the SDK read the page alike, errors included. The exceptions are
// times, which the SDK does not read exactly, and pages that only the decoder refuses, on purpose.
func same(t *testing.T, text string) {
	t.Helper()
	want, wantErr := reference(t, text)
	got, err := imagepage.Decode([]byte(text))
	switch {
	case err != nil && (wantErr != nil || !json.Valid([]byte(text)) || hasTimeInWords(text)):
		return
	case err != nil || wantErr != nil:
		t.Fatalf("%q: error %v, of the SDK %v", text, err, wantErr)
	}
	if got.Refused != nil && strings.HasSuffix(got.Refused.Error(), outOfTime) {
		// The SDK reads another time here. The images before that must be the same.
		got.Refused, want.Refused, want.Images = nil, nil, want.Images[:min(len(got.Images), len(want.Images))]
		want.NextToken = got.NextToken
	}
	if want.Refused != nil && strings.Contains(want.Refused.Error(), changed) {
		// The client, not the SDK, refuses this image. The images before it must be the same.
		got.Refused, want.Refused, got.Images = nil, nil, unique(got.Images)[:len(want.Images)]
	}
	awstest.Equal(t, fmt.Sprintf("%q: refusal of the SDK and ours", text), fmt.Sprint(want.Refused), fmt.Sprint(got.Refused))
	got.Refused, want.Refused = nil, nil
	got.Images = unique(got.Images)
	awstest.Equal(t, fmt.Sprintf("%q: page of the SDK and ours", text), want, got, nilIsEmpty, nearly)
}

// hasTimeInWords says whether a string of the text is one of the words that the
// SDK takes for a time.
func hasTimeInWords(text string) bool {
	tokens := json.NewDecoder(bytes.NewReader([]byte(text)))
	for {
		token, err := tokens.Token()
		if err != nil {
			return false
		}
		if word, ok := token.(string); ok && strings.EqualFold(strings.TrimPrefix(word, "-"), "Infinity") {
			return true
		}
	}
}
