package apply

import (
	"log/slog"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// Logger returns log with the plan's repository and the name of its configuration entry,
// empty for none, in each line.
func Logger(log *slog.Logger, p *plan.Plan) *slog.Logger {
	policy := ""
	if p.Entry != nil {
		policy = p.Entry.Name
	}
	return log.With(slog.String("repository", p.Repository), slog.String("policy", policy))
}

// logIntent counts the removing call that is about to name the images, and writes a
// line for each image. The log has the line even if the process dies during the call.
func (a *Applier) logIntent(batch []*plan.Image) {
	for _, im := range batch {
		a.plan.Attempts[im.Digest]++
	}
	if !a.log.Enabled(a.ctx, slog.LevelInfo) {
		return
	}
	for _, im := range batch {
		a.log.LogAttrs(a.ctx, slog.LevelInfo, "intent", append(attrs(im), slog.Int("attempt", a.plan.Attempts[im.Digest]))...)
	}
}

// logOutcome writes the outcome of the image, if it has one, once. A reader of the log
// alone knows which images were removed. The line has unconfirmed true if a call had no
// answer and the Applier inferred the outcome.
func (a *Applier) logOutcome(im *plan.Image) {
	if im.Outcome == "" || a.logged[im.Digest] || !a.log.Enabled(a.ctx, slog.LevelError) {
		return
	}
	a.logged[im.Digest] = true
	level := slog.LevelInfo
	if im.Outcome == plan.Failed || im.Outcome == plan.Unknown {
		level = slog.LevelError
	}
	by := make([]string, len(im.ProtectedBy))
	for i, p := range im.ProtectedBy {
		by[i] = p.String()
	}
	_, unconfirmed := a.unanswered[im.Digest]
	a.log.LogAttrs(a.ctx, level, "image", append(attrs(im),
		slog.String("outcome", string(im.Outcome)),
		slog.Bool("unconfirmed", unconfirmed),
		slog.String("message", im.Message),
		slog.String("protected_by", strings.Join(by, "; ")))...)
}

// logRefused writes an outcome for an image that the log has an intent for, and that a
// new plan keeps. Otherwise its intent would stay open. In the report the image has no
// outcome.
func (a *Applier) logRefused(im *plan.Image) {
	if a.plan.Attempts[im.Digest] > 0 {
		refused := *im
		refused.Settle(plan.Blocked, "not removed, and then kept by a new plan")
		a.logOutcome(&refused)
	}
}

// attrs returns the attributes of the image and of its planned action.
func attrs(im *plan.Image) []slog.Attr {
	return []slog.Attr{
		slog.String("digest", im.Digest),
		slog.String("tags", strings.Join(im.Tags, " ")),
		slog.Time("pushed_at", im.PushedAt.Time()),
		slog.Int64("size_in_bytes", im.SizeInBytes),
		slog.String("verdict", string(im.Action)),
		slog.Int("rule_priority", im.Rule),
		slog.String("reason", im.Reason),
		slog.String("untag", strings.Join(im.Untag, " ")),
	}
}
