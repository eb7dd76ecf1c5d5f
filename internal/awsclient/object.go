package awsclient

import (
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
)

// GetObject opens the S3 object that location names as s3://bucket/key. The
// caller closes it. It signs the one call itself: the SDK's S3 client would
// cost the function more start-up time than all others together.
func GetObject(ctx context.Context, cfg aws.Config, location string, now time.Time) (io.ReadCloser, error) {
	request, err := objectRequest(ctx, cfg, location)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", location, err)
	}
	credentials, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", location, err)
	}
	empty := sha256.Sum256(nil)
	hash := hex.EncodeToString(empty[:])
	request.Header.Set("X-Amz-Content-Sha256", hash)
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	if err := signer.SignHTTP(ctx, credentials, request, hash, "s3", cfg.Region, now); err != nil {
		return nil, fmt.Errorf("get %s: %w", location, err)
	}
	answer, err := cfg.HTTPClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", location, err)
	}
	if answer.StatusCode != http.StatusOK {
		_ = answer.Body.Close() // the status says it all
		return nil, fmt.Errorf("get %s: %w", location, objectError(answer.StatusCode))
	}
	return answer.Body, nil
}

// objectRequest addresses the object by its bucket's host or, below an endpoint
// of one's own, by path.
func objectRequest(ctx context.Context, cfg aws.Config, location string) (*http.Request, error) {
	bucket, key, ok := strings.Cut(strings.TrimPrefix(location, "s3://"), "/")
	if !ok || bucket == "" || key == "" {
		return nil, errors.New("is not like s3://bucket/key")
	}
	suffix := "amazonaws.com"
	if strings.HasPrefix(cfg.Region, "cn-") {
		suffix = "amazonaws.com.cn"
	}
	address := &url.URL{Scheme: "https", Host: bucket + ".s3." + cfg.Region + "." + suffix, Path: "/" + key}
	if endpoint := aws.ToString(cfg.BaseEndpoint); endpoint != "" {
		var err error
		if address, err = url.Parse(endpoint); err != nil {
			return nil, err
		}
		address = address.JoinPath(bucket, key)
	}
	return http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
}

// objectError puts a status into words; the body may hold more, but may also
// come from anybody.
func objectError(status int) error {
	switch status {
	case http.StatusForbidden:
		return errors.New("access denied; allow the action s3:GetObject on it")
	case http.StatusNotFound:
		return errors.New("there is no such object, or no permission to see that; check the name")
	}
	return fmt.Errorf("S3 answers %d %s", status, http.StatusText(status))
}
