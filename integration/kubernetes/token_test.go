package kubernetes_test

import (
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
)

// token returns a token as "aws eks get-token" makes it, for a cluster with this name.
func token(t *testing.T, name, key, secret string) string {
	t.Helper()
	client := sts.NewFromConfig(aws.Config{
		Region: inusetest.Region, Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""),
	})
	request, err := sts.NewPresignClient(client).PresignGetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{},
		sts.WithPresignClientFromClientOptions(func(o *sts.Options) {
			o.APIOptions = append(o.APIOptions,
				smithyhttp.AddHeaderValue("x-k8s-aws-id", name),
				smithyhttp.AddHeaderValue("X-Amz-Expires", "60")) // which becomes a parameter
		}))
	awstest.NoError(t, err)
	return "k8s-aws-v1." + base64.RawURLEncoding.EncodeToString([]byte(request.URL))
}

// who returns the status and the body of an answer that names the user of the token.
func (c *cluster) who(token string) answer {
	c.Helper()
	return c.call(http.MethodPost, "/apis/authentication.k8s.io/v1/selfsubjectreviews", token, object{})
}

func TestTheAPIServerVerifiesTokensAsEKSDoes(t *testing.T) {
	t.Parallel()
	c := start(t)
	accepted := c.who(token(t, clusterName, cleanerKey, secret))
	awstest.Equal(t, "status of a token", http.StatusCreated, accepted.status)
	awstest.Contains(t, string(accepted.body), `"username":"`+cleanerUser+`"`, `"`+cleanerGroup+`"`)
	for what, refused := range map[string]string{
		"another cluster": token(t, "other", cleanerKey, secret), "another secret": token(t, clusterName, cleanerKey, "other"),
		"an unknown key": token(t, clusterName, "AKIAUNKNOWN", secret), "no access entry": token(t, clusterName, otherKey, secret),
	} {
		awstest.Equal(t, what+": status", http.StatusUnauthorized, c.who(refused).status)
	}
	c.grant("arn:aws:iam::123456789012:role/other")
	awstest.Equal(t, "status of a new access entry", http.StatusCreated, c.who(token(t, clusterName, otherKey, secret)).status)
}

func TestTheAPIServerAllowsWhatARoleSays(t *testing.T) {
	t.Parallel()
	c := start(t)
	of := func(path string) int {
		return c.call(http.MethodGet, path, token(t, clusterName, cleanerKey, secret), nil).status
	}
	awstest.Equal(t, "status without a role", http.StatusForbidden, of("/api/v1/pods"))
	c.allow(": pods podtemplates", "apps: deployments")
	awstest.Equal(t, "status of pods", http.StatusOK, of("/api/v1/pods"))
	awstest.Equal(t, "status of deployments", http.StatusOK, of("/apis/apps/v1/deployments"))
	awstest.Equal(t, "status of secrets", http.StatusForbidden, of("/api/v1/secrets"))
}
