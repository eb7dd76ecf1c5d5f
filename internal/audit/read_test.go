package audit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/audit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// line returns a line of a run. A question mark after the outcome, as in "deleted?", means
// that it is unconfirmed. An empty outcome makes an intent.
func line(run, digest, outcome string) string {
	if outcome == "" {
		return fmt.Sprintf(`{"time":"2026-11-22T03:00:00Z","level":"INFO","msg":"intent","run_id":%q,"repository":"app","policy":"old","digest":%q,`+
			`"tags":"v1 v2","pushed_at":"2026-10-01T00:00:00Z","size_in_bytes":100,"verdict":"expire","rule_priority":1,"reason":"pushed 52d ago, limit 1d","untag":"","attempt":1}`, run, digest)
	}
	sure := strings.TrimSuffix(outcome, "?")
	return fmt.Sprintf(`{"time":"2026-11-22T03:00:01Z","level":"INFO","msg":"image","run_id":%q,"repository":"app","policy":"old","digest":%q,`+
		`"tags":"v1 v2","pushed_at":"2026-10-01T00:00:00Z","size_in_bytes":100,"verdict":"expire","rule_priority":1,"reason":"pushed 52d ago, limit 1d","untag":"",`+
		`"outcome":%q,"unconfirmed":%t,"message":"","protected_by":""}`, run, digest, sure, sure != outcome)
}

func read(t *testing.T, run string, lines ...string) audit.Audit {
	t.Helper()
	a, err := audit.Read(strings.NewReader(strings.Join(lines, "\n")), run)
	awstest.NoError(t, err)
	return a
}

