package awsclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/encoding/httpbinding"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// GetObject reads the first 16 MiB of the S3 object at a location such as s3://bucket/key.
func GetObject(ctx context.Context, cfg aws.Config, location string, now time.Time) (content []byte, err error) {
	c := call{cfg: cfg, operation: "GetObject", now: now, method: http.MethodGet}
	c.read = func(_ *http.Response, body []byte) error {
		content = body
		return nil
	}
	err = callObject(ctx, c, location)
	return content, err
}

// PutObject writes the S3 object at a location such as s3://bucket/key.
func PutObject(ctx context.Context, cfg aws.Config, location string, content []byte, now time.Time) error {
	c := call{cfg: cfg, operation: "PutObject", now: now, method: http.MethodPut, body: content}
	c.read = func(*http.Response, []byte) error { return nil }
	return callObject(ctx, c, location)
}

// CreateObject is [PutObject] for a location without an object. If there is one, or if another
// request writes one now, the error is one of [IsExists].
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
func CreateObject(ctx context.Context, cfg aws.Config, location string, content []byte, now time.Time) error {
	c := call{cfg: cfg, operation: "PutObject", now: now, method: http.MethodPut, body: content}
	c.header = http.Header{"If-None-Match": {"*"}}
	c.read = func(*http.Response, []byte) error { return nil }
	return callObject(ctx, c, location)
}

// IsExists reports whether [CreateObject] wrote nothing because there is an object, or will be.
func IsExists(err error) bool {
	refused, _ := errors.AsType[refusal](err)
	return refused.status == http.StatusPreconditionFailed ||
		refused.status == http.StatusConflict && refused.code == "ConditionalRequestConflict"
}

func callObject(ctx context.Context, c call, location string) error {
	bucket, key, err := splitLocation(location)
	if err == nil && key == "" {
		err = errLocation
	}
	if err == nil {
		err = c.doS3(ctx, bucket, key, "", objectError)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", strings.ToLower(c.method), location, err)
	}
	return nil
}

// doS3 calls S3 for the key, or for the bucket if the key is empty. The query is empty or
// begins with a ?. Explain says what to do about an answer without success.
func (c call) doS3(ctx context.Context, bucket, key, query string, explain func(method string, status int, body []byte) error) error {
	c.service = "s3"
	c.explain = func(answer *http.Response, body []byte) (code string, err error) {
		if found := objectCode.FindSubmatch(body); found != nil {
			code = string(found[1])
		}
		return code, explain(c.method, answer.StatusCode, body)
	}
	endpoint, err := c.endpoint(ctx)
	if err != nil {
		return err
	}
	if c.address, err = objectAddress(bucket, key, endpoint, c.cfg.Region); err != nil {
		return err
	}
	c.address += query
	return c.do(ctx)
}

var objectCode = regexp.MustCompile(`<Code>(\w+)</Code>`)

var errLocation = errors.New("the location must be like s3://bucket/key")

func splitLocation(location string) (bucket, key string, err error) {
	rest, isS3 := strings.CutPrefix(location, "s3://")
	bucket, key, ok := strings.Cut(rest, "/")
	if !isS3 || !ok || bucket == "" {
		return "", "", errLocation
	}
	return bucket, key, nil
}

// objectAddress returns the URL of an object. It names the bucket in the path, not in
// the host, below a configured endpoint, and if the certificate does not cover the name.
func objectAddress(bucket, key, endpoint, region string) (string, error) {
	address := &url.URL{Scheme: "https", Host: bucket + ".s3." + reference.Domain(region), Path: "/" + key}
	switch {
	case endpoint != "":
		var err error
		if address, err = url.Parse(endpoint); err != nil {
			return "", err
		}
		address.Path = strings.TrimSuffix(address.Path, "/") + "/" + bucket + "/" + key
	case strings.Contains(bucket, "."):
		address.Host, address.Path = "s3."+reference.Domain(region), "/"+bucket+"/"+key
	}
	// S3 signs more characters of a key in escaped form than net/url escapes.
	address.RawPath = httpbinding.EscapePath(address.Path, false)
	return address.String(), nil
}

