package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet/execution"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet/s3"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

var errPrefix = errors.New("CLEANER_FLEET must be like s3://bucket/fleet/")

// fleetAt returns what executions need: the store below the prefix, and the other executions
// of the state machine with that ARN. It connects when that is needed first.
func fleetAt(prefix, machine string, connect func(context.Context) (function.Registry, error), clock func() time.Time) *function.Fleet {
	var mu sync.Mutex
	var connected *aws.Config
	configuration := func(ctx context.Context) (aws.Config, error) {
		mu.Lock()
		defer mu.Unlock()
		if !strings.HasPrefix(prefix, "s3://") || !strings.HasSuffix(prefix, "/") {
			return aws.Config{}, errPrefix
		}
		if connected == nil {
			registry, err := connect(ctx)
			if err != nil {
				return aws.Config{}, err
			}
			connected = &registry.AWS
		}
		return *connected, nil
	}
	return &function.Fleet{
		Store: s3.Store{Connect: configuration, Prefix: prefix, Clock: clock},
		Running: func(ctx context.Context, name string) (string, error) {
			cfg, err := configuration(ctx)
			if err != nil {
				return "", err
			}
			return execution.Earlier(ctx, awsclient.Service{Config: cfg, Name: "states", SDKID: "SFN", Clock: clock}, machine, name)
		},
	}
}
