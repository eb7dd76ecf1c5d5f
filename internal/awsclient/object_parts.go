package awsclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// partSize is the number of bytes of an object that one call gets. A part is in memory
// until it is read.
const partSize = 4 << 20

// OpenObject opens the S3 object at a location such as s3://bucket/key, and returns
// when it was last modified, or zero if S3 does not say. Reading gets the object part
// by part, each with one call that is retried like any other. Reading ends with an
// error if the object changes meanwhile, or is not as long as S3 says. The clock gives
// the time of each call's signature.
func OpenObject(ctx context.Context, cfg aws.Config, location string, clock func() time.Time) (io.ReadCloser, time.Time, error) {
	o := &object{ctx: ctx, cfg: cfg, location: location, clock: clock, size: -1}
	if err := o.fetch(); err != nil {
		return nil, time.Time{}, err
	}
	return io.NopCloser(o), o.modified, nil
}

// An object is an S3 object that is being read.
type object struct {
	ctx      context.Context //nolint:containedctx // Read takes no context
	cfg      aws.Config
	location string
	clock    func() time.Time

	tag      string // tells this version of the object from others
	modified time.Time
	at, size int64 // the offsets of the end of the part, and of the object
	part     bytes.Reader
}

// Read reads the object.
func (o *object) Read(p []byte) (int, error) {
	if o.part.Len() == 0 && o.at < o.size {
		if err := o.fetch(); err != nil {
			return 0, err
		}
	}
	return o.part.Read(p)
}

// fetch gets the next part.
func (o *object) fetch() error {
	c := call{cfg: o.cfg, operation: "GetObject", now: o.clock(), method: http.MethodGet, most: partSize}
	c.header = http.Header{"Range": {fmt.Sprintf("bytes=%d-%d", o.at, o.at+partSize-1)}}
	if o.tag != "" {
		c.header.Set("If-Match", o.tag)
	}
	c.read = o.take
	_, err := callObject(o.ctx, c, o.location)
	refused, _ := errors.AsType[refusal](err)
	switch {
	case refused.status == http.StatusRequestedRangeNotSatisfiable && o.at == 0:
		o.size = 0 // an empty object has no part
		return nil
	case refused.status == http.StatusPreconditionFailed:
		return fmt.Errorf("get %s: it was written again while it was read; run again", o.location)
	case err != nil:
		return fmt.Errorf("get %s: %w", o.location, err)
	}
	return nil
}

// take keeps the part that an answer to the call has.
func (o *object) take(answer *http.Response, body []byte) error {
	first, size := int64(0), int64(len(body)) // a server that ignores Range answers with the whole object
	if answer.StatusCode == http.StatusPartialContent {
		var err error
		if first, size, err = contentRange(answer.Header.Get("Content-Range")); err != nil {
			return err
		}
	}
	whole := min(partSize, size-o.at)
	if first != o.at || o.size >= 0 && size != o.size || int64(len(body)) != whole {
		return fmt.Errorf("the answer has %d bytes from %d on of %d; want %d from %d on", len(body), first, size, whole, o.at)
	}
	tag := answer.Header.Get("ETag")
	if whole < size && (tag == "" || o.at > 0 && tag != o.tag) {
		return fmt.Errorf("the answer has the ETag %q, so that its part may be of another version than the others", tag)
	}
	o.size, o.at = size, o.at+int64(len(body))
	o.part.Reset(body)
	if o.tag == "" {
		o.tag = tag
		o.modified, _ = http.ParseTime(answer.Header.Get("Last-Modified")) // zero if it is not known
	}
	return nil
}

// contentRange reads "bytes FIRST-LAST/SIZE".
func contentRange(text string) (first, size int64, err error) {
	between, total, ok := strings.Cut(strings.TrimPrefix(text, "bytes "), "/")
	begin, _, _ := strings.Cut(between, "-")
	first, err = strconv.ParseInt(begin, 10, 64)
	if err == nil && ok {
		size, err = strconv.ParseInt(total, 10, 64)
	}
	if err != nil || !ok {
		return 0, 0, fmt.Errorf("the answer has the range %.80q", text)
	}
	return first, size, nil
}