// objectError does not quote the body, which may come from a proxy.
func objectError(method string, status int, body []byte) error {
	switch {
	case status == http.StatusForbidden && bytes.Contains(body, []byte("kms:Decrypt")):
		return errors.New("access denied; allow the action kms:Decrypt on the key that encrypts it")
	case status == http.StatusForbidden && method == http.MethodPut:
		return errors.New("access denied; allow the action s3:PutObject on it")
	case status == http.StatusForbidden:
		return errors.New("access denied; allow the action s3:GetObject on it and check its name: " +
			"without s3:ListBucket, S3 also denies access to a missing object")
	case status == http.StatusNotFound:
		return errors.New("there is no such object or bucket, or no permission to see it; check the name")
	case status == http.StatusPreconditionFailed && method == http.MethodPut:
		return errors.New("there is such an object already")
	case status == http.StatusPreconditionFailed:
		return errors.New("the object changed while it was read; run again")
	case status == http.StatusMovedPermanently:
		return errors.New("the bucket is in another Region; use one in this Region")
	}
	return fmt.Errorf("S3 answered %d %s; check the location and the endpoint", status, http.StatusText(status))
}

// IsNoSuchKey reports whether the bucket has no object with the key. A missing bucket, and a
// denied call, are other errors.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func IsNoSuchKey(err error) bool {
	refused, _ := errors.AsType[refusal](err)
	return refused.status == http.StatusNotFound && refused.code == "NoSuchKey"
}

const partSize = 4 << 20 // bytes that one call gets; one part is in memory

// OpenObject opens the S3 object at a location such as s3://bucket/key, and returns its
// modification time, or zero if that is unknown. Read gets the next part when it needs it,
// and fails if the object changes meanwhile, or has another size than S3 says.
func OpenObject(ctx context.Context, cfg aws.Config, location string, clock func() time.Time) (io.ReadCloser, time.Time, error) {
	o := &object{ctx: ctx, cfg: cfg, location: location, clock: clock, size: -1}
	if err := o.fetch(); err != nil {
		return nil, time.Time{}, err
	}
	return io.NopCloser(o), o.modified, nil
}

type object struct {
	ctx      context.Context //nolint:containedctx // Read takes no context
	cfg      aws.Config
	location string
	clock    func() time.Time

	tag      string // the ETag of this version of the object
	modified time.Time
	at, size int64 // the offsets of the end of the part, and of the object
	part     bytes.Reader
}

func (o *object) Read(p []byte) (int, error) {
	if o.part.Len() == 0 && o.at < o.size {
		if err := o.fetch(); err != nil {
			return 0, err
		}
	}
	return o.part.Read(p)
}

func (o *object) fetch() error {
	c := call{cfg: o.cfg, operation: "GetObject", now: o.clock(), method: http.MethodGet, read: o.take, most: partSize}
	c.header = http.Header{"Range": {fmt.Sprintf("bytes=%d-%d", o.at, o.at+partSize-1)}}
	if o.tag != "" {
		c.header.Set("If-Match", o.tag)
	}
	err := callObject(o.ctx, c, o.location)
	if refused, _ := errors.AsType[refusal](err); refused.status == http.StatusRequestedRangeNotSatisfiable && o.at == 0 {
		o.size = 0 // an empty object has no part
		return nil
	}
	return err
}

func (o *object) take(answer *http.Response, body []byte) error {
	first, size := int64(0), int64(len(body)) // a server that ignores Range answers with the whole object
	if answer.StatusCode == http.StatusPartialContent {
		text := answer.Header.Get("Content-Range")
		span, total, _ := strings.Cut(strings.TrimPrefix(text, "bytes "), "/")
		from, _, _ := strings.Cut(span, "-")
		var errs [2]error
		first, errs[0] = strconv.ParseInt(from, 10, 64)
		size, errs[1] = strconv.ParseInt(total, 10, 64)
		if errors.Join(errs[:]...) != nil {
			return fmt.Errorf("the answer has the Content-Range %.80q; check the endpoint", text)
		}
	}
	whole := min(partSize, size-o.at)
	if first != o.at || o.size >= 0 && size != o.size || int64(len(body)) != whole {
		return fmt.Errorf("the answer has %d bytes from %d on of %d; want %d from %d on; run again", len(body), first, size, whole, o.at)
	}
	tag := answer.Header.Get("ETag")
	if whole < size && (tag == "" || o.at > 0 && tag != o.tag) {
		return fmt.Errorf("the answer has the ETag %q: the object may have changed while it was read; run again", tag)
	}
	o.size, o.at = size, o.at+int64(len(body))
	o.part.Reset(body)
	if o.tag == "" {
		o.tag = tag
		o.modified, _ = http.ParseTime(answer.Header.Get("Last-Modified")) // zero if it is not known
	}
	return nil
}
