package s3_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet/s3"
)

// newStore returns a store whose S3 is the handler.
func newStore(t *testing.T, handler http.HandlerFunc) fleet.Store {
	t.Helper()
	cfg := awstest.Attempts(awstest.Serve(t, handler), 1)
	return s3.Store{
		Connect: func(context.Context) (aws.Config, error) { return cfg, nil }, Prefix: "s3://bucket/fleet/",
		Clock: func() time.Time { return awstest.Now },
	}
}

// Only the answer that there is no such key says that an object is missing.
func TestOnlyAMissingKeyIsMissing(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status  int
		body    string
		missing bool
	}{
		{404, "<Error><Code>NoSuchKey</Code></Error>", true},
		{404, "<Error><Code>NoSuchBucket</Code></Error>", false},
		{404, "", false}, // of a proxy
		{403, "<Error><Code>AccessDenied</Code></Error>", false},
		{403, "<Error><Code>NoSuchKey</Code></Error>", false},
		{500, "<Error><Code>NoSuchKey</Code></Error>", false},
	} {
		store := newStore(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(test.status)
			_, _ = io.WriteString(w, test.body)
		})
		_, _, err := store.Open(t.Context(), "a.json")
		if err == nil || errors.Is(err, fleet.ErrMissing) != test.missing || !strings.HasPrefix(err.Error(), "get s3://bucket/fleet/a.json: ") {
			t.Errorf("%d %s: %v", test.status, test.body, err)
		}
	}
}

func TestNamesAreBelowTheLocation(t *testing.T) {
	t.Parallel()
	var got []string
	store := newStore(t, func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Method+" "+r.URL.Path+" "+r.URL.Query().Get("prefix"))
		if r.URL.Query().Has("prefix") {
			_, _ = io.WriteString(w, `<ListBucketResult><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated><Contents>`+
				`<Key>fleet/x/a.json</Key><Size>1</Size><LastModified>2026-03-01T12:00:00Z</LastModified></Contents></ListBucketResult>`)
			return
		}
		_, _ = io.WriteString(w, "content")
	})
	awstest.NoError(t, store.Put(t.Context(), "x/a.json", []byte("content")))
	content, _, err := store.Open(t.Context(), "x/a.json")
	awstest.NoError(t, err)
	text, err := io.ReadAll(content)
	awstest.NoError(t, err)
	names, err := store.List(t.Context(), "x/")
	awstest.NoError(t, err)
	if want := "[PUT /bucket/fleet/x/a.json  GET /bucket/fleet/x/a.json  GET /bucket fleet/x/]"; string(text) != "content" ||
		fmt.Sprint(names) != "[x/a.json]" || strings.ReplaceAll(fmt.Sprint(got), "/bucket/ ", "/bucket ") != want {
		t.Errorf("%s, %s by %s", text, names, got)
	}
}

// Create says that there is an object, also if another request writes one at the same time.
func TestOnlyOneRequestCreatesAnObject(t *testing.T) {
	t.Parallel()
	bucket := &awstest.S3{}
	store := newStore(t, bucket.ServeHTTP)
	var created atomic.Int64
	var wait sync.WaitGroup
	for i := range 4 {
		wait.Go(func() {
			switch err := store.Create(t.Context(), "a.json", []byte{byte('0' + i)}); {
			case err == nil:
				created.Add(1)
			case !errors.Is(err, fleet.ErrExists):
				t.Error(err)
			}
		})
	}
	wait.Wait()
	awstest.Equal(t, "created", int64(1), created.Load())
	for _, test := range []struct {
		status int
		body   string
		exists bool
	}{
		{409, "<Error><Code>ConditionalRequestConflict</Code></Error>", true},
		{409, "<Error><Code>OperationAborted</Code></Error>", false},
		{403, "<Error><Code>AccessDenied</Code></Error>", false},
		{404, "<Error><Code>NoSuchBucket</Code></Error>", false},
	} {
		store := newStore(t, func(w http.ResponseWriter, r *http.Request) {
			awstest.Equal(t, "If-None-Match", "*", r.Header.Get("If-None-Match"))
			w.WriteHeader(test.status)
			_, _ = io.WriteString(w, test.body)
		})
		if err := store.Create(t.Context(), "a.json", nil); err == nil || errors.Is(err, fleet.ErrExists) != test.exists {
			t.Errorf("%d %s: %v", test.status, test.body, err)
		}
	}
}

func TestNothingIsDoneWithoutAConnection(t *testing.T) {
	t.Parallel()
	failed := errors.New("no credentials")
	store := s3.Store{Connect: func(context.Context) (aws.Config, error) { return aws.Config{}, failed }, Prefix: "s3://bucket/fleet/"}
	_, _, opened := store.Open(t.Context(), "a")
	_, listed := store.List(t.Context(), "")
	for _, err := range []error{opened, listed, store.Put(t.Context(), "a", nil), store.Create(t.Context(), "a", nil)} {
		awstest.ErrorIs(t, "an object", err, failed)
	}
}
