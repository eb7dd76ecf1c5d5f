package cleaner

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

func (r *Runner) logger() *slog.Logger { return r.Log.With(slog.String("run_id", r.RunID)) }

// logPlan logs the images of a plan that is not applied, at most about 100,000 bytes in a
// line. CloudWatch Logs limits a line to 256 KB.
func (r *Runner) logPlan(ctx context.Context, p *plan.Plan) {
	log := apply.Logger(r.logger(), p)
	if !log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	var images json.RawMessage
	for i := range p.Images {
		image := report.OfImage(&p.Images[i])
		images = image.AppendJSON(append(images, "[,"[min(len(images), 1)]))
		if len(images) > 100_000 || i == len(p.Images)-1 {
			log.LogAttrs(ctx, slog.LevelInfo, "images", slog.Any("images", append(images, ']')))
			images = images[:0]
		}
	}
}

func (r *Runner) logRepository(ctx context.Context, repository *report.Repository) {
	level := slog.LevelInfo
	if repository.NotDone() > 0 || repository.Skipped.IsFailure() {
		level = slog.LevelError
	}
	r.logger().LogAttrs(ctx, level, "repository",
		slog.String("repository", repository.Name),
		slog.String("policy", repository.Policy),
		slog.Int("evaluated", repository.Evaluated),
		slog.Int("expired", repository.Expired),
		slog.Int("transitioned", repository.Transitioned),
		slog.Int("protected", repository.Protected),
		slog.Int("deleted", repository.Deleted),
		slog.Int("archived", repository.Archived),
		slog.Int("blocked", repository.Blocked),
		slog.Int("changed", repository.Changed),
		slog.Int("gone", repository.Gone),
		slog.Int("failed", repository.Failed),
		slog.Int("unknown", repository.Unknown),
		slog.Int("not_attempted", repository.NotAttempted),
		slog.String("skipped", string(repository.Skipped)),
		slog.String("message", repository.Message))
}

// guard recovers from a panic in a repository, logs it and calls fail. Defer it.
func (r *Runner) guard(ctx context.Context, repository string, fail func(fault string)) {
	if cause := recover(); cause != nil {
		fault := fmt.Sprintf("the program is faulty: %v; please report it", cause)
		r.logger().LogAttrs(ctx, slog.LevelError, "panic",
			slog.String("repository", repository), slog.String("message", fault), slog.String("stack", string(debug.Stack())))
		fail(fault)
	}
}
