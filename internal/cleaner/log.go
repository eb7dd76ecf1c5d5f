package cleaner

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// logger returns the log with the name of the run.
func (r *Runner) logger() *slog.Logger { return r.Log.With(slog.String("run_id", r.RunID)) }

// lineBytes is the size from which the images of a plan go on in another line of
// the log, which may have 256 KB at most.
const lineBytes = 100_000

// logPlan writes the images of a plan that nobody will carry out.
func (r *Runner) logPlan(ctx context.Context, plan *plan.Plan) {
	log := apply.Logger(r.logger(), plan)
	if !log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	var images json.RawMessage
	for i := range plan.Images {
		report := report.OfImage(&plan.Images[i])
		images = report.AppendJSON(append(images, "[,"[min(len(images), 1)]))
		if len(images) > lineBytes || i == len(plan.Images)-1 {
			log.LogAttrs(ctx, slog.LevelInfo, "images", slog.Any("images", append(images, ']')))
			images = images[:0]
		}
	}
}
