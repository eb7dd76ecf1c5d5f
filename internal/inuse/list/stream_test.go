package list_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/list"
)

// A flow is a list of the given length that is generated while it is read: begin,
// entries with numbers, end.
type flow struct {
	entry, end string
	rest       int64
	n          int
	next       bytes.Buffer
	// peak is the largest heap during the reading.
	peak uint64
}

func newFlow(begin, entry, end string, size int64) *flow {
	f := &flow{entry: entry, end: end, rest: size}
	f.next.WriteString(begin)
	return f
}

func (f *flow) Read(p []byte) (int, error) {
	for f.next.Len() < len(p) && f.rest > 0 {
		line := strings.ReplaceAll(f.entry, "%", strconv.Itoa(f.n))
		f.next.WriteString(line)
		f.rest -= int64(len(line))
		if f.n++; f.n%200_000 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			f.peak = max(f.peak, m.HeapAlloc)
		}
		if f.rest <= 0 {
			f.next.WriteString(f.end)
		}
	}
	return f.next.Read(p)
}

// large is the length of the lists in these tests. To measure another length, set INUSE_LIST_SIZE.
func large(t *testing.T) int64 {
	t.Helper()
	if text := os.Getenv("INUSE_LIST_SIZE"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		awstest.NoError(t, err)
		return n
	}
	return 20 << 20
}

// Even of a long list only the relevant images are kept in memory.
//
//nolint:paralleltest // it looks at the heap
func TestALongListIsReadAsAStream(t *testing.T) {
	const far = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app:v%"
	document := `{"version":1,"account":"1","region":"r","time":"` + now.Format(time.RFC3339) + `","references":[{"image":"` + registry + `app:v1","by":"pod"}`
	pod := `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"` + registry + `app:v1"}]},"status":{"containerStatuses":[]}}`
	for name, f := range map[string]*flow{
		"kubectl":                 newFlow(`{"apiVersion":"v1","items":[`+pod, ","+strings.Replace(pod, registry+"app:v1", far, 1), `],"kind":"List"}`, large(t)),
		"lines, other registries": newFlow(registry+"app:v1\n", far+" # pod %\n", "", large(t)),
		"lines, one image":        newFlow("", registry+"app:v1 # a pod of the %th node\n", "", large(t)),
		"an array":                newFlow(`["`+registry+`app:v1"`, `,"`+far+`"`, "]", large(t)),
		"a document":              newFlow(document, `,{"image":"`+far+`","by":"pod %"}`, "]}", large(t)),
	} {
		runtime.GC()
		var before runtime.MemStats
		runtime.ReadMemStats(&before)
		source := list.New("l", opened(io.NopCloser(f), time.Time{}), now, 0)
		began := time.Now()
		scan := inuse.Scope{Region: region}.Run(t.Context(), []inuse.Source{source}, now)
		took := time.Since(began)
		if len(scan.Failed) > 0 || len(scan.Uses) == 0 || len(scan.Uses) > 5 || scan.Counts["l"] < f.n {
			t.Errorf("%s: %d entries: failed %v, %d uses, counts %v", name, f.n, scan.Failed, len(scan.Uses), scan.Counts)
		}
		if grown := int64(f.peak) - int64(before.HeapAlloc); grown > 48<<20 {
			t.Errorf("%s: the heap grew by %d MiB", name, grown>>20)
		}
		t.Logf("%s: %d entries, %d MiB in %v, peak %d MiB", name, f.n, large(t)>>20, took.Round(time.Millisecond), f.peak>>20)
	}
}

func TestListFailsWhenItIsTooLarge(t *testing.T) {
	t.Parallel()
	comment := "#" + strings.Repeat("-", 32<<10-2) + "\n"
	read := func(size int64, end string) list.Source {
		return list.New("l", opened(io.NopCloser(newFlow("", comment, end, size)), time.Time{}), now, 0)
	}
	wantUses(t, read(list.MaxSize, ""))
	wantFailure(t, read(list.MaxSize, "#"), "the list has more than 1024 MiB; split it")
}

