package eks

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// presigned returns the URL in a token.
func presigned(t *testing.T, token string) *url.URL {
	t.Helper()
	text, ok := strings.CutPrefix(token, "k8s-aws-v1.")
	if !ok {
		t.Fatalf("the token is %q", token)
	}
	address, err := base64.RawURLEncoding.DecodeString(text)
	awstest.NoError(t, err)
	u, err := url.Parse(string(address))
	awstest.NoError(t, err)
	return u
}

// STS checks the signature of the request that the cluster makes: the URL, with the name of
// the cluster in a header.
func TestTheTokenIsSignedForTheClusterAndTheTime(t *testing.T) {
	t.Parallel()
	signer := aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET", SessionToken: "a/session+token="}
	token, err := presign(t.Context(), signer, "eu-west-1", "prod", awstest.Now)
	awstest.NoError(t, err)
	got := presigned(t, token)
	q := got.Query()
	for name, want := range map[string]string{
		"Action": "GetCallerIdentity", "Version": "2011-06-15", "X-Amz-Expires": "60", "X-Amz-Date": "20260301T120000Z",
		"X-Amz-SignedHeaders": "host;x-k8s-aws-id", "X-Amz-Security-Token": "a/session+token=",
		"X-Amz-Credential": "AKID/20260301/eu-west-1/sts/aws4_request",
	} {
		awstest.Equal(t, name, want, q.Get(name))
	}
	sign := func(cluster string) string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
			"https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=60", http.NoBody)
		awstest.NoError(t, err)
		r.Header.Set("X-K8s-Aws-Id", cluster)
		signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), signer, r, emptyHash, "sts", "eu-west-1", awstest.Now)
		awstest.NoError(t, err)
		return signed
	}
	awstest.Equal(t, "URL", sign("prod"), got.String())
	if sign("other") == got.String() {
		t.Error("the name of the cluster is not signed")
	}
}

// The cluster accepts only STS's own host.
func TestTheHostOfTheTokenIsThatOfTheRegion(t *testing.T) {
	awstest.Environment(t, "http://127.0.0.1:1")
	t.Setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
	for region, want := range map[string]string{
		"eu-west-1": "sts.eu-west-1.amazonaws.com", "us-gov-west-1": "sts.us-gov-west-1.amazonaws.com",
		"cn-north-1": "sts.cn-north-1.amazonaws.com.cn", "us-iso-east-1": "sts.us-iso-east-1.c2s.ic.gov",
		"us-isob-east-1": "sts.us-isob-east-1.sc2s.sgov.gov", "eusc-de-east-1": "sts.eusc-de-east-1.amazonaws.eu",
	} {
		cfg, err := awsclient.Load(t.Context(), "", region)
		awstest.NoError(t, err)
		tokens := tokenSource{cfg: cfg, cluster: "prod", clock: awstest.Clock}
		token, err := tokens.newest(t.Context())
		awstest.NoError(t, err)
		got := presigned(t, token)
		awstest.Equal(t, region, "https://"+want+"/", got.Scheme+"://"+got.Host+got.Path)
	}
}

func TestTokensAreRenewedBeforeTheyExpire(t *testing.T) {
	t.Parallel()
	now := awstest.Now
	expires := now.Add(24 * time.Minute)
	cfg := awsclient.Local("", awstest.Region)
	cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET", CanExpire: true, Expires: expires}, nil
	})
	tokens := tokenSource{cfg: cfg, cluster: "prod", clock: func() time.Time { return now }}
	var made []string
	for _, minutes := range []time.Duration{0, 9, 10, 19, 20, 23, 24} {
		now = awstest.Now.Add(minutes * time.Minute)
		token, err := tokens.newest(t.Context())
		awstest.NoError(t, err)
		made = append(made, presigned(t, token).Query().Get("X-Amz-Date")[9:13])
	}
	awstest.Equal(t, "times of the tokens", []string{"1200", "1200", "1210", "1210", "1220", "1220", "1224"}, made)
}

func TestATokenNeedsCredentials(t *testing.T) {
	t.Parallel()
	cfg := awsclient.Local("", awstest.Region)
	cfg.Credentials = credentials.NewStaticCredentialsProvider("", "", "")
	tokens := tokenSource{cfg: cfg, cluster: "prod", clock: awstest.Clock}
	_, err := tokens.newest(t.Context())
	awstest.ErrorContains(t, err, "retrieve the credentials for a token: ")
}
