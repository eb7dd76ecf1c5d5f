package awsclient

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// endpoint returns the endpoint that the environment or the shared AWS files
// set for the service, or for all; "" means the service's own.
func (c call) endpoint(ctx context.Context) (string, error) {
	for _, source := range c.cfg.ConfigSources {
		of, ok := source.(endpointSource)
		if !ok {
			continue
		}
		if ignore, _, err := of.GetIgnoreConfiguredEndpoints(ctx); ignore || err != nil {
			return "", err
		}
		endpoint, found, err := of.GetServiceBaseEndpoint(ctx, strings.ToUpper(c.service))
		if err != nil || found {
			return endpoint, err
		}
		if env, isEnv := source.(config.EnvConfig); isEnv && env.BaseEndpoint != "" {
			break // wins over the service's in a file
		}
	}
	return aws.ToString(c.cfg.BaseEndpoint), nil
}

// An endpointSource is the environment or the shared AWS files.
type endpointSource interface {
	GetIgnoreConfiguredEndpoints(ctx context.Context) (ignore, found bool, err error)
	GetServiceBaseEndpoint(ctx context.Context, sdkID string) (endpoint string, found bool, err error)
}

// domain is what the names of AWS's own endpoints in a Region end with.
func domain(region string) string {
	if strings.HasPrefix(region, "cn-") {
		return region + ".amazonaws.com.cn"
	}
	return region + ".amazonaws.com"
}