// summary lists the images of each run by kind.
func summary(a audit.Audit) string {
	var b strings.Builder
	for _, run := range a.Runs {
		fmt.Fprintf(&b, "%s:", run.ID)
		for _, kind := range [][]audit.Image{run.Removed, run.Unconfirmed, run.Unknown} {
			b.WriteString(" [")
			for _, im := range kind {
				b.WriteString(" " + im.ImageDigest)
			}
			b.WriteString(" ]")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func wantSummary(t *testing.T, a audit.Audit, want ...string) {
	t.Helper()
	awstest.Equal(t, "audit", strings.Join(want, "\n")+"\n", summary(a))
}

func TestRemovedUnconfirmedAndUnknownImages(t *testing.T) {
	t.Parallel()
	var lines []string
	for _, outcome := range []string{"deleted", "archived", "untagged", "deleted?", "archived?", "untagged?", "failed?", "blocked", "changed", "gone", "failed", "not attempted", "unknown", "unknown?"} {
		lines = append(lines, line("r", outcome, ""), line("r", outcome, outcome))
	}
	lines = append(lines, line("r", "z", ""), line("r", "a", ""))
	a := read(t, "", lines...)
	wantSummary(t, a, "r: [ deleted archived untagged ] [ deleted? archived? untagged? ] [ failed? unknown unknown? z a ]")
	want := audit.Totals{
		Deleted: 1, Archived: 1, TagsRemoved: 1, Unconfirmed: 3, Unknown: 5,
		Blocked: 1, Changed: 1, Gone: 1, Failed: 1, NotAttempted: 1,
	}
	if a.Totals != want || a.Runs[0].Totals != want || want.Listed() != 11 {
		t.Errorf("totals %+v, of the run %+v, want %+v", a.Totals, a.Runs[0].Totals, want)
	}
	if a.Lines.Read != len(lines) || a.Lines.Unreadable != 0 {
		t.Errorf("lines %+v", a.Lines)
	}
}

func TestEveryNumberOfALineIsReadOrTheLineIsAFault(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"150": 150, "150.0": 150, "1.5e2": 150, "1.5E+02": 150, "null": 0, "9223372036854775807": 9223372036854775807,
		"1.5": -1, "1e-1": -1, "1e400": -1, "9223372036854775808": -1, `"150"`: -1, "true": -1,
	} {
		a := read(t, "", strings.Replace(line("r", "a", "deleted"), `"size_in_bytes":100`, `"size_in_bytes":`+text, 1))
		switch {
		case want < 0:
			if a.Lines.Unreadable != 1 || len(a.Runs) != 0 {
				t.Errorf("%s: %+v", text, a)
			}
		case a.Lines.Unreadable > 0 || a.Runs[0].Removed[0].ImageSizeInBytes != want:
			t.Errorf("%s: %+v", text, a)
		}
	}
}

func TestAnImageIsListedWithAllThatTheLogSays(t *testing.T) {
	t.Parallel()
	a := read(t, "", line("r", "sha256:a", "deleted"), line("r", "sha256:b", ""))
	im := audit.Image{
		RunID: "r", Time: time.Date(2026, 11, 22, 3, 0, 1, 0, time.UTC), Repository: "app", Policy: "old", ImageDigest: "sha256:a",
		ImageTags: []string{"v1", "v2"}, ImagePushedAt: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), ImageSizeInBytes: 100,
		Verdict: "expire", AppliedRulePriority: 1, Reason: "pushed 52d ago, limit 1d", Outcome: "deleted", Untag: []string{},
	}
	open := im
	open.Time, open.ImageDigest, open.Outcome = im.Time.Add(-time.Second), "sha256:b", ""
	want := []audit.Run{{
		ID: "r", Removed: []audit.Image{im}, Unconfirmed: []audit.Image{}, Unknown: []audit.Image{open},
		Totals: audit.Totals{Deleted: 1, Unknown: 1},
	}}
	awstest.Equal(t, "runs", want, a.Runs)
}

func TestRunsAreApart(t *testing.T) {
	t.Parallel()
	lines := []string{
		line("r2", "a", ""), line("r1", "a", "deleted"), line("r2", "b", "deleted?"), line("r1", "c", ""),
		`{"msg":"repository","run_id":"r3","repository":"app"}`, `{"msg":"run","run_id":"r1","incomplete":false}`,
	}
	a := read(t, "", lines...)
	wantSummary(t, a, "r2: [ ] [ b ] [ a ]", "r1: [ a ] [ ] [ c ]", "r3: [ ] [ ] [ ]")
	if a.Runs[0].Finished || !a.Runs[1].Finished || a.Runs[2].Finished {
		t.Errorf("finished are %t, %t, %t", a.Runs[0].Finished, a.Runs[1].Finished, a.Runs[2].Finished)
	}
	a = read(t, "r1", lines...)
	wantSummary(t, a, "r1: [ a ] [ ] [ c ]")
	if want := (audit.Totals{Deleted: 1, Unknown: 1}); a.Totals != want || a.Lines.Read != 6 {
		t.Errorf("totals %+v, lines %+v", a.Totals, a.Lines)
	}
	awstest.Equal(t, "runs of an unknown name", 0, len(read(t, "r4", lines...).Runs))
}

// Lambda hands an event out again under the same name when the first run died.
func TestARepeatedRunSettlesWhatTheFirstLeftOpen(t *testing.T) {
	t.Parallel()
	a := read(t, "", line("r", "a", ""), line("r", "b", ""), line("r", "b", ""), line("r", "b", "deleted"))
	wantSummary(t, a, "r: [ b ] [ ] [ a ]")
}

func TestAPlanRemovesNothing(t *testing.T) {
	t.Parallel()
	planned := strings.Replace(line("r", "a", "deleted"), `"outcome":"deleted"`, `"outcome":""`, 1)
	wantSummary(t, read(t, "", planned), "r: [ ] [ ] [ ]")
}

func quoted(s string) string {
	text, _ := json.Marshal(s) // a string always has one
	return string(text)
}

func TestEveryWrappingOfALogIsRead(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(string) string{
		"as written":              func(l string) string { return l },
		"Windows' line ends":      func(l string) string { return l + "\r" },
		"an export to S3":         func(l string) string { return "2026-11-22T03:00:00.123Z " + l },
		"aws logs tail":           func(l string) string { return "2026-11-22T03:00:00+00:00 2026/11/22/[$LATEST]0123abcd " + l },
		"tabs":                    func(l string) string { return "2026-11-22T03:00:00Z\tea1b\tINFO\t" + l },
		"a byte order mark":       func(l string) string { return "\ufeff" + l },
		"an event":                func(l string) string { return `{"timestamp":1,"message":` + quoted(l+"\n") + `,"eventId":"1"}` },
		"an event with an object": func(l string) string { return `{"timestamp":"x","level":"INFO","message":` + l + `}` },
		"Insights":                func(l string) string { return `{"@timestamp":"x","@message":` + quoted(l) + `}` },
		"an indented event": func(l string) string {
			return "    {\n      \"timestamp\": 1,\n      \"message\": " + quoted(l) + ",\n      \"x\": 1\n    },"
		},
		"an indented result": func(l string) string { return "  \"field\": \"@message\",\n  \"value\": " + quoted(l+"\n") },
		"a page of events": func(l string) string {
			return `{"events":[{"message":` + quoted(l) + `},{"message":"END"}],"searchedLogStreams":[]}`
		},
		"a subscription": func(l string) string {
			return `{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1","message":` + quoted(l) + `}]}`
		},
		"a document as text": func(l string) string { return `{"message":` + quoted(`{"message":`+quoted(l)+`}`) + `}` },
		"no line ends":       func(l string) string { return `{"type":"x"}` + l + `{"other":1}` },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lines []string
			for _, l := range []string{line("r", "a", ""), line("r", "a", "deleted"), line("r", "b", "deleted?"), line("r", "c", "")} {
				lines = append(lines, "START RequestId: 1 Version: $LATEST", wrap(l), "", "REPORT RequestId: 1\tDuration: 3 ms")
			}
			a := read(t, "", lines...)
			wantSummary(t, a, "r: [ a ] [ b ] [ c ]")
			if a.Lines.Read != 4 || a.Lines.Others < 8 || a.Lines.Unreadable != 0 {
				t.Errorf("lines %+v", a.Lines)
			}
		})
	}
}