// An entry is read no further than the maximum length of a reference.
func TestListFailsOnEntriesWithoutAnEnd(t *testing.T) {
	t.Parallel()
	for begin, want := range map[string]string{
		"": "line 1: has more than 64 KiB", "# ": "line 1: has more than 64 KiB", "nginx\n": "line 2: has more than 64 KiB",
		`["`: "line 1: a value has more than 64 KiB", "[\"nginx\",\n[": "a value has more", `{"version": `: "line 1: version: a value has more", `{"`: "line 1: a value has more",
	} {
		f := newFlow(begin, "1", "", 1<<30)
		wantFailure(t, list.New("l", opened(io.NopCloser(f), time.Time{}), now, 0), want)
		if f.n > 1<<20 {
			t.Errorf("%q: %d bytes were read", begin, f.n)
		}
	}
	wantUses(t, read(registry+"app:v1"+strings.Repeat(" ", 60<<10)+"\n"+registry+"app:v2"), "app:v1 refs.txt:1", "app:v2 refs.txt:2")
	wantUses(t, read(`["`+registry+"app:v1\""+strings.Repeat(" ", 60<<10)+",\n\""+registry+`app:v2"]`), "app:v1 refs.txt:1", "app:v2 refs.txt:2")
}

// A list of any format fails if it is older than its configuration allows.
func TestListsGrowOld(t *testing.T) {
	t.Parallel()
	const hour = time.Hour
	never := -1 * hour // not known when it was modified
	plain, array := registry+"app:v1", `["`+registry+`app:v1"]`
	said := func(age time.Duration) string { return document(now.Add(-age), `{"image": "`+registry+`app:v1"}`) }
	for _, c := range []struct {
		text          string
		modified, max time.Duration
		want          string
	}{
		{plain, 10_000 * hour, 0, ""},
		{array, 10_000 * hour, 0, ""},
		{plain, never, 0, ""},
		{plain, 24 * hour, 24 * hour, ""},
		{plain, 24*hour + 1, 24 * hour, "the list is more than 24 hours old; write it again"},
		{array, 24 * hour, 24 * hour, ""},
		{array, 24*hour + 1, 24 * hour, "the list is more than 24 hours old; write it again"},
		{plain, -hour - 1, 24 * hour, "the list is from the future"},
		{plain, never, 24 * hour, "it is not known when it was last modified; remove protect.referencesMaxAgeHours"},
		{array, never, 24 * hour, "it is not known when it was last modified"},
		{said(36 * hour), never, 0, ""},
		{said(36*hour + time.Second), 0, 0, "the list is more than 36 hours old; write it again"},
		{said(3 * hour), 0, 2 * hour, "the list is more than 2 hours old; write it again"},
		{said(72 * hour), 10_000 * hour, 72 * hour, ""},
		{said(2 * hour), 10_000 * hour, 3 * hour, ""},
		{"# none\n", 25 * hour, 24 * hour, "more than 24 hours old"},
	} {
		var modified time.Time
		if c.modified != never {
			modified = now.Add(-c.modified)
		}
		got, err := uses(t, list.New("l", opened(io.NopCloser(strings.NewReader(c.text)), modified), now, c.max))
		if c.want == "" && (err != nil || len(got) != 1) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%.40s, modified %v ago, at most %v: uses %v, error %v; want %q", c.text, c.modified, c.max, got, err, c.want)
		}
	}
}

// A list adds only a few uses of an image that it names many times.
func TestAListAddsAFewUsesOfEachImage(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for i := range 20 {
		fmt.Fprintf(&text, "%sapp:v%d\nproxy.example.com/app:v1\n", registry, i%2)
	}
	scan := inuse.Scope{}.Run(t.Context(), []inuse.Source{read(text.String())}, now)
	if len(scan.Uses) != 15 || len(scan.Failed) > 0 || scan.Counts["refs.txt"] != 20 || scan.Elsewhere["refs.txt"] != 20 {
		t.Errorf("%d uses, failed %v, counts %v and %v", len(scan.Uses), scan.Failed, scan.Counts, scan.Elsewhere)
	}
}

// A plain word can be a reference. Text that no registry allows as a name makes the list fail.
func TestAListOfSomethingElseFails(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"nginx", "team/app:v1", "[::1]:5000/app", "localhost:5000/app", "a.b/c@" + sha("a")} {
		if strings.HasPrefix(line, "[") {
			line = "# an array begins with a bracket too\n" + line
		}
		if got, err := uses(t, read(registry+"app:v1\n"+line+"\n")); err != nil || len(got) != 2 {
			t.Errorf("%q: uses %v, error %v", line, got, err)
		}
	}
	for _, line := range []string{
		"an error page", "<html>", "</html>", `"nginx"`, "'nginx'", "{nginx}", "nginx,", "key: value", "image=nginx", "${IMAGE}", "App:", "http://x/y", "nginx@sha256:0a", "-", "...", "404",
	} {
		got, err := uses(t, read(registry+"app:v1\n"+line+"\n"))
		if word := line == "404"; word == (err != nil) {
			t.Errorf("%q: uses %v, error %v", line, got, err)
		}
	}
}
