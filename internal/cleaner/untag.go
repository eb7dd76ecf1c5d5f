package cleaner

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
)

// An Untagging is what became of the tags of one call of Untag.
type Untagging struct {
	// Removed leads from the tags that were removed to the digests of the
	// images that had them.
	Removed map[string]string
	// Failed leads from the tags that were not removed to why.
	Failed map[string]Failure
}

// tagged returns what protects an image from losing tags although it would
// protect it from nothing else, since the image stays: that it is the child of
// an index in use, or that a tag ties it to its subject.
func (u *usage) tagged(g *graph.Graph, im *evaluator.Image, tags []string) []Protection {
	var by []Protection
	if len(u.by[im.Digest]) == 0 {
		_, users := u.above(g, im.Digest)
		for _, user := range few(users) {
			by = append(by, Protection{ByInUse, user})
		}
	}
	for _, subject := range graph.Subjects(evaluator.Image{Tags: tags}) {
		by = append(by, Protection{BySubject, subject})
	}
	return by
}

// chunksOfTags yields the images so that those of a chunk lose at most MaxBatch
// tags together.
func chunksOfTags(images []*PlannedImage) iter.Seq[[]*PlannedImage] {
	return func(yield func([]*PlannedImage) bool) {
		for len(images) > 0 {
			n, tags := 1, len(images[0].Untag)
			for n < len(images) && tags+len(images[n].Untag) <= MaxBatch {
				tags += len(images[n].Untag)
				n++
			}
			if !yield(images[:n]) {
				return
			}
			images = images[n:]
		}
	}
}

func (a *applier) untag(batch []*PlannedImage) { _ = a.attempt("BatchDeleteImage", batch, a.untagOnce) } // each image has its outcome

func (a *applier) untagOnce(ctx context.Context, batch []*PlannedImage) error {
	var tags []string
	for _, im := range batch {
		tags = append(tags, im.Untag...)
	}
	done, err := a.remover.Untag(ctx, a.repository, tags)
	if errors.Is(err, ErrRepositoryNotFound) {
		settleAll(batch, Gone, repositoryGone)
		return nil
	}
	for _, im := range batch {
		if im.lose(done) == len(im.Untag) && im.Outcome == "" {
			im.settle(Untagged, "")
		}
	}
	return err
}

// lose settles the image if one of its tags was not removed, or where it had
// moved to, and returns how many it has lost. A tag that was not there any more
// is lost as well.
func (im *PlannedImage) lose(done Untagging) (lost int) {
	for _, tag := range im.Untag {
		digest, removed := done.Removed[tag]
		failure, failed := done.Failed[tag]
		switch {
		case removed && digest != im.Digest:
			im.settle(Failed, "tag "+tag+" had moved to "+digest+" and was removed there; push it again")
			return lost
		case failed && failure.Code != codeImageNotFound:
			im.settle(outcomeOf(failure), "tag "+tag+": "+failure.Error())
			return lost
		case removed || failed:
			lost++
		}
	}
	return lost
}

// hasLostItsTags reports whether the image is as it was but for the tags that
// were to be removed.
func (im *PlannedImage) hasLostItsTags(current evaluator.Image) bool {
	planned := im.Image
	planned.Tags = slices.DeleteFunc(slices.Clone(im.Tags), func(tag string) bool { return slices.Contains(im.Untag, tag) })
	return differs(planned, current) == ""
}
