package function

import (
	"io"
	"log/slog"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// NewLog returns a log of JSON lines, each one Write to w. Whatever stands in
// tags, names and messages stays within its string: nothing in it ends a line or
// acts on a terminal.
func NewLog(w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(jsondoc.Printable(w), nil))
}
