//go:build integration

package integration_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// account is the account of everything in moto.
const account = "123456789012"

// A moto is a running server.
type moto struct {
	url string
}

// startFaithful starts moto with behaviour of ECR that plain moto does not have.
func startFaithful(t *testing.T) *moto {
	t.Helper()
	return startMoto(t, "moto_faithful.py", "--faithful")
}

// startSeeded starts plain moto, filled from a seed.
func startSeeded(t *testing.T, seed string) *moto {
	t.Helper()
	file := filepath.Join(t.TempDir(), "seed.json")
	if err := os.WriteFile(file, []byte(seed), 0o600); err != nil {
		t.Fatal(err)
	}
	return startMoto(t, "motoseed.py", file)
}

// startMoto runs a script until the end of the test. The first argument of the script is
// a port.
func startMoto(t *testing.T, helper string, args ...string) *moto {
	t.Helper()
	script := filepath.Join(shared(t), "tools", helper)
	port := freePort(t)
	cmd := exec.Command(cmp.Or(os.Getenv("PYTHON"), "python3.11"), append([]string{script, port}, args...)...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log, err := os.Create(filepath.Join(t.TempDir(), "moto.log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // always killed, or its log says why it ended
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-ended
		_ = log.Close() // nothing is read from it any more
	})
	m := &moto{url: "http://127.0.0.1:" + port}
	if err := m.await(ended); err != nil {
		text, _ := os.ReadFile(log.Name())
		t.Fatalf("%s: %v\n%s", helper, err, text)
	}
	return m
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // frees the port for the server
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// await returns when the server answers, or an error if the server ends.
func (m *moto) await(ended <-chan struct{}) error {
	deadline := time.After(time.Minute)
	for {
		if response, err := http.Get(m.url + "/moto-api/"); err == nil {
			return response.Body.Close()
		}
		select {
		case <-ended:
			return errors.New("the server ended")
		case <-deadline:
			return fmt.Errorf("no answer on %s within a minute", m.url)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// control sends a document to the server's own interface.
func (m *moto) control(t *testing.T, path string, document any) {
	t.Helper()
	body, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(m.url+path, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v\n%s", path, response.Status, err, text)
	}
}

// throttle limits the calls per second of a service or operation, such as "ecr" or
// "ecr:BatchDeleteImage"; nil ends it.
func (m *moto) throttle(t *testing.T, limits map[string][2]float64) {
	t.Helper()
	m.control(t, "/__throttle", limits)
}

// A callCount has the numbers of successful and throttled calls of an operation.
type callCount struct{ OK, Throttled int }

// calls returns the calls of ECR by operation since the server started.
func (m *moto) calls(t *testing.T) map[string]callCount {
	t.Helper()
	response, err := http.Get(m.url + "/__stats")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	all := map[string]callCount{}
	if err := json.NewDecoder(response.Body).Decode(&all); err != nil {
		t.Fatal(err)
	}
	of := map[string]callCount{}
	for name, n := range all {
		if operation, ok := strings.CutPrefix(name, "ecr:"); ok {
			of[operation] = n
		}
	}
	return of
}