// The audit reports each unreadable line, because the line may be about an image.
func TestUnreadableLinesAreNamed(t *testing.T) {
	t.Parallel()
	whole := line("r", "a", "deleted")
	for text, want := range map[string]string{
		whole[:len(whole)-30]:                         "is incomplete",
		whole[:40]:                                    "is incomplete",
		`{"message":` + quoted(whole)[:200]:           "is incomplete",
		`{"message":` + quoted(whole[:200]) + `}`:     "is incomplete",
		`{"msg":"intent","repository":"app"}`:         "has no repository or no digest",
		`{"msg":"image","digest":7}`:                  "cannot unmarshal number",
		strings.Replace(whole, `"deleted"`, `"x"`, 1): `the unknown outcome "x"`,
		strings.Repeat(" ", audit.MaxLine) + "!":      "longer than 16 MB",
	} {
		a := read(t, "", "other", text, line("r", "b", "deleted"))
		if len(a.Lines.Faults) != 1 || a.Lines.Unreadable != 1 || a.Lines.Faults[0].Line != 2 || !strings.Contains(a.Lines.Faults[0].Message, want) {
			t.Errorf("%.80s: lines %+v, want %q in line 2", text, a.Lines, want)
		}
		if a.Totals.Deleted != 1 {
			t.Errorf("%.80s: totals %+v, want what comes after it", text, a.Totals)
		}
	}
	faults := read(t, "", strings.Split(strings.Repeat(`{"msg":"image"}`+"\n", 50), "\n")...).Lines
	if faults.Unreadable != 50 || len(faults.Faults) != audit.MaxFaults {
		t.Errorf("%d unreadable, %d named", faults.Unreadable, len(faults.Faults))
	}
}

func TestLinesOfOtherProgramsAreNoFaults(t *testing.T) {
	t.Parallel()
	others := []string{
		"plain text", "{", "{}", "[1]", "null", `{"msg":7}`, `{"msg":"hello","digest":7}`, `{"msg":"run","run_id":7}`, `{"msg":"run"}`, `{"message":7}`, `{"events":7}`,
		`{"time":"x","type":"platform.start","record":{}}`, `"message": 7`, `{"a": not JSON`, `2026/11/22 {"errorMessage":"x","errorType":"RequestError"}`,
		`{"msg":"suspicious","message":` + quoted(line("r", "a", "deleted")) + `}`,
	}
	a := read(t, "", others...)
	if a.Lines.Others != len(others) || a.Lines.Read+a.Lines.Unreadable > 0 || len(a.Runs) > 0 {
		t.Errorf("lines %+v, %d runs; want %d others", a.Lines, len(a.Runs), len(others))
	}
}

