package function

import (
	"context"
	"log/slog"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// LogRun writes a line for each finding and one for the run. The answer may omit findings.
func LogRun(ctx context.Context, log *slog.Logger, r *report.Report) {
	for _, f := range r.Findings {
		log.LogAttrs(ctx, level(f.Kind.Failure() != ""), "finding",
			slog.String("run_id", r.RunID),
			slog.String("kind", string(f.Kind)),
			slog.String("repository", f.Repository),
			slog.String("message", f.Message))
	}
	line := []slog.Attr{
		slog.String("run_id", r.RunID),
		slog.String("mode", string(r.Mode)),
		slog.String("account", r.Account),
		slog.String("region", r.Region),
		slog.Bool("incomplete", r.Incomplete),
		slog.Any("undone", r.Undone()),
		slog.Any("totals", r.Totals),
		slog.Any("calls", r.Calls),
	}
	if r.References != nil {
		line = append(line, slog.Any("references", r.References))
	}
	log.LogAttrs(ctx, level(r.Incomplete), "run", line...)
}

func level(failed bool) slog.Level {
	if failed {
		return slog.LevelError
	}
	return slog.LevelInfo
}

type metric struct {
	Name  string
	Unit  string
	value int64
}

// metricsOf returns the metrics of a run. CloudWatch bills each of them.
func metricsOf(r *report.Report) []metric {
	incomplete := int64(0)
	if r.Incomplete {
		incomplete = 1
	}
	count := func(name string, n int) metric { return metric{name, "Count", int64(n)} }
	run := []metric{
		{"IncompleteRuns", "Count", incomplete},
		{"Duration", "Milliseconds", r.End.Sub(r.Start).Milliseconds()},
	}
	if r.Mode == config.References { // it evaluates no image
		return run
	}
	return append(run,
		count("ImagesExpired", r.Totals.Expired),
		count("ImagesProtected", r.Totals.Protected),
		count("ImagesDeleted", r.Totals.Deleted),
		count("ImagesArchived", r.Totals.Archived),
		count("ImagesFailed", r.Totals.Failed+r.Totals.Unknown+r.Totals.NotAttempted),
		count("RepositoriesSkipped", r.Totals.Skipped),
		metric{"ReclaimableBytes", "Bytes", r.Totals.ReclaimableBytes},
	)
}

// logMetrics writes the line from which CloudWatch extracts the metrics.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func (h *Handler) logMetrics(ctx context.Context, r *report.Report) {
	if h.FunctionName == "" {
		return
	}
	type directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []metric
	}
	metrics := metricsOf(r)
	line := []slog.Attr{
		slog.String("run_id", r.RunID),
		slog.Any("_aws", struct { //nolint:sloglint // CloudWatch's name
			Timestamp         int64
			CloudWatchMetrics []directive
		}{r.End.UnixMilli(), []directive{{"EcrCleaner", [][]string{{"FunctionName"}}, metrics}}}),
		slog.String("FunctionName", h.FunctionName), //nolint:sloglint // CloudWatch's name
	}
	for _, m := range metrics {
		line = append(line, slog.Int64(m.Name, m.value))
	}
	h.Log.LogAttrs(ctx, slog.LevelInfo, "metrics", line...)
}
