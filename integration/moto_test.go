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

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
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
	awstest.NoError(t, os.WriteFile(file, []byte(seed), 0o600))
	return startMoto(t, "motoseed.py", file)
}

// startMoto runs a helper, as startScript does.
func startMoto(t *testing.T, helper string, args ...string) *moto {
	t.Helper()
	return startScript(t, filepath.Join(shared(t), "tools", helper), args...)
}

// startScript runs a script until the end of the test. The first argument of the script is a
// port. Another process may take the port first, so there are three attempts.
func startScript(t *testing.T, script string, args ...string) *moto {
	t.Helper()
	for attempt := 1; ; attempt++ {
		m, err := tryMoto(t, script, args)
		if err == nil {
			return m
		}
		if attempt == 3 {
			t.Fatalf("%s: %v", script, err)
		}
	}
}

func tryMoto(t *testing.T, script string, args []string) (*moto, error) {
	t.Helper()
	port := freePort(t)
	cmd := exec.Command(cmp.Or(os.Getenv("PYTHON"), "python3.11"), append([]string{script, port}, args...)...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log, err := os.Create(filepath.Join(t.TempDir(), "moto.log"))
	awstest.NoError(t, err)
	cmd.Stdout, cmd.Stderr = log, log
	awstest.NoError(t, cmd.Start())
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
		return nil, fmt.Errorf("%w\n%s", err, text)
	}
	return m, nil
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	awstest.NoError(t, err)
	defer func() { _ = l.Close() }() // frees the port for the server
	_, port, err := net.SplitHostPort(l.Addr().String())
	awstest.NoError(t, err)
	return port
}

// await returns when moto answers, or an error if the server ends.
func (m *moto) await(ended <-chan struct{}) error {
	deadline := time.After(time.Minute)
	for {
		if response, err := http.Get(m.url + "/moto-api/"); err == nil {
			_ = response.Body.Close() // the status says it all
			if response.StatusCode == http.StatusOK {
				return nil
			}
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
	awstest.NoError(t, err)
	response, err := http.Post(m.url+path, "application/json", bytes.NewReader(body))
	awstest.NoError(t, err)
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
	awstest.NoError(t, err)
	defer func() { _ = response.Body.Close() }() // it was only read
	all := map[string]callCount{}
	awstest.NoError(t, json.NewDecoder(response.Body).Decode(&all))
	of := map[string]callCount{}
	for name, n := range all {
		if operation, ok := strings.CutPrefix(name, "ecr:"); ok {
			of[operation] = n
		}
	}
	return of
}

// seed has a team with the same repositories for each program. Plain moto accepts any text as a
// policy, has no pages, and does not list deleted untagged images in its answer.
const seed = `{"region": "eu-west-1", "repositories": [` + seedOf1 + `, ` + seedOf2 + `]}`

const (
	seedOf1 = `{"name": "bootstrap/api", ` + seedAPI + `}, {"name": "bootstrap/broken", ` + seedBroken + `}, {"name": "bootstrap/bulk", ` + seedBulk + `}`
	seedOf2 = `{"name": "ecrclean/api", ` + seedAPI + `}, {"name": "ecrclean/broken", ` + seedBroken + `}, {"name": "ecrclean/bulk", ` + seedBulk + `}`

	seedAPI = `"lifecycle_policy": {"rules": [
	    {"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 30}, "action": {"type": "expire"}},
	    {"rulePriority": 2, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 2}, "action": {"type": "expire"}},
	    {"rulePriority": 3, "selection": {"tagStatus": "any", "storageClass": "archive", "countType": "sinceImageTransitioned", "countUnit": "days", "countNumber": 90}, "action": {"type": "expire"}}]},
	  "images": [
	    {"pushed_days_ago": 120}, {"pushed_days_ago": 100},
	    {"pushed_days_ago": 10},
	    {"tags": ["v1"], "pushed_days_ago": 90}, {"tags": ["v2", "latest"], "pushed_days_ago": 80}, {"tags": ["v3"], "pushed_days_ago": 70, "pulled_days_ago": 1},
	    {"tags": ["v4"], "pushed_days_ago": 60}, {"tags": ["v5"], "pushed_days_ago": 50},
	    {"tags": ["cold"], "pushed_days_ago": 400, "status": "ARCHIVED", "archived_days_ago": 30},
	    {"tags": ["frozen"], "pushed_days_ago": 400, "status": "ARCHIVED", "archived_days_ago": 200}]`
	seedBroken = `"lifecycle_policy": {"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 0}, "action": {"type": "delete"}}]},
	  "images": [{"tags": ["v1"], "pushed_days_ago": 50}, {"tags": ["v2"], "pushed_days_ago": 40}]`
	seedBulk = `"lifecycle_policy": {"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 300}, "action": {"type": "expire"}}]},
	  "generate": {"count": 1200, "tag": "v{i}", "oldest_days": 400}`
)

// TestPlainMoto runs plan, apply and apply again with the protection of the default configuration.
func TestPlainMoto(t *testing.T) {
	t.Parallel()
	server := startSeeded(t, seed)
	for name, run := range programs {
		awstest.Parallel(t, name, func(t *testing.T) {
			on := server.registry("eu-west-1")
			what := request{mode: "plan", configuration: `{"protect": {"inUse": [], "pulledWithinDays": 7}}`, repositories: []string{name + "/*"}}
			planned := run(t, on, what, false)
			// two untagged images, v1, v4 and frozen go; v2 and v3 are protected
			awstest.Equal(t, "plan of api", counts{Evaluated: 10, Expired: 5, Protected: 2}, planned.Repositories[0].counts)
			awstest.Equal(t, "why broken is skipped", "invalid policy", planned.Repositories[1].Skipped)
			// a quarter of the images is too old, and seven in ninety were pulled lately
			awstest.Equal(t, "plan of bulk", counts{Evaluated: 1200, Expired: 272, Protected: 28}, planned.Repositories[2].counts)

			what.mode = "apply"
			applied := run(t, on, what, false)
			wantTotals(t, "apply", applied.Totals, counts{Evaluated: 1210, Expired: 277, Protected: 30, Deleted: 277, Skipped: 1})
			on.wantLeft(t, name+"/api", "-", "cold", "latest,v2", "v3", "v5")
			on.wantLeft(t, name+"/broken", "v1", "v2")
			awstest.Equal(t, "images that are left in bulk", 1200-272, len(on.left(t, name+"/bulk")))

			again := run(t, on, what, false)
			if again.Totals.Expired != 0 || again.Totals.Deleted != 0 || again.Calls["BatchDeleteImage"] != 0 {
				t.Errorf("the second apply has totals %+v and calls %v", again.Totals, again.Calls)
			}
		})
	}
}