// An image without a valid time still counts.
func TestTimesThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	a := read(t, "", strings.Replace(line("r", "a", "deleted"), "2026-10-01T00:00:00Z", "!ERROR:time.Time year outside of range [0,9999]", 1))
	wantSummary(t, a, "r: [ a ] [ ] [ ]")
	if !a.Runs[0].Removed[0].ImagePushedAt.IsZero() {
		t.Errorf("pushed at %v", a.Runs[0].Removed[0].ImagePushedAt)
	}
}

func TestReadErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	a, err := audit.Read(io.MultiReader(strings.NewReader(line("r", "a", "deleted")+"\n"), iotest.ErrReader(broken)), "")
	if !errors.Is(err, broken) || a.Totals.Deleted != 1 {
		t.Errorf("Read = %+v, %v; want what was read, and the error", a.Totals, err)
	}
}

// FuzzAudit reads any text, and a log with any text in tags, names and messages.
func FuzzAudit(f *testing.F) {
	f.Add([]byte(line("r", "a", "deleted")), "v1")
	f.Add([]byte(`{"events":[{"message":"{}"}]}`), line("r", "x", "deleted"))
	f.Add([]byte("\xff{"), "\"},\n"+line("r", "x", "deleted")+"\u2028\x1b[31m\x00\xff")
	f.Fuzz(func(t *testing.T, log []byte, hostile string) {
		a, err := audit.Read(bytes.NewReader(log), "")
		awstest.NoError(t, err)
		var sum int
		for _, run := range a.Runs {
			sum += len(run.Removed) + len(run.Unconfirmed) + len(run.Unknown)
		}
		awstest.Equal(t, "images", a.Totals.Listed(), sum)
		var text bytes.Buffer
		logger := slog.New(slog.NewJSONHandler(&text, nil)).With(slog.String("run_id", "r"), slog.String("repository", "app"), slog.String("policy", hostile))
		logger.Info("intent", slog.String("digest", "a"), slog.String("tags", hostile), slog.String("reason", hostile))
		logger.Info("image", slog.String("digest", "b"), slog.String("tags", hostile), slog.String("outcome", "deleted"), slog.String("message", hostile))
		logger.Info("repository", slog.String("message", hostile))
		a = read(t, "", text.String())
		wantSummary(t, a, "r: [ b ] [ ] [ a ]")
		if a.Lines.Read != 3 || a.Lines.Others+a.Lines.Unreadable > 0 {
			t.Errorf("lines %+v", a.Lines)
		}
	})
}

// A generator reads texts one after the other, and then calls then.
type generator struct {
	texts, made int
	text        func(n int) string
	then        func()
	rest        string
}

func (g *generator) Read(p []byte) (int, error) {
	if g.rest == "" {
		if g.made == g.texts {
			g.then()
			return 0, io.EOF
		}
		g.rest = g.text(g.made)
		g.made++
	}
	n := copy(p, g.rest)
	g.rest = g.rest[n:]
	return n, nil
}

// What is not listed takes no memory, however long the log. The heap is that of
// the process, so this test runs alone.
func TestMemoryIsBoundedByWhatIsListed(t *testing.T) {
	const pairs = 20_000
	text := func(n int) string {
		return line("r", fmt.Sprint(n), "") + "\n" + line("r", fmt.Sprint(n), "failed") + "\n" + strings.Repeat("x", 500) + "\n"
	}
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before, after := heap(), int64(0)
	a, err := audit.Read(&generator{texts: pairs, text: text, then: func() { after = heap() }}, "")
	if err != nil || a.Totals.Failed != pairs {
		t.Fatalf("totals %+v, %v", a.Totals, err)
	}
	if grown := after - before; grown > 1<<20 {
		t.Errorf("%d bytes are held after %d MB", grown, pairs*len(text(0))>>20)
	}
}
