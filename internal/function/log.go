package function

import (
	"context"
	"io"
	"log/slog"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// NewLog returns a log of JSON lines, each one Write to w. Whatever stands in
// tags, names and messages stays within its string: nothing in it ends a line or
// acts on a terminal.
func NewLog(w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(jsondoc.Printable(w), nil))
}

// logFindings writes a line for each finding, since the answer may leave some out.
func (h *Handler) logFindings(ctx context.Context, r *cleaner.Report) {
	for _, f := range r.Findings {
		level := slog.LevelInfo
		if f.Kind == cleaner.ScanFailed {
			level = slog.LevelError
		}
		h.Log.LogAttrs(ctx, level, "finding",
			slog.String("run_id", r.RunID),
			slog.String("kind", string(f.Kind)),
			slog.String("repository", f.Repository),
			slog.String("message", f.Message))
	}
}

// logRun writes the line of the run, which says how much was left undone and why.
func (h *Handler) logRun(ctx context.Context, r *cleaner.Report) {
	level := slog.LevelInfo
	if r.Incomplete {
		level = slog.LevelError
	}
	h.Log.LogAttrs(ctx, level, "run",
		slog.String("run_id", r.RunID),
		slog.String("mode", string(r.Mode)),
		slog.String("account", r.Account),
		slog.String("region", r.Region),
		slog.Bool("incomplete", r.Incomplete),
		slog.Any("undone", r.Undone()),
		slog.Any("totals", r.Totals),
		slog.Any("calls", r.Calls))
}
