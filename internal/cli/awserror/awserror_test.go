package awserror_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/awserror"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// TestText has what the scripts of cmd/ecrclean cannot have, because it needs AWS's hosts.
func TestText(t *testing.T) {
	t.Parallel()
	const ecr = "https://api.ecr.eu-west-1.amazonaws.com/"
	notFound := &net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"a Region with a typing error": {
			unsent("https://api.ecr.eu-wset-1.amazonaws.com/", notFound),
			`Could not connect to the endpoint URL: "https://api.ecr.eu-wset-1.amazonaws.com/"; its host does not resolve: ` +
				`the Region eu-wset-1 is not known; did you mean eu-west-1? Correct --region or AWS_REGION`,
		},
		"a Region in upper case": {
			unsent("https://api.ecr.US_EAST_2.amazonaws.com/", notFound),
			`Could not connect to the endpoint URL: "https://api.ecr.US_EAST_2.amazonaws.com/"; its host does not resolve: ` +
				`the Region US_EAST_2 is not known; did you mean us-east-2? Correct --region or AWS_REGION`,
		},
		"a Region of China": {
			unsent("https://api.ecr.cn-nort-1.amazonaws.com.cn/", notFound),
			`Could not connect to the endpoint URL: "https://api.ecr.cn-nort-1.amazonaws.com.cn/"; its host does not resolve: ` +
				`the Region cn-nort-1 is not known; did you mean cn-north-1? Correct --region or AWS_REGION`,
		},
		"no Region": {
			unsent("https://api.ecr.ireland.amazonaws.com/", notFound),
			`Could not connect to the endpoint URL: "https://api.ecr.ireland.amazonaws.com/"; its host does not resolve: ` +
				`the Region ireland is not known; correct --region or AWS_REGION`,
		},
		"a bucket in such a Region": {
			fmt.Errorf("get s3://b/k: %w", &url.Error{Op: "Get", URL: "https://b.s3.eu-west-11.amazonaws.com/k", Err: notFound}),
			`Could not connect to the endpoint URL: "https://b.s3.eu-west-11.amazonaws.com/k"; its host does not resolve: ` +
				`the Region eu-west-11 is not known; did you mean eu-west-1? Correct --region or AWS_REGION`,
		},
		"no network": {
			unsent(ecr, notFound),
			`Could not connect to the endpoint URL: "` + ecr + `"; its host does not resolve, although the Region eu-west-1 exists: check the network, the DNS and HTTPS_PROXY`,
		},
		"a firewall": {
			unsent(ecr, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}),
			`Could not connect to the endpoint URL: "` + ecr + `"; the connection is refused: check the network, the DNS and HTTPS_PROXY`,
		},
		"no way": {
			unsent(ecr, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}),
			`Connect timeout on endpoint URL: "` + ecr + `"; check the network, the DNS and HTTPS_PROXY`,
		},
		"an unknown certificate": {
			unsent(ecr, &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}),
			`SSL validation failed for ` + ecr + `: x509: certificate signed by unknown authority; name the certificates of your proxy in AWS_CA_BUNDLE`,
		},
		"an endpoint in a file": {
			unsent("http://127.0.0.1:1/", syscall.ECONNREFUSED),
			`Could not connect to the endpoint URL: "http://127.0.0.1:1/"; nothing listens there: start the server, or correct or unset endpoint_url in the AWS config file`,
		},
		"a lost connection": {
			unsent(ecr, syscall.ECONNRESET),
			`list: the call DescribeRepositories of ECR failed: Post "` + ecr + `": connection reset by peer`,
		},
		"an unreadable answer": {
			called("ECR", &awshttp.ResponseError{RequestID: "a-b", ResponseError: &smithyhttp.ResponseError{
				Response: &smithyhttp.Response{Response: &http.Response{StatusCode: 200}}, Err: errors.New("deserialization failed, EOF"),
			}}),
			"list: the call DescribeRepositories of ECR failed: the answer has the status 200: deserialization failed, EOF",
		},
		"a server that is not of AWS and answers": {
			called("ECR", refused("UnknownError", "UnknownError")),
			"list: An error occurred (UnknownError) when calling the DescribeRepositories operation: UnknownError; " +
				"this is probably no server of AWS: check HTTPS_PROXY and endpoint_url in the AWS config file",
		},
		"a role that may not be assumed": {
			called("ECR", fmt.Errorf("get identity: get credentials: failed to refresh cached credentials, %w",
				called("STS", refused("AccessDenied", "User: arn:aws:iam::1:user/a is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::1:role/b")))),
			"list: An error occurred (AccessDenied) when calling the AssumeRole operation: User: arn:aws:iam::1:user/a is not authorized to perform: " +
				"sts:AssumeRole on resource: arn:aws:iam::1:role/b; allow the action in a policy of this user or role, or give another --profile",
		},
		"an explicit deny": {
			called("ECR", refused("AccessDeniedException", "User: a is not authorized to perform: b on resource: c with an explicit deny in a service control policy")),
			"list: An error occurred (AccessDeniedException) when calling the DescribeRepositories operation: User: a is not authorized to perform: b " +
				"on resource: c with an explicit deny in a service control policy; change the policy that denies it, or give another --profile",
		},
		"an SSO session that AWS has ended": {
			called("ECR", called("SSO", refused("UnauthorizedException", "Session token not found or invalid"))),
			`The SSO session associated with this profile has expired or is otherwise invalid; run "aws sso login --profile p"`,
		},
		"empty static credentials": {
			called("ECR", fmt.Errorf("get credentials: %w", &credentials.StaticCredentialsEmptyError{})),
			`Unable to locate credentials; run "aws configure --profile p" or "aws sso login --profile p"`,
		},
		"no instance metadata": {
			called("ECR", called("ec2imds", &url.Error{Op: "Get", URL: "http://169.254.169.254/", Err: syscall.ECONNREFUSED})),
			`Unable to locate credentials; run "aws configure --profile p" or "aws sso login --profile p"`,
		},
		"no Region at all": {awsclient.ErrNoRegion, `You must specify a region; set AWS_REGION, give --region, or run "aws configure --profile p"`},
		"a server of a cluster": {
			&url.Error{Op: "Get", URL: "https://cluster.example.com/api", Err: syscall.ECONNREFUSED},
			`Get "https://cluster.example.com/api": connection refused`,
		},
		"another error": {errors.New("operation"), "operation"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := awserror.Settings{Profile: "p", Getenv: func(string) string { return "" }}
			if got := s.Text(c.err); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func called(service string, err error) error {
	operations := map[string]string{"ECR": "DescribeRepositories", "STS": "AssumeRole", "SSO": "GetRoleCredentials", "ec2imds": "GetMetadata"}
	err = &smithy.OperationError{ServiceID: service, OperationName: operations[service], Err: err}
	if service == "ECR" {
		err = fmt.Errorf("list: %w", err)
	}
	return err
}

func unsent(address string, err error) error {
	return called("ECR", &smithyhttp.RequestSendError{Err: &url.Error{Op: "Post", URL: address, Err: err}})
}

func refused(code, message string) error {
	return fmt.Errorf("https response error StatusCode: 400, RequestID: a-b, %w", &smithy.GenericAPIError{Code: code, Message: message})
}

func TestCleanNamesTheServiceOfACall(t *testing.T) {
	t.Parallel()
	for _, service := range []string{"apprunner", "EC2 Instance Connect", "bedrock-agentcore"} {
		awstest.Equal(t, service, "list: the call List of "+service+" failed: the answer is 500",
			awserror.Clean("list: operation error "+service+": List, the answer is 500"))
	}
}
