package awsclient

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// Local returns the configuration for a server on this machine that plays ECR:
// it reads no environment and no file and its credentials are not real.
func Local(endpoint, region string) aws.Config {
	cfg := aws.Config{
		Region:       region,
		BaseEndpoint: &endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
		HTTPClient:   bodyCopier{awshttp.NewBuildableClient()},
	}
	retryPatiently(&cfg)
	return cfg
}
