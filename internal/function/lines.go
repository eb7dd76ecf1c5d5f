package function

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"sync"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// NewLog returns a log of JSON lines, each one Write to w. Whatever stands in
// tags, names and messages stays within its string: nothing in it ends a line or
// acts on a terminal.
//
// A json.RawMessage is written as it is. It must be a JSON value in one line.
func NewLog(w io.Writer) *slog.Logger {
	o := &output{w: jsondoc.Printable(w)}
	return slog.New(lines{slog.NewJSONHandler(&o.line, nil), o})
}

// An output is written to line by line.
type output struct {
	mu   sync.Mutex
	line bytes.Buffer
	w    io.Writer
}

// lines is a handler that has another write each line, but for the raw JSON,
// which package log/slog would read and copy several times.
type lines struct {
	slog.Handler
	*output
}

// Handle writes the record.
func (l lines) Handle(ctx context.Context, r slog.Record) error {
	rest := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	var raw []slog.Attr
	for a := range r.Attrs {
		if _, ok := a.Value.Any().(json.RawMessage); ok {
			raw = append(raw, a)
		} else {
			rest.AddAttrs(a)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line.Reset()
	if err := l.Handler.Handle(ctx, rest); err != nil {
		return err
	}
	for _, a := range raw {
		l.line.Truncate(l.line.Len() - len("}\n"))
		l.line.WriteByte(',')
		l.line.Write(jsondoc.AppendString(l.line.AvailableBuffer(), a.Key))
		l.line.WriteByte(':')
		l.line.Write(a.Value.Any().(json.RawMessage))
		l.line.WriteString("}\n")
	}
	_, err := l.w.Write(l.line.Bytes())
	return err
}

// WithAttrs returns a handler of the same output.
func (l lines) WithAttrs(attrs []slog.Attr) slog.Handler {
	return lines{l.Handler.WithAttrs(attrs), l.output}
}

// WithGroup returns a handler of the same output.
func (l lines) WithGroup(name string) slog.Handler {
	return lines{l.Handler.WithGroup(name), l.output}
}
