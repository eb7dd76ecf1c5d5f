package main

import (
	"context"
	"errors"
	"io"
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

// A store is an [s3.Store] that connects when it is first used, so that other requests need
// no connection.
type store struct {
	prefix  string
	connect func() (aws.Config, error)
	clock   func() time.Time
}

// fleetAt returns what executions need: the store below the prefix, and the other executions
// of the state machine with that ARN.
func fleetAt(prefix, machine string, connect func(context.Context) (function.Registry, error), clock func() time.Time) *function.Fleet {
	once := sync.OnceValues(func() (aws.Config, error) {
		if !strings.HasPrefix(prefix, "s3://") || !strings.HasSuffix(prefix, "/") {
			return aws.Config{}, errPrefix
		}
		registry, err := connect(context.Background())
		return registry.AWS, err
	})
	return &function.Fleet{
		Store: store{prefix, once, clock},
		Running: func(ctx context.Context, name string) (string, error) {
			cfg, err := once()
			if err != nil {
				return "", err
			}
			api := awsclient.Service{Config: cfg, Name: "states", SDKID: "SFN", Clock: clock}
			return execution.Earlier(ctx, api, machine, name)
		},
	}
}

func (s store) s3() (s3.Store, error) {
	cfg, err := s.connect()
	return s3.Store{AWS: cfg, Prefix: s.prefix, Clock: s.clock}, err
}

// Location, Open, Put, Create and List implement [fleet.Store].
func (s store) Location(name string) string { return s.prefix + name }

func (s store) Open(ctx context.Context, name string) (io.ReadCloser, time.Time, error) {
	at, err := s.s3()
	if err != nil {
		return nil, time.Time{}, err
	}
	return at.Open(ctx, name)
}

func (s store) Put(ctx context.Context, name string, content []byte) error {
	at, err := s.s3()
	if err != nil {
		return err
	}
	return at.Put(ctx, name, content)
}

func (s store) Create(ctx context.Context, name string, content []byte) error {
	at, err := s.s3()
	if err != nil {
		return err
	}
	return at.Create(ctx, name, content)
}

func (s store) List(ctx context.Context, prefix string) ([]string, error) {
	at, err := s.s3()
	if err != nil {
		return nil, err
	}
	return at.List(ctx, prefix)
}
