package function_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ecr-cleaner/ecr-cleaner/internal/audit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// forged is a line about the deletion of an image.
const forged = `{"time":"2026-03-01T12:00:00Z","level":"INFO","msg":"image","run_id":"forged","repository":"x","digest":"sha256:x","outcome":"deleted"}`

// hostile are texts that would end a line, forge a line, or control a terminal.
var hostile = []string{
	"v1\n" + forged + "\n", "v1\r" + forged, "\u2028" + forged + "\u2029", "\u0085" + forged, `"}` + forged, `\",\"outcome\":\"deleted`,
	"\x00\x07\x08\x1b[31m\x7f", "\u009b31m", "\u202egnp.exe", "bad\xff\xfeutf-8\xc3", "\ufeff", `\`, "<script>", "{", strings.Repeat("x", 10_000),
}

// wantHarmless checks that the log is lines of printable JSON about run-1 only, and returns
// the run.
func (f *fixture) wantHarmless(t *testing.T) audit.Run {
	t.Helper()
	text := f.log.String()
	if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
		t.Errorf("the log has %q at byte %d", []rune(text[i:])[0], i)
	}
	for line := range strings.Lines(text) {
		if !json.Valid([]byte(line)) || !strings.HasPrefix(line, `{"time":"`) {
			t.Errorf("log line %.200q is no JSON object", line)
		}
	}
	a, err := audit.Read(strings.NewReader(text), "")
	if err != nil || len(a.Runs) != 1 || a.Runs[0].ID != "run-1" || a.Lines.Unreadable > 0 {
		t.Fatalf("audit: runs %+v, lines %+v, %v", a.Runs, a.Lines, err)
	}
	return a.Runs[0]
}

// Tags come from whoever may push.
func TestTagsCannotForgeTheLog(t *testing.T) {
	t.Parallel()
	f := newFixture(t, expireAll)
	tags := map[string]string{} // by digest
	for _, tag := range hostile {
		tags[f.push("app", 9*day, tag)] = tag
	}
	f.handle(t, `{"mode": "apply"}`)
	run := f.wantHarmless(t)
	if run.Totals.Deleted != len(hostile) || run.Totals.Listed() != len(hostile) {
		t.Errorf("totals %+v, want %d deleted", run.Totals, len(hostile))
	}
	for _, line := range f.lines(t, "image") {
		if tag := tags[line["digest"].(string)]; utf8.ValidString(tag) && line["tags"] != tag {
			t.Errorf("the tag %q reads %q", tag, line["tags"])
		}
	}
}

// Names of policies come from whoever writes the configuration, words about
// failures from the server.
func TestNamesAndMessagesCannotForgeTheLog(t *testing.T) {
	t.Parallel()
	for n, text := range hostile {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			name, err := json.Marshal(text)
			awstest.NoError(t, err)
			f := newFixture(t, strings.Replace(expireAll, `"old"`, string(name), 1))
			refused := f.push("app", 9*day)
			f.push("app", 8*day)
			f.registry.RefuseImage(refused, text)
			f.push("denied", 9*day)
			if !strings.ContainsFunc(text, unicode.IsControl) { // the code is in a header
				f.registry.Fail("DescribeImages", "denied", text)
			}
			report := f.handle(t, `{"mode": "apply"}`)
			run := f.wantHarmless(t)
			if policy := report.Repositories[0].Policy; policy != text && utf8.ValidString(text) {
				t.Errorf("the policy %q reads %q", text, policy)
			}
			if run.Totals.Deleted != report.Totals.Deleted || run.Totals.Failed != 1 || run.Totals.Listed() != run.Totals.Deleted {
				t.Errorf("audit %+v", run.Totals)
			}
		})
	}
}

// wantAsSlog checks that a line is equal to that of package log/slog, except for the time.
func wantAsSlog(t *testing.T, with []any, attrs ...slog.Attr) {
	t.Helper()
	var ours, slogs bytes.Buffer
	var lines [2]string
	for i, log := range []*slog.Logger{function.NewLog(&ours), slog.New(slog.NewJSONHandler(jsondoc.Printable(&slogs), nil))} {
		log.With(with...).LogAttrs(t.Context(), slog.LevelWarn, "message\n", attrs...)
		at, line, found := strings.Cut([]*bytes.Buffer{&ours, &slogs}[i].String(), `","level":`)
		if _, err := time.Parse(time.RFC3339Nano, strings.TrimPrefix(at, `{"time":"`)); err != nil || !found {
			t.Error(err)
		}
		lines[i] = line
	}
	awstest.Equal(t, "lines", lines[1], lines[0])
}

func TestLinesAreThoseOfSlog(t *testing.T) {
	t.Parallel()
	wantAsSlog(t, nil)
	wantAsSlog(t, []any{"run_id", "r", "n", 5}, slog.String("text", "<a> \"b\" é\u202e\x1b\n"), slog.Int("int", -5), slog.Int64("long", 1<<40), slog.Bool("yes", true),
		slog.Time("pushed_at", now.Add(123456789)), slog.Any("err", errors.New("no \u0085")), slog.Any("list", []string{"<a>", "\u202e"}),
		slog.Any("map", map[string]int{"b": 1, "a": 2}), slog.Any("none", nil), slog.Float64("float", 1.5), slog.Uint64("u", 1<<63))
}

func TestRawJSONIsWrittenAsItIs(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	function.NewLog(&b).LogAttrs(t.Context(), slog.LevelInfo, "images", slog.Any("images", json.RawMessage(`[{"a": 1.0}]`)), slog.Int("n", 1))
	if text := b.String(); !strings.HasSuffix(text, `"msg":"images","images":[{"a": 1.0}],"n":1}`+"\n") {
		t.Errorf("line %s", text)
	}
}

func TestAValueWithoutJSONIsNamed(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	log := function.NewLog(&b).WithGroup("g")
	log.LogAttrs(t.Context(), slog.LevelInfo, "x", slog.Any("f", func() {}))
	log.LogAttrs(t.Context(), slog.LevelDebug, "not written")
	var line map[string]any
	if err := json.Unmarshal(b.Bytes(), &line); err != nil || !strings.Contains(line["g.f"].(string), "unsupported type") {
		t.Errorf("line %s, %v", &b, err)
	}
}
