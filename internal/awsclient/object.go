package awsclient

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/encoding/httpbinding"
)

// GetObject opens the S3 object that location names as s3://bucket/key. The
// caller closes it.
//
// The calls to S3 are signed here, one by one: the SDK's client for it would
// cost the function more start-up time than all others together.
func GetObject(ctx context.Context, cfg aws.Config, location string, now time.Time) (io.ReadCloser, error) {
	body, err := object{cfg, location, now}.call(ctx, http.MethodGet, nil)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", location, err)
	}
	return body, nil
}

// PutObject writes the S3 object that location names as s3://bucket/key.
func PutObject(ctx context.Context, cfg aws.Config, location string, content []byte, now time.Time) error {
	body, err := object{cfg, location, now}.call(ctx, http.MethodPut, content)
	if err != nil {
		return fmt.Errorf("put %s: %w", location, err)
	}
	return body.Close()
}

// An object is one S3 object at one instant.
type object struct {
	cfg      aws.Config
	location string
	now      time.Time
}

// call makes one signed call and returns the body of the answer.
func (o object) call(ctx context.Context, method string, content []byte) (io.ReadCloser, error) {
	address, err := o.address()
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	credentials, err := o.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(content)
	hash := hex.EncodeToString(sum[:])
	request.Header.Set("X-Amz-Content-Sha256", hash)
	signer := v4.NewSigner(func(s *v4.SignerOptions) { s.DisableURIPathEscaping = true })
	if err := signer.SignHTTP(ctx, credentials, request, hash, "s3", o.cfg.Region, o.now); err != nil {
		return nil, err
	}
	answer, err := o.cfg.HTTPClient.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		_ = answer.Body.Close() // the status says it all
		return nil, objectError(method, answer.StatusCode)
	}
	return answer.Body, nil
}

// address is at the bucket's host or, below an endpoint of one's own, by path.
func (o object) address() (string, error) {
	rest, isS3 := strings.CutPrefix(o.location, "s3://")
	bucket, key, ok := strings.Cut(rest, "/")
	if !isS3 || !ok || bucket == "" || key == "" {
		return "", errors.New("is not like s3://bucket/key")
	}
	suffix := "amazonaws.com"
	if strings.HasPrefix(o.cfg.Region, "cn-") {
		suffix = "amazonaws.com.cn"
	}
	address := &url.URL{Scheme: "https", Host: bucket + ".s3." + o.cfg.Region + "." + suffix, Path: "/" + key}
	if endpoint := aws.ToString(o.cfg.BaseEndpoint); endpoint != "" {
		var err error
		if address, err = url.Parse(endpoint); err != nil {
			return "", err
		}
		address.Path = strings.TrimSuffix(address.Path, "/") + "/" + bucket + "/" + key
	}
	// S3 signs more characters of a key in escaped form than net/url escapes.
	address.RawPath = httpbinding.EscapePath(address.Path, false)
	return address.String(), nil
}

// objectError puts a status into words; the body may hold more, but may also
// come from anybody.
func objectError(method string, status int) error {
	action := "s3:GetObject"
	if method == http.MethodPut {
		action = "s3:PutObject"
	}
	switch status {
	case http.StatusForbidden:
		return fmt.Errorf("access denied; allow the action %s on it", action)
	case http.StatusNotFound:
		return errors.New("there is no such object or bucket, or no permission to see it; check the name")
	}
	return fmt.Errorf("S3 answers %d %s", status, http.StatusText(status))
}
