package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// The store and the executions are those of one connection, which is made when it is needed
// and again after a failure.
func TestTheFleetConnectsOnce(t *testing.T) {
	t.Parallel()
	objects, connects := &awstest.S3{}, 0
	cfg := awstest.Attempts(awstest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Target") == "AWSStepFunctions.ListExecutions" {
			_, _ = io.WriteString(w, `{"executions": [{"name": "night", "startDate": 2}, {"name": "evening", "startDate": 1}]}`)
			return
		}
		objects.ServeHTTP(w, r)
	})), 1)
	f := fleetAt("s3://bucket/fleet/", "arn:aws:states:eu-west-1:123456789012:stateMachine:fleet", func(context.Context) (function.Registry, error) {
		if connects++; connects == 1 {
			return function.Registry{}, errors.New("no credentials")
		}
		return function.Registry{AWS: cfg}, nil
	}, awstest.Clock)
	awstest.ErrorContains(t, f.Store.Put(t.Context(), "night/a.json", nil), "no credentials")
	awstest.NoError(t, f.Store.Put(t.Context(), "night/a.json", []byte("{}")))
	awstest.Equal(t, "object", "{}", objects.Object("bucket/fleet/night/a.json"))
	if err := f.Store.Create(t.Context(), "night/a.json", nil); !errors.Is(err, fleet.ErrExists) {
		t.Errorf("created again: %v", err)
	}
	running, err := f.Running(t.Context(), "night")
	awstest.NoError(t, err)
	awstest.Equal(t, "execution that runs, and connections", []any{"evening", 2}, []any{running, connects})
}

// A wrong prefix is an error of every use, before anything is called.
func TestTheFleetNeedsAPrefix(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"bucket/fleet/", "s3://bucket/fleet"} {
		f := fleetAt(prefix, "", func(context.Context) (function.Registry, error) { panic("connected") }, awstest.Clock)
		_, err := f.Running(t.Context(), "night")
		_, listing := f.Store.List(t.Context(), "")
		_, _, opening := f.Store.Open(t.Context(), "a")
		for _, err := range []error{err, listing, opening, f.Store.Create(t.Context(), "a", nil)} {
			if err == nil || !strings.Contains(err.Error(), "CLEANER_FLEET must be like s3://bucket/fleet/") {
				t.Errorf("%s: %v", prefix, err)
			}
		}
	}
}
