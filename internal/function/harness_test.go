package function_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

const day = 24 * time.Hour

var now = awstest.Now

// expireAll is a configuration that expires all images older than a day, without protection.
const expireAll = `{"policies": [{"name": "old", "policy": {"rules": [{"rulePriority": 1,
	"selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}, "action": {"type": "expire"}}]}}],
	"protect": {"inUse": [], "tagPatterns": [], "keepNewest": 0, "pulledWithinDays": 0, "pushedWithinHours": 0}}`

// A fixture is a handler with its registry and its log.
type fixture struct {
	function.Handler
	registry *fakeecr.Server
	// connects counts the connections.
	connects int
	log      bytes.Buffer
}

// newFixture returns a fixture with this configuration and an empty registry.
func newFixture(t *testing.T, configuration string) *fixture {
	t.Helper()
	f := &fixture{registry: fakeecr.New(fakeecr.WithClock(clock))}
	f.registry.ExcludePulls(true)
	cfg := awstest.Serve(t, f.registry)
	f.Handler = function.Handler{
		Configuration: configuration,
		Read:          func(context.Context, string) ([]byte, error) { return nil, fs.ErrNotExist },
		Connect: func(context.Context) (function.Registry, error) {
			f.connects++
			r := function.Connect(cfg, f.Now)
			r.Sources = func(config.Config, string) []inuse.Source { return nil }
			return r, nil
		},
		Now:   clock,
		RunID: func(context.Context) string { return "run-1" },
		Log:   function.NewLog(&f.log),
	}
	return f
}

// later advances the clock by d when the first images are listed. The clock then has
// another time zone.
func (f *fixture) later(d time.Duration) {
	var moved atomic.Int64
	f.registry.Before("DescribeImages", func() { moved.Store(int64(d)) })
	f.Now = func() time.Time { return now.Add(time.Duration(moved.Load())).In(time.FixedZone("elsewhere", 3600)) }
}

// push stores an image of this age in a repository, which it creates if necessary.
func (f *fixture) push(repository string, age time.Duration, tags ...string) string {
	f.registry.CreateRepository(repository)
	return f.registry.Put(repository, fakeecr.Image{PushedAt: now.Add(-age), Tags: tags, SizeInBytes: 100})
}

// handle handles an event that must be carried out.
func (f *fixture) handle(t *testing.T, event string) *report.Report {
	t.Helper()
	report, err := f.Handle(t.Context(), json.RawMessage(event))
	if err != nil {
		t.Fatalf("Handle(%s): %v", event, err)
	}
	return report
}

// lines returns the lines of the log with this message.
func (f *fixture) lines(t *testing.T, message string) []map[string]any {
	t.Helper()
	var found []map[string]any
	for line := range strings.Lines(f.log.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		if fields["msg"] == message {
			found = append(found, fields)
		}
	}
	return found
}

// wantError checks the type and the words of an error of Handle.
func wantError[E error](t *testing.T, err error, words string) {
	t.Helper()
	if _, ok := errors.AsType[E](err); !ok || !strings.Contains(err.Error(), words) {
		var want E
		t.Errorf("got %T %v, want %T with %q", err, err, want, words)
	}
}

// connect has the handler connect by that configuration, with the in-use sources of the function.
func (f *fixture) connect(cfg aws.Config) {
	f.Connect = func(context.Context) (function.Registry, error) { return function.Connect(cfg, f.Now), nil }
}
