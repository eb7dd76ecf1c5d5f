package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/audit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// A process is the program while it runs.
type process struct {
	*exec.Cmd
	out    bytes.Buffer
	errors spoken
	// started is closed when there is a process to signal, and ended when it has ended.
	started, ended chan struct{}
}

// unprotected applies a policy that keeps one image.
var unprotected = `{"protect": {"inUse": [], "keepNewest": 0}, "policies": [{"name": "one", "policy": ` + keepOne("x") + `}]}`

// fill creates a repository with that many old images.
func fill(registry *fakeecr.Server, repository string, images int) {
	registry.CreateRepository(repository)
	for i := range images {
		registry.Put(repository, fakeecr.Image{PushedAt: time.Now().Add(-time.Duration(1000-i) * time.Hour)})
	}
}

// prepare returns the program with a command on the registry.
func prepare(t *testing.T, registry *fakeecr.Server, args ...string) *process {
	t.Helper()
	server := httptest.NewServer(registry)
	t.Cleanup(server.Close)
	p := &process{Cmd: exec.CommandContext(t.Context(), "ecrclean", args...), started: make(chan struct{}), ended: make(chan struct{})}
	p.Stdout, p.Stderr, p.Dir = &p.out, &p.errors, t.TempDir()
	p.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+server.URL, "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=local",
		"AWS_SECRET_ACCESS_KEY=local", "AWS_EC2_METADATA_DISABLED=true", "GORACE=atexit_sleep_ms=0", "CLEANER_CONFIG="+unprotected)
	return p
}

// run runs the program and returns its exit status, which is -1 when a signal ended it.
func (p *process) run(t *testing.T) (status int) {
	t.Helper()
	awstest.NoError(t, p.Start())
	close(p.started)
	_ = p.Wait() // the state says what there is to know
	close(p.ended)
	p.errors.end()
	return p.ProcessState.ExitCode()
}

// interrupt sends the signal and returns when the program has said that it came.
func (p *process) interrupt(signal syscall.Signal) {
	<-p.started
	_ = p.Process.Signal(signal) // without it the program says nothing
	p.errors.await("Ctrl-C again")
}

// end interrupts the program and returns when it has ended: a call that waits for
// that has no answer.
func (p *process) end(signal syscall.Signal) {
	p.interrupt(signal)
	<-p.ended
}

// report returns the report on the standard output.
func (p *process) report(t *testing.T) *report.Report {
	t.Helper()
	var r report.Report
	if err := json.Unmarshal(p.out.Bytes(), &r); err != nil {
		t.Fatalf("no report: %v\n%s%s", err, &p.out, p.errors.text())
	}
	return &r
}

// file returns the content of a file of the program.
func (p *process) file(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.Dir, name))
	awstest.NoError(t, err)
	return string(text)
}

// audited returns what the log says of the one run in it, every line of which must be whole.
func (p *process) audited(t *testing.T, log string) audit.Run {
	t.Helper()
	a, err := audit.Read(strings.NewReader(p.file(t, log)), "")
	if err != nil || len(a.Runs) != 1 || a.Lines.Unreadable+a.Lines.Others > 0 {
		t.Fatalf("audit: runs %+v, lines %+v, %v", a.Runs, a.Lines, err)
	}
	return a.Runs[0]
}

// spoken is what a program has said, for those who wait for it.
type spoken struct {
	mu   sync.Mutex
	said strings.Builder
	over bool
	more chan struct{} // closed with the next words; nil when nobody waits
}

func (s *spoken) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wake()
	return s.said.Write(text)
}

func (s *spoken) wake() {
	if s.more != nil {
		close(s.more)
		s.more = nil
	}
}

func (s *spoken) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.wake()
}

// await returns when the words were said, or will not be.
func (s *spoken) await(words string) {
	for {
		s.mu.Lock()
		if s.over || strings.Contains(s.said.String(), words) {
			s.mu.Unlock()
			return
		}
		if s.more == nil {
			s.more = make(chan struct{})
		}
		more := s.more
		s.mu.Unlock()
		<-more
	}
}

func (s *spoken) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.String()
}

// wantSaid checks that the error stream has the words.
func (p *process) wantSaid(t *testing.T, words ...string) {
	t.Helper()
	for _, w := range words {
		awstest.Contains(t, p.errors.text(), w)
	}
}

// once returns a function that does f with its nth call only.
func once(nth int, f func()) func() {
	var mu sync.Mutex
	return func() {
		mu.Lock()
		nth--
		now := nth == 0
		mu.Unlock()
		if now {
			f()
		}
	}
}

// closedPipe returns the end of a pipe that nobody reads.
func closedPipe(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	awstest.NoError(t, err)
	_ = r.Close() // nothing was written
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// silence is a standard input on which nobody says anything.
func silence(t *testing.T) io.Reader {
	t.Helper()
	r, w, err := os.Pipe()
	awstest.NoError(t, err)
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	return r
}

func (p *process) String() string { return fmt.Sprint(p.Args[1:]) }
