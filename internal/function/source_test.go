package function_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// A store is S3 and Systems Manager, and has the text under every name except "missing".
type store struct {
	text  string
	calls int
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.calls++
	var in struct{ Name string }
	_ = json.NewDecoder(r.Body).Decode(&in) // of S3 there is none
	switch {
	case in.Name == "missing", strings.HasSuffix(r.URL.Path, "/missing"):
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"__type": "ParameterNotFound"}`)
	case r.Header.Get("X-Amz-Target") != "":
		_ = json.NewEncoder(w).Encode(map[string]any{"Parameter": map[string]string{"Value": s.text}})
	default:
		_, _ = io.WriteString(w, s.text)
	}
}

// serve makes the handler the AWS of the environment.
func serve(t *testing.T, handler http.Handler) {
	t.Helper()
	awstest.Environment(t, *awstest.Serve(t, handler).BaseEndpoint)
}

func TestSourcesOfAConfiguration(t *testing.T) {
	s := &store{text: `{"mode": "apply"}`}
	serve(t, s)
	file := filepath.Join(t.TempDir(), "c.json")
	awstest.NoError(t, os.WriteFile(file, []byte(s.text), 0o600))
	read := function.SourceReader("", "", time.Now)
	for location, calls := range map[string]int{file: 0, "s3://bucket/key": 1, "ssm:/cleaner/config": 1, s.text: 0} {
		s.calls = 0
		c, _, err := config.Load(t.Context(), location, read)
		if err != nil || c.Mode != config.Apply || s.calls != calls {
			t.Errorf("%s: mode %q, %v after %d calls", location, c.Mode, err, s.calls)
		}
	}
}

func TestSourcesThatCannotBeRead(t *testing.T) {
	s := &store{}
	serve(t, s)
	for location, want := range map[string]string{
		"s3://bucket/missing": "read configuration: get s3://bucket/missing: there is no such object or bucket, or no permission to see it; check the name",
		"s3://bucket":         "read configuration: get s3://bucket: the location must be like s3://bucket/key",
		"ssm:missing":         "read configuration: get parameter missing: there is no such parameter in this Region; check the name",
		"ssm:":                "read configuration: location \"ssm:\" must be like ssm:/parameter/name",
		"missing.json":        "read configuration: open missing.json: no such file or directory",
		"s3://bucket/empty":   "configuration s3://bucket/empty: 1:1: is empty; a JSON object is expected",
		"ssm:/empty":          "configuration ssm:/empty: 1:1: is empty; a JSON object is expected",
	} {
		f := newFixture(t, location)
		f.Read = function.SourceReader("", "", time.Now)
		_, err := f.Handle(t.Context(), []byte(`{"mode": "apply"}`))
		wantError[*function.ConfigurationError](t, err, want)
		if f.connects != 0 || len(f.registry.Calls()) > 0 {
			t.Errorf("%s: %d connections were made", location, f.connects)
		}
	}
	t.Setenv("AWS_REGION", "")
	_, err := function.SourceReader("", "", time.Now)(t.Context(), "ssm:/x")
	if err == nil || !strings.HasPrefix(err.Error(), "ssm:/x: no region: ") {
		t.Errorf("without a region: %v", err)
	}
}

// S3 and Systems Manager refuse signatures of a wrong time. The error then names the
// clock and not the permissions.
func TestASourceThatIsRefusedToAWrongClock(t *testing.T) {
	refuse := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "<Error><Code>RequestTimeTooSkewed</Code></Error>")
	})
	serve(t, refuse)
	for ahead, want := range map[time.Duration]string{0: "access denied; allow the action", 24 * time.Hour: "the clock of this machine is wrong: it says "} {
		for _, location := range []string{"s3://bucket/key", "ssm:/cleaner/config"} {
			read := function.SourceReader("", "", func() time.Time { return time.Now().Add(ahead) })
			_, err := read(t.Context(), location)
			awstest.ErrorContains(t, err, want)
		}
	}
}

// A source without end is read as far as it takes to refuse it.
func TestSourcesAreReadNoFurtherThanNeeded(t *testing.T) {
	sent := make(chan int, 1)
	serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := 0
		for chunk := make([]byte, 1<<16); ; n += len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				sent <- n
				return
			}
		}
	}))
	_, _, err := config.Load(t.Context(), "s3://bucket/endless", function.SourceReader("", "", time.Now))
	want := "configuration s3://bucket/endless: 1:1: has more than 1048576 bytes, which is the most that is read; shorten it"
	awstest.Equal(t, "error", want, fmt.Sprint(err))
	if n := <-sent; n > 64<<20 { // what the kernel's buffers take counts as sent
		t.Errorf("%d bytes were taken", n)
	}
	if _, _, err := config.Load(t.Context(), "/dev/zero", function.SourceReader("", "", time.Now)); err == nil {
		t.Error("a file without end is no error")
	}
}

func TestASourceCutShortIsAnError(t *testing.T) {
	serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "{}")
	}))
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	_, _, err := config.Load(t.Context(), "s3://bucket/cut", function.SourceReader("", "", time.Now))
	if want := "read configuration: get s3://bucket/cut: exceeded maximum number of attempts, 1, read the answer: unexpected EOF"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
}

// buffered is more than the cleaner reads and the kernel buffers, in bytes.
const buffered = 64 << 20

// An endless server sends 80 MiB, or less if the client hangs up.
type endless struct {
	begin string
	sent  atomic.Int64
}

func (e *endless) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	text := []byte(e.begin + strings.Repeat("x", 1<<20))
	for e.sent.Load() < 80<<20 {
		n, err := w.Write(text)
		if e.sent.Add(int64(n)); err != nil {
			return
		}
		text = text[len(text)-1<<20:]
	}
}

func TestNoSourceIsReadWithoutEnd(t *testing.T) {
	e := &endless{}
	serve(t, e)
	for _, test := range []struct{ location, begin, want string }{
		{"s3://bucket/key", `{"mode": "`, "has more than 1048576 bytes"},
		{"ssm:/name", `{"Parameter": {"Value": "`, "get parameter /name: the answer has more than 262144 bytes"},
	} {
		e.begin = test.begin
		e.sent.Store(0)
		_, _, err := config.Load(t.Context(), test.location, function.SourceReader("", "", time.Now))
		if err == nil || !strings.Contains(err.Error(), test.want) || len(err.Error()) > 1_000 {
			t.Errorf("%s: %.300v, want %s", test.location, err, test.want)
		}
		if sent := e.sent.Load(); sent > buffered {
			t.Errorf("%s: %d bytes were read", test.location, sent)
		}
	}
	r, err := function.Connector(func(string) string { return "" })("", "", clock)(t.Context())
	awstest.NoError(t, err)
	c, problems := config.Parse([]byte(`{"protect": {"inUse": [], "references": ["s3://bucket/list"]}}`))
	awstest.NoError(t, problems.Err())
	e.begin = "# "
	e.sent.Store(0)
	for _, source := range r.Sources(c, "run-1") {
		for _, err := range source.Uses(t.Context()) {
			awstest.ErrorContains(t, err, "the answer has more than 4194304 bytes")
		}
	}
	if sent := e.sent.Load(); sent > buffered {
		t.Errorf("list: %d bytes were read", sent)
	}
}
