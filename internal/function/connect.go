package function

import (
	"context"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi"
)

// Connector returns a function that connects to the registry of the
// environment. Profile and region, when not empty, win over the environment.
func Connector(profile, region string) func(context.Context) (Registry, error) {
	return func(ctx context.Context) (Registry, error) {
		cfg, err := awsclient.Load(ctx, profile, region)
		if err != nil {
			return Registry{}, err
		}
		client, calls := ecrapi.Connect(cfg)
		return Registry{Reader: client, Remover: client, Region: cfg.Region, Calls: calls.Snapshot}, nil
	}
}
