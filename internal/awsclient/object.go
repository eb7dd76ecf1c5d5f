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
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/encoding/httpbinding"
)

// GetObject reads the S3 object that location names as s3://bucket/key, or the
// first 16 MiB of a larger one. The caller closes it.
func GetObject(ctx context.Context, cfg aws.Config, location string, now time.Time) (io.ReadCloser, error) {
	body, err := callObject(ctx, call{cfg: cfg, operation: "GetObject", now: now, method: http.MethodGet}, location)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", location, err)
	}
	return io.NopCloser(bytes.NewReader(body)), nil
}

// PutObject writes the S3 object that location names as s3://bucket/key.
func PutObject(ctx context.Context, cfg aws.Config, location string, content []byte, now time.Time) error {
	if _, err := callObject(ctx, call{cfg: cfg, operation: "PutObject", now: now, method: http.MethodPut, body: content}, location); err != nil {
		return fmt.Errorf("put %s: %w", location, err)
	}
	return nil
}

// callObject completes the call for the object at the location, and makes it.
func callObject(ctx context.Context, c call, location string) ([]byte, error) {
	c.service = "s3"
	endpoint, err := c.endpoint(ctx)
	if err != nil {
		return nil, err
	}
	if c.address, err = objectAddress(location, endpoint, c.cfg.Region); err != nil {
		return nil, err
	}
	c.code = func(body []byte) string {
		if code := objectCode.FindSubmatch(body); code != nil {
			return string(code[1])
		}
		return ""
	}
	c.explain = func(r refusal, body []byte) error { return objectError(c.method, r.status, body) }
	return c.do(ctx)
}

// objectCode finds the error code in an answer of S3, which is XML.
var objectCode = regexp.MustCompile(`<Code>(\w+)</Code>`)

// objectAddress is at the bucket's host or, below an endpoint of one's own and
// for a bucket whose name no certificate covers, by path.
func objectAddress(location, endpoint, region string) (string, error) {
	rest, isS3 := strings.CutPrefix(location, "s3://")
	bucket, key, ok := strings.Cut(rest, "/")
	if !isS3 || !ok || bucket == "" || key == "" {
		return "", errors.New("is not like s3://bucket/key")
	}
	address := &url.URL{Scheme: "https", Host: bucket + ".s3." + domain(region), Path: "/" + key}
	switch {
	case endpoint != "":
		var err error
		if address, err = url.Parse(endpoint); err != nil {
			return "", err
		}
		address.Path = strings.TrimSuffix(address.Path, "/") + "/" + bucket + "/" + key
	case strings.Contains(bucket, "."):
		address.Host, address.Path = "s3."+domain(region), "/"+bucket+"/"+key
	}
	// S3 signs more characters of a key in escaped form than net/url escapes.
	address.RawPath = httpbinding.EscapePath(address.Path, false)
	return address.String(), nil
}

// objectError puts a status into words; the body may hold more, but may also
// come from anybody.
func objectError(method string, status int, body []byte) error {
	const (
		denied = "access denied; allow the action %s on it"
		unseen = " and check its name: without s3:ListBucket S3 tells no missing object from a hidden one"
	)
	switch {
	case status == http.StatusForbidden && bytes.Contains(body, []byte("kms:Decrypt")):
		return errors.New("access denied; allow the action kms:Decrypt on the key that encrypts it")
	case status == http.StatusForbidden && method == http.MethodPut:
		return fmt.Errorf(denied, "s3:PutObject")
	case status == http.StatusForbidden:
		return fmt.Errorf(denied+unseen, "s3:GetObject")
	case status == http.StatusNotFound:
		return errors.New("there is no such object or bucket, or no permission to see it; check the name")
	case status == http.StatusMovedPermanently:
		return errors.New("the bucket is in another Region; use one in this Region")
	}
	return fmt.Errorf("S3 answers %d %s", status, http.StatusText(status))
}
