package function

import (
	"context"
	"log/slog"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
)

// logFindings writes a line for each finding, since the answer may leave some out.
func logFindings(ctx context.Context, log *slog.Logger, r *cleaner.Report) {
	for _, f := range r.Findings {
		level := slog.LevelInfo
		if f.Kind.Failure() != "" {
			level = slog.LevelError
		}
		log.LogAttrs(ctx, level, "finding",
			slog.String("run_id", r.RunID),
			slog.String("kind", string(f.Kind)),
			slog.String("repository", f.Repository),
			slog.String("message", f.Message))
	}
}

// LogRun writes the findings and the line of the run, which says how much was left
// undone and why.
func LogRun(ctx context.Context, log *slog.Logger, r *cleaner.Report) {
	logFindings(ctx, log, r)
	level := slog.LevelInfo
	if r.Incomplete {
		level = slog.LevelError
	}
	log.LogAttrs(ctx, level, "run",
		slog.String("run_id", r.RunID),
		slog.String("mode", string(r.Mode)),
		slog.String("account", r.Account),
		slog.String("region", r.Region),
		slog.Bool("incomplete", r.Incomplete),
		slog.Any("undone", r.Undone()),
		slog.Any("totals", r.Totals),
		slog.Any("calls", r.Calls))
}
