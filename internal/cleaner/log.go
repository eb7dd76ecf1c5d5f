package cleaner

import (
	"context"
	"log/slog"
	"strings"
)

// logPlan writes a line for each image of a plan that nobody will carry out.
func (r *Runner) logPlan(ctx context.Context, plan *RepositoryPlan) {
	for i := range plan.Images {
		r.Log.LogAttrs(ctx, slog.LevelInfo, "image", attrs(plan.Repository, &plan.Images[i])...)
	}
}

// logOutcome writes the one line of an image that has an outcome, so that what
// was removed can be read from the log alone.
func (a applier) logOutcome(im *PlannedImage) {
	if im.Outcome == "" || a.logged[im.Digest] {
		return
	}
	a.logged[im.Digest] = true
	level := slog.LevelInfo
	if im.Outcome == Failed {
		level = slog.LevelError
	}
	a.log.LogAttrs(a.ctx, level, "image", attrs(a.repository, im)...)
}

// attrs says of an image what a person needs to find it and to understand what
// became of it.
func attrs(repository string, im *PlannedImage) []slog.Attr {
	by := make([]string, len(im.ProtectedBy))
	for i, p := range im.ProtectedBy {
		by[i] = p.String()
	}
	return []slog.Attr{
		slog.String("repository", repository),
		slog.String("digest", im.Digest),
		slog.String("tags", strings.Join(im.Tags, " ")),
		slog.Time("pushed_at", im.PushedAt),
		slog.Int64("size_in_bytes", im.SizeInBytes),
		slog.String("verdict", string(im.Action)),
		slog.Int("rule_priority", im.Rule),
		slog.String("reason", im.Reason),
		slog.String("untag", strings.Join(im.Untag, " ")),
		slog.String("outcome", string(im.Outcome)),
		slog.String("message", im.Message),
		slog.String("protected_by", strings.Join(by, "; ")),
	}
}
