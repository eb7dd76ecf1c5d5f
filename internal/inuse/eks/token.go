package eks

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
)

// tokenLife is how long the source uses a token. EKS accepts it for 15 minutes.
const tokenLife = 10 * time.Minute

// A tokenSource makes the tokens for one cluster. It is safe for concurrent use.
type tokenSource struct {
	cfg     aws.Config
	cluster string
	clock   func() time.Time

	mu    sync.Mutex
	token string
	until time.Time
}

// newest returns a token that is valid for some minutes, or as long as the credentials.
func (t *tokenSource) newest(ctx context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock()
	if t.token != "" && now.Before(t.until) {
		return t.token, nil
	}
	credentials, err := t.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return "", fmt.Errorf("retrieve the credentials for a token: %w", err)
	}
	if t.token, err = presign(ctx, credentials, t.cfg.Region, t.cluster, now); err != nil {
		return "", fmt.Errorf("presign a token: %w", err)
	}
	t.until = now.Add(tokenLife)
	if credentials.CanExpire && credentials.Expires.Before(t.until) {
		t.until = credentials.Expires
	}
	return t.token, nil
}

// presign returns a token for the cluster: a presigned call of STS, which the cluster makes
// to learn who asks. EKS accepts only STS's own host of the Region, so the endpoint in the
// environment does not count.
// https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster
func presign(ctx context.Context, credentials aws.Credentials, region, cluster string, now time.Time) (string, error) {
	address := "https://sts." + reference.Domain(region) + "/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=60"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return "", err
	}
	request.Header.Set("X-K8s-Aws-Id", cluster)
	url, _, err := v4.NewSigner().PresignHTTP(ctx, credentials, request, emptyHash, "sts", region, now)
	if err != nil {
		return "", err
	}
	return "k8s-aws-v1." + base64.RawURLEncoding.EncodeToString([]byte(url)), nil
}

// emptyHash is the SHA-256 of a request without a body.
const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
