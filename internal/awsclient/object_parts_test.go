package awsclient_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// A shelf is a fake S3 with one object, which it also serves in parts.
type shelf struct {
	mu       sync.Mutex
	content  string
	modified time.Time
	// before is called with the number of the request, from 1. It may answer the request.
	before   func(n int, w http.ResponseWriter) (answered bool)
	requests []string // their ranges
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Header.Get("Range"))
	if s.before != nil && s.before(len(s.requests), w) {
		return
	}
	if !strings.Contains(r.Header.Get("Authorization"), "range;") {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	w.Header().Set("ETag", fmt.Sprintf(`"%d"`, len(s.content)))
	http.ServeContent(w, r, "", s.modified, strings.NewReader(s.content))
}

const part = 4 << 20

// newShelf returns a shelf whose object has that many bytes, and a configuration whose
// S3 endpoint is the shelf.
func newShelf(t *testing.T, size int) (*shelf, aws.Config) {
	t.Helper()
	var content strings.Builder
	for i := 0; content.Len() < size; i++ {
		fmt.Fprintf(&content, "%d\n", i)
	}
	s := &shelf{content: content.String()[:size], modified: now.Add(-time.Hour)}
	return s, once(awstest.Serve(t, s))
}

func open(t *testing.T, cfg aws.Config) (string, time.Time, error) {
	t.Helper()
	body, modified, err := awsclient.OpenObject(t.Context(), cfg, "s3://bucket/key", func() time.Time { return now })
	if err != nil {
		return "", modified, err
	}
	content, err := io.ReadAll(body)
	return string(content), modified, errors.Join(err, body.Close())
}

func TestObjectsAreReadInParts(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]int{0: 1, 1: 1, part - 1: 1, part: 1, part + 1: 2, 2*part + 5: 3} {
		s, cfg := newShelf(t, size)
		got, modified, err := open(t, cfg)
		if err != nil || got != s.content || len(s.requests) != want {
			t.Errorf("%d bytes: %d read in %d calls, %v", size, len(got), len(s.requests), err)
		}
		if size > 0 && !modified.Equal(s.modified) {
			t.Errorf("%d bytes: modified %v, want %v", size, modified, s.modified)
		}
	}
}

// A list that is cut short would protect fewer images.
func TestAnIncompleteObjectIsAnError(t *testing.T) {
	t.Parallel()
	respond := func(status int, headers, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			for header := range strings.SplitSeq(headers, "|") {
				name, value, _ := strings.Cut(header, "=")
				w.Header().Set(name, value)
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, test := range map[string]struct {
		at     int // the number of the request that gets this answer
		answer func(http.ResponseWriter)
		want   string
	}{
		"the first is shorter than it says":   {1, respond(206, "Content-Range=bytes 0-9/10|Content-Length=10", "12345"), "unexpected EOF"},
		"the first is another part":           {1, respond(206, "Content-Range=bytes 5-9/10", "12345"), "the answer has 5 bytes from 5 on of 10"},
		"the first is shorter than its range": {1, respond(206, "Content-Range=bytes 0-4/10", "12345"), "the answer has 5 bytes from 0 on of 10"},
		"no range":                            {1, respond(206, "X=y", "12345"), "the answer has the Content-Range"},
		"no size":                             {1, respond(206, "Content-Range=bytes 0-4/*", "12345"), "the answer has the Content-Range"},
		"the whole is shorter than it says":   {1, respond(200, "Content-Length=10", "12345"), "unexpected EOF"},
		"the second is shorter than it says":  {2, respond(206, "Content-Range=bytes 4194304-4194308/4194309|Content-Length=5", "123"), "unexpected EOF"},
		"the second is of another length":     {2, respond(206, "Content-Range=bytes 4194304-4194305/4194306", "12"), "the answer has 2 bytes"},
		"the second is the whole":             {2, respond(200, "X=y", "12345"), "the answer has 5 bytes from 0 on of 5"},
		"the second is of another version":    {2, respond(412, "X=y", ""), "the object changed while it was read; run again"},
		"the second does not exist":           {2, respond(404, "X=y", ""), "there is no such object"},
		"the second is beyond the end":        {2, respond(416, "X=y", ""), "S3 answered 416"},
		"parts that are longer than asked of": {1, respond(200, "X=y", strings.Repeat("x", part+1)), "the answer has more than 4194304 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, cfg := newShelf(t, part+5)
			s.before = func(n int, w http.ResponseWriter) bool {
				if n != test.at {
					return false
				}
				test.answer(w)
				return true
			}
			if got, _, err := open(t, cfg); err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "get s3://bucket/key: ") {
				t.Errorf("%d bytes, error %v; want %s", len(got), err, test.want)
			}
		})
	}
}

// Parts of two versions are an error, even if the store ignores If-Match or sends no ETag.
func TestPartsAreOfOneVersion(t *testing.T) {
	t.Parallel()
	for _, tags := range [][]string{{`"1"`, `"2"`}, {`"1"`, ""}, {"", ""}, {"", `"2"`}} {
		n := 0
		cfg := awstest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			first := n * part
			w.Header()["ETag"] = tags[n : n+1]
			if tags[n] == "" {
				w.Header()["ETag"] = nil
			}
			n++
			body := strings.Repeat("x", min(part, part+5-first))
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, first+len(body)-1, part+5))
			w.WriteHeader(http.StatusPartialContent)
			_, _ = io.WriteString(w, body)
		}))
		if got, _, err := open(t, once(cfg)); err == nil {
			t.Errorf("ETags %q: %d bytes and no error", tags, len(got))
		}
	}
}

// After a lost connection only the current part is read again.
func TestPartsAreRetried(t *testing.T) {
	t.Parallel()
	s, cfg := newShelf(t, 2*part+5)
	cfg.Retryer = awsclient.Local("http://127.0.0.1", "eu-west-1").Retryer
	s.before = func(n int, w http.ResponseWriter) bool {
		if n == 2 {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "cut")
		}
		return n == 2
	}
	got, _, err := open(t, cfg)
	want := []string{"bytes=0-4194303", "bytes=4194304-8388607", "bytes=4194304-8388607", "bytes=8388608-12582911"}
	if err != nil || got != s.content || !slices.Equal(s.requests, want) {
		t.Errorf("%d bytes, %v, by requests %v", len(got), err, s.requests)
	}
}
