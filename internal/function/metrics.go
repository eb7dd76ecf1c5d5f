package function

import (
	"context"
	"log/slog"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
)

// A metric is a number that CloudWatch takes from the line of metrics.
type metric struct {
	Name  string
	Unit  string
	value int64
}

// metricsOf returns what is worth a graph or an alarm. Each costs something, so
// there are few.
func metricsOf(r *cleaner.Report) []metric {
	incomplete := int64(0)
	if r.Incomplete {
		incomplete = 1
	}
	count := func(name string, n int) metric { return metric{name, "Count", int64(n)} }
	return []metric{
		count("ImagesExpired", r.Totals.Expired),
		count("ImagesProtected", r.Totals.Protected),
		count("ImagesDeleted", r.Totals.Deleted),
		count("ImagesArchived", r.Totals.Archived),
		count("ImagesFailed", r.Totals.Failed+r.Totals.Unknown+r.Totals.NotAttempted),
		count("RepositoriesSkipped", r.Totals.Skipped),
		{"IncompleteRuns", "Count", incomplete},
		{"ReclaimableBytes", "Bytes", r.Totals.ReclaimableBytes},
		{"Duration", "Milliseconds", r.End.Sub(r.Start).Milliseconds()},
	}
}

// logMetrics writes the line of which CloudWatch makes metrics, in its embedded
// metric format: what _aws describes stands beside it.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func (h *Handler) logMetrics(ctx context.Context, r *cleaner.Report) {
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
		slog.String("FunctionName", h.FunctionName), //nolint:sloglint // a dimension is spelt so
	}
	for _, m := range metrics {
		line = append(line, slog.Int64(m.Name, m.value))
	}
	h.Log.LogAttrs(ctx, slog.LevelInfo, "metrics", line...)
}
