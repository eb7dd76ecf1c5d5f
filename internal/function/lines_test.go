package function_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

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
	if lines[0] != lines[1] {
		t.Errorf("got  %swant %s", lines[0], lines[1])
	}
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
