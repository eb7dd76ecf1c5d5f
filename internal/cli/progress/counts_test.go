package progress

import (
	"context"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// TestARegistryIsCounted makes the calls of a run.
func TestARegistryIsCounted(t *testing.T) {
	t.Parallel()
	server := fakeecr.New()
	server.CreateRepository("app")
	one, two := server.Put("app", fakeecr.Image{}), server.Put("app", fakeecr.Image{Tags: []string{"v1", "v2", "v3"}})
	endpoint := httptest.NewServer(server)
	t.Cleanup(endpoint.Close)
	registry := function.Connect(awsclient.Local(endpoint.URL, awstest.Region), time.Now)
	c := &counts{}
	c.Watch(&registry)
	c.deleted.Store(9) // by the run before
	phase := func(operation, want string) {
		server.Before(operation, func() { awstest.Equal(t, "phase", want, c.phase.Load().(string)) })
	}
	phase("DescribeRepositories", "listing repositories")
	phase("DescribeImages", "planning")
	phase("UpdateImageStorageClass", "archiving")
	server.Before("BatchDeleteImage", func() {
		awstest.Equal(t, "words", "finishing 1 delete call", c.finishing())
	})

	for _, err := range registry.Reader.Repositories(t.Context()) {
		awstest.NoError(t, err)
	}
	for _, err := range registry.Reader.Images(t.Context(), "app") {
		awstest.NoError(t, err)
	}
	awstest.NoError(t, registry.Remover.Archive(t.Context(), "app", one))
	_, err := registry.Remover.Untag(t.Context(), "app", []string{"v1"})
	awstest.NoError(t, err)
	_, err = registry.Remover.Delete(t.Context(), "app", []string{two})
	awstest.NoError(t, err)

	awstest.Equal(t, "words", "stopping", c.finishing())
	all, throttled := c.calls()
	awstest.Equal(t, "calls, throttled", [2]int{5, 0}, [2]int{all, throttled})
	got := [4]int64{c.listed.Load(), c.images.Load(), c.archived.Load(), c.deleted.Load()}
	awstest.Equal(t, "listed, images, archived, deleted", [4]int64{1, 2, 1, 1}, got)
}

// What package plan looks for in a registry is still there.
func TestACountedRegistryCanDoEverything(t *testing.T) {
	t.Parallel()
	registry := function.Connect(awsclient.Local("http://127.0.0.1:1", awstest.Region), time.Now)
	new(counts).Watch(&registry)
	_, tags := registry.Reader.(plan.TagReader)
	_, names := registry.Reader.(plan.NamedReader)
	_, policies := registry.Reader.(plan.PolicyReader)
	if !tags || !names || !policies {
		t.Error(tags, names, policies)
	}
}

func TestAScanIsCounted(t *testing.T) {
	t.Parallel()
	c := &counts{}
	r := cleaner.Runner{Scan: func(context.Context) inuse.Scan { return inuse.Scan{At: time.Unix(c.scans.Load(), 0)} }}
	c.WatchRun(&r)
	awstest.Equal(t, "scans under way", int64(1), r.Scan(t.Context()).At.Unix())
	awstest.Equal(t, "scans after it", int64(0), c.scans.Load())
	r.Scan = nil
	if c.WatchRun(&r); r.Scan != nil {
		t.Error("there is a scan without sources")
	}
}

func TestATerminalIsRecognised(t *testing.T) {
	t.Parallel()
	other, terminal, err := pty.Open()
	awstest.NoError(t, err)
	t.Cleanup(func() { _, _ = other.Close(), terminal.Close() })
	file, err := os.Open(os.DevNull)
	awstest.NoError(t, err)
	t.Cleanup(func() { _ = file.Close() })
	env := func(term string) func(string) string {
		return func(name string) string { return map[string]string{"TERM": term, "CI": "true"}[name] }
	}
	if New(terminal, env("dumb")).width != nil || New(file, env("xterm")).width != nil {
		t.Error("another file or a dumb terminal is taken for a terminal")
	}
	l := New(terminal, env("xterm"))
	awstest.Equal(t, "width of an unknown terminal", 80, l.width())
	for _, width := range []uint16{80, 120} { // it may change
		awstest.NoError(t, pty.Setsize(other, &pty.Winsize{Cols: width, Rows: 24}))
		awstest.Equal(t, "width", int(width), l.width())
	}
}
