package cleaner

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
)

func (a applier) delete(batch []*PlannedImage) {
	if len(batch) == 0 {
		return
	}
	done, err := a.remover.Delete(a.ctx, a.repository, digests(batch))
	if errors.Is(err, ErrRepositoryNotFound) {
		settleAll(batch, Gone, "the repository is not there any more")
		return
	}
	byDigest := make(map[string]*PlannedImage, len(batch))
	for _, im := range batch {
		byDigest[im.Digest] = im
	}
	for _, digest := range done.Deleted {
		if im, ok := byDigest[digest]; ok {
			im.settle(Deleted, "")
		}
	}
	for _, f := range done.Failed {
		if im, ok := byDigest[f.Digest]; ok {
			im.settle(outcomeOf(f), f.Error())
		}
	}
	a.settleUnanswered(batch, err)
}

func outcomeOf(f Failure) Outcome {
	switch f.Code {
	case codeReferenced, codeNotArchivable:
		return Blocked
	case codeImageNotFound:
		return Gone
	}
	return Failed
}

// settleUnanswered asks what became of the images that the call neither
// confirmed nor refused: an answer can be lost after the work was done.
func (a applier) settleUnanswered(batch []*PlannedImage, cause error) {
	unanswered := slices.DeleteFunc(slices.Clone(batch), func(im *PlannedImage) bool { return im.Outcome != "" })
	if len(unanswered) == 0 {
		return
	}
	message := "neither confirmed nor refused by ECR"
	if cause != nil {
		message = cause.Error()
	}
	there, err := a.describe(digests(unanswered))
	if err != nil {
		settleAll(unanswered, Failed, message+"; state unknown: "+err.Error())
		return
	}
	for _, im := range unanswered {
		if _, found := there[im.Digest]; found {
			im.settle(Failed, message)
		} else {
			im.settle(Deleted, "unconfirmed: "+message+", but not there any more")
		}
	}
}

func (a applier) archive(batch []*PlannedImage) {
	for _, im := range batch {
		err := a.remover.Archive(a.ctx, a.repository, im.Digest)
		failure, coded := errors.AsType[Failure](err)
		switch {
		case err == nil:
			im.settle(MovedToArchive, "")
		case coded:
			im.settle(outcomeOf(failure), failure.Error())
		default:
			im.settle(Failed, err.Error())
		}
	}
}

func digests(images []*PlannedImage) []string {
	list := make([]string, len(images))
	for i, im := range images {
		list[i] = im.Digest
	}
	return list
}

// logOutcome writes one line, so that what was removed can be read from the log
// alone.
func (a applier) logOutcome(im *PlannedImage) {
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
		slog.String("outcome", string(im.Outcome)),
		slog.String("message", im.Message))
}
