package scenario_test

import (
	"errors"
	"fmt"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// compare compares the remaining images with the expectation.
func (e *expectation) compare(after []fakeecr.Image) error {
	var faults []error
	for i, im := range e.images {
		at := slices.IndexFunc(after, func(a fakeecr.Image) bool { return a.Digest == im.Digest })
		got := stay
		switch {
		case at < 0:
			got = remove
		case after[at].Status != im.Status:
			got = archive
		}
		if got != e.dispositions[i] {
			faults = append(faults, fmt.Errorf("%s/%s: disposition is %d, should be %d (wanted %d, vetoed %v)",
				e.repository, im.Digest, got, e.dispositions[i], e.wants[i], e.vetoed[i]))
		}
		if at < 0 {
			continue
		}
		want := slices.DeleteFunc(slices.Clone(im.Tags), func(tag string) bool { return slices.Contains(e.untag[i], tag) })
		if has := after[at].Tags; !slices.Equal(slices.Sorted(slices.Values(has)), slices.Sorted(slices.Values(want))) {
			faults = append(faults, fmt.Errorf("%s/%s: has the tags %q, should have %q", e.repository, im.Digest, has, want))
		}
	}
	return errors.Join(faults...)
}

// outcomesSay checks that every image to remove has an outcome, and that other outcomes
// than success have a message.
func outcomesSay(r *report.Repository) error {
	for _, im := range r.Images {
		done := im.Outcome == plan.Deleted || im.Outcome == plan.MovedToArchive || im.Outcome == plan.Untagged
		why := (im.Outcome == plan.Blocked || im.Outcome == plan.Failed || im.Outcome == plan.Unknown) && im.Message != ""
		if toGo := len(im.ProtectedBy) == 0 && r.Skipped == ""; toGo != (done || why) {
			return fmt.Errorf("%s/%s: outcome %q %q, protected by %v, skipped %q", r.Name, im.ImageDigest, im.Outcome, im.Message, im.ProtectedBy, r.Skipped)
		}
	}
	return nil
}

// contains checks that every removed image is in the plan. It also compares the actions,
// unless the plan's own reads counted as pulls.
func (t trial) contains(made, applied *report.Repository) error {
	for _, im := range applied.Images {
		if im.Outcome != plan.Deleted && im.Outcome != plan.MovedToArchive && im.Outcome != plan.Untagged {
			continue
		}
		if !slices.ContainsFunc(made.Images, func(p report.Image) bool {
			same := p.Verdict == im.Verdict || !t.pullsAreNotRecorded
			return p.ImageDigest == im.ImageDigest && same && len(p.ProtectedBy) == 0
		}) {
			return fmt.Errorf("%s/%s went by %s, which was not in the plan", made.Name, im.ImageDigest, im.Verdict)
		}
	}
	return nil
}

// idle checks that a second run removes nothing. It skips runs whose limits stopped a repository,
// and runs that removed tags: without the tags another rule may match the image.
func (t trial) idle(first, second *report.Report) error {
	goes := second.Totals.Deleted + second.Totals.Archived + second.Totals.TagsRemoved
	limited := slices.ContainsFunc(first.Repositories, func(r report.Repository) bool { return r.Skipped == plan.SkipLimit })
	if goes == 0 || limited || first.Totals.TagsRemoved > 0 {
		return nil
	}
	return fmt.Errorf("the second run removes %d images", goes)
}

// torn checks the remaining images against the facts, even those that the engine cannot
// know: related images, images in use and protected images.
func (m *model) torn(after []fakeecr.Image) error {
	left := map[string]string{} // status by digest
	for _, im := range after {
		left[im.Digest] = im.Status
	}
	reach := func(i int) int {
		switch left[m.images[i].Digest] {
		case "":
			return remove
		case "ARCHIVED":
			return archive
		}
		return stay
	}
	inUse := m.usedWithChildren()
	for i, im := range m.images {
		moved := left[im.Digest] != im.Status && !m.vanished[im.Digest]
		switch {
		case moved && inUse[i]:
			return fmt.Errorf("%s went although it is in use", im.Digest)
		case moved && m.vetoed[i]:
			return fmt.Errorf("%s went although it is protected", im.Digest)
		}
		for _, p := range m.parents(i, true) {
			if moved && reach(p) < reach(i) {
				return fmt.Errorf("%s went further than %s, to which it belongs", im.Digest, m.images[p].Digest)
			}
		}
	}
	return nil
}

// usedWithChildren returns the images in use with the indexes above them and the children below.
// Archived images cannot be pulled, so their children are not in use because of them.
func (m *model) usedWithChildren() map[int]bool {
	used := m.used(true)
	for grew := true; grew; {
		grew = false
		for i := range m.images {
			for _, p := range m.indexes(i, true) {
				if used[p] && !used[i] && m.images[p].Status != "ARCHIVED" {
					used[i], grew = true, true
				}
			}
		}
	}
	return used
}
