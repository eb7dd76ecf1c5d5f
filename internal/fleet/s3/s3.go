// Package s3 keeps the objects of executions of the fleet in S3. The function
// and the command-line tool share them.
package s3

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
)

// A Store is a [fleet.Store] below a location such as s3://bucket/fleet/.
type Store struct {
	Connect func(context.Context) (aws.Config, error) // is called for each object
	Prefix  string                                    // ends with a slash
	Clock   func() time.Time
}

// Location returns the location of the object.
func (s Store) Location(name string) string { return s.Prefix + name }

// Open implements [fleet.Store]. Reading fails if the object changes meanwhile.
func (s Store) Open(ctx context.Context, name string) (io.ReadCloser, time.Time, error) {
	cfg, err := s.Connect(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	content, modified, err := awsclient.OpenObject(ctx, cfg, s.Location(name), s.Clock)
	if awsclient.IsNoSuchKey(err) {
		err = fmt.Errorf("get %s: %w", s.Location(name), fleet.ErrMissing)
	}
	return content, modified, err
}

// Put implements [fleet.Store].
func (s Store) Put(ctx context.Context, name string, content []byte) error {
	cfg, err := s.Connect(ctx)
	if err != nil {
		return err
	}
	return awsclient.PutObject(ctx, cfg, s.Location(name), content, s.Clock())
}

// Create implements [fleet.Store].
func (s Store) Create(ctx context.Context, name string, content []byte) error {
	cfg, err := s.Connect(ctx)
	if err != nil {
		return err
	}
	err = awsclient.CreateObject(ctx, cfg, s.Location(name), content, s.Clock())
	if awsclient.IsExists(err) {
		err = fmt.Errorf("put %s: %w", s.Location(name), fleet.ErrExists)
	}
	return err
}

// List implements [fleet.Store]. It fails unless it knows all names.
func (s Store) List(ctx context.Context, prefix string) ([]string, error) {
	cfg, err := s.Connect(ctx)
	if err != nil {
		return nil, err
	}
	objects, err := awsclient.ListObjects(ctx, cfg, s.Location(prefix), s.Clock)
	if err != nil {
		return nil, err
	}
	_, below, _ := strings.Cut(strings.TrimPrefix(s.Prefix, "s3://"), "/")
	names := make([]string, len(objects))
	for i, object := range objects {
		names[i] = strings.TrimPrefix(object.Key, below)
	}
	return names, nil
}
