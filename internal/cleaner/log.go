package cleaner

import (
	"log/slog"
	"strings"
)

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
	a.log.LogAttrs(a.ctx, level, "image",
		slog.String("repository", a.repository),
		slog.String("digest", im.Digest),
		slog.String("tags", strings.Join(im.Tags, " ")),
		slog.Time("pushed_at", im.PushedAt),
		slog.Int64("size_in_bytes", im.SizeInBytes),
		slog.String("verdict", string(im.Action)),
		slog.Int("rule_priority", im.Rule),
		slog.String("reason", im.Reason),
		slog.String("untag", strings.Join(im.Untag, " ")),
		slog.String("outcome", string(im.Outcome)),
		slog.String("message", im.Message))
}
