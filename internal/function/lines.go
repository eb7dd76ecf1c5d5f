package function

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// NewLog returns a log of JSON lines, each one Write to w. No tag, name or message in it
// can end its string or control a terminal. A json.RawMessage must be a value in one line.
func NewLog(w io.Writer) *slog.Logger {
	return slog.New(lines{output: &output{w: jsondoc.Printable(w)}})
}

// An output writes lines, and reuses the memory of one line for the next.
type output struct {
	mu   sync.Mutex
	w    io.Writer
	line []byte
}

// lines is a handler with the output of slog's JSON handler at half the cost, because a
// run can write two lines for each image. It does not nest groups.
type lines struct {
	*output
	group   string // the prefix of the keys
	members []byte // of each line
}

func (lines) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

func (l lines) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line = l.appendLine(l.line[:0], r)
	_, err := l.w.Write(l.line)
	return err
}

func (l lines) appendLine(text []byte, r slog.Record) []byte {
	text = append(text, `{"time":"`...)
	text = append(r.Time.AppendFormat(text, time.RFC3339Nano), `","level":"`...)
	text = append(append(text, r.Level.String()...), `","msg":`...)
	text = append(jsondoc.AppendString(text, r.Message), l.members...)
	for a := range r.Attrs {
		text = l.appendMember(text, a)
	}
	return append(text, "}\n"...)
}

func (l lines) appendMember(text []byte, a slog.Attr) []byte {
	text = append(jsondoc.AppendString(append(text, ','), l.group+a.Key), ':')
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindString:
		return jsondoc.AppendString(text, v.String())
	case slog.KindInt64:
		return strconv.AppendInt(text, v.Int64(), 10)
	case slog.KindBool:
		return strconv.AppendBool(text, v.Bool())
	case slog.KindTime:
		return append(v.Time().AppendFormat(append(text, '"'), time.RFC3339Nano), '"')
	case slog.KindAny, slog.KindDuration, slog.KindFloat64, slog.KindUint64, slog.KindGroup, slog.KindLogValuer:
	}
	return appendAny(text, v.Any())
}

func appendAny(text []byte, value any) []byte {
	if raw, ok := value.(json.RawMessage); ok {
		return append(text, raw...)
	}
	if err, ok := value.(error); ok {
		return jsondoc.AppendString(text, err.Error())
	}
	text, err := jsondoc.AppendValue(text, value)
	if err != nil {
		text = jsondoc.AppendString(text, "!ERROR: "+err.Error())
	}
	return text
}

func (l lines) WithAttrs(attrs []slog.Attr) slog.Handler {
	l.members = bytes.Clone(l.members)
	for _, a := range attrs {
		l.members = l.appendMember(l.members, a)
	}
	return l
}

func (l lines) WithGroup(name string) slog.Handler {
	l.group += name + "."
	return l
}
