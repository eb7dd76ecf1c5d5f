package function_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

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

// The cleaner reads no more of an endless answer than its limit.
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
	if err != nil {
		t.Fatal(err)
	}
	c, problems := config.Parse([]byte(`{"protect": {"inUse": [], "references": ["s3://bucket/list"]}}`))
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	e.begin = "# "
	e.sent.Store(0)
	for _, source := range r.Sources(c) {
		for _, err := range source.Uses(t.Context()) {
			if err == nil || !strings.Contains(err.Error(), "the answer has more than 4194304 bytes") {
				t.Errorf("list: %.300v", err)
			}
		}
	}
	if sent := e.sent.Load(); sent > buffered {
		t.Errorf("list: %d bytes were read", sent)
	}
}
