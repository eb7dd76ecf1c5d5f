package function_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
)

// wantAsSlog checks that a record reads as what package log/slog writes.
func wantAsSlog(t *testing.T, with []any, attrs ...slog.Attr) {
	t.Helper()
	var got, want bytes.Buffer
	var read [2]map[string]any
	for i, log := range []*slog.Logger{function.NewLog(&got), slog.New(slog.NewJSONHandler(&want, nil))} {
		log.With(with...).LogAttrs(t.Context(), slog.LevelWarn, "message\n", attrs...)
		text := []*bytes.Buffer{&got, &want}[i].Bytes()
		if err := json.Unmarshal(text, &read[i]); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if _, err := time.Parse(time.RFC3339Nano, read[i]["time"].(string)); err != nil {
			t.Error(err)
		}
		delete(read[i], "time")
	}
	if diff := cmp.Diff(read[1], read[0]); diff != "" {
		t.Errorf("line (-slog +ours):\n%s", diff)
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

func TestWhatHasNoJSONIsSaid(t *testing.T) {
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
