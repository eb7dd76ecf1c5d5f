package review

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// A comparison compares two reports. Existing returns which images exist now; it is nil if
// this is not known.
type comparison struct {
	from, to *report.Report
	existing func(repository string, digests []string) (map[string]evaluator.Image, error)
}

func (c comparison) run() (*Difference, error) {
	if err := sameRegistry(c.from, c.to); err != nil {
		return nil, err
	}
	d := &Difference{
		Version: 1, From: sideOf(c.from), To: sideOf(c.to),
		Added: []Image{}, Removed: []Image{}, Changed: []Image{}, Repositories: []Repository{},
	}
	before, after := byName(c.from), byName(c.to)
	names := maps.Clone(before)
	maps.Copy(names, after)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		r := pair{name: name, from: before[name], to: after[name], start: c.from.Start}
		if was, is := stateOf(r.from), stateOf(r.to); was != is {
			d.Repositories = append(d.Repositories, Repository{Name: name, Before: was, After: is})
		}
		first := len(d.Removed)
		r.compare(d)
		if err := c.findGone(name, d.Removed[first:]); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func sideOf(r *report.Report) Side {
	images, bytes := r.Removals()
	return Side{
		RunID: r.RunID, Mode: r.Mode, Account: r.Account, Region: r.Region, Start: r.Start, Configuration: r.Configuration,
		Incomplete: r.Incomplete, Images: images, Bytes: bytes, report: r,
	}
}

func byName(r *report.Report) map[string]*report.Repository {
	named := make(map[string]*report.Repository, len(r.Repositories))
	for i := range r.Repositories {
		named[r.Repositories[i].Name] = &r.Repositories[i]
	}
	return named
}

// stateOf says whether a plan has a repository, which may be nil, and skips it.
func stateOf(r *report.Repository) string {
	switch {
	case r == nil:
		return "not in the plan"
	case r.Skipped != "":
		return "skipped: " + string(r.Skipped)
	}
	return "planned"
}

// A pair is one repository in both plans. One of the two may be nil.
type pair struct {
	name     string
	from, to *report.Repository
	start    time.Time // of the first plan
}

// compare adds the images that differ.
func (p pair) compare(d *Difference) {
	before, after := byDigest(p.from), byDigest(p.to)
	for _, im := range images(p.to) {
		was, is := p.before(before[im.ImageDigest], im), state(p.to, im)
		switch {
		case is.Removed && !was.Removed:
			d.Added = append(d.Added, p.image(im, was, is))
			d.AddedBytes += deletedBytes(im)
		case was.Removed && !is.Removed:
			d.Removed = append(d.Removed, p.image(im, was, is))
			d.RemovedBytes += deletedBytes(before[im.ImageDigest])
		case differ(before[im.ImageDigest], im) && stateOf(p.from) == stateOf(p.to):
			d.Changed = append(d.Changed, p.image(im, was, is))
		}
	}
	for _, im := range images(p.from) {
		was := state(p.from, im)
		if after[im.ImageDigest] != nil || !was.Removed {
			continue
		}
		d.Removed = append(d.Removed, p.image(im, was, State{Why: p.missing()}))
		d.RemovedBytes += deletedBytes(im)
	}
}

func images(r *report.Repository) []*report.Image {
	if r == nil {
		return nil
	}
	all := make([]*report.Image, len(r.Images))
	for i := range r.Images {
		all[i] = &r.Images[i]
	}
	return all
}

func byDigest(r *report.Repository) map[string]*report.Image {
	all := map[string]*report.Image{}
	for _, im := range images(r) {
		all[im.ImageDigest] = im
	}
	return all
}

func (p pair) image(im *report.Image, before, after State) Image {
	return Image{
		Repository: p.name, ImageDigest: im.ImageDigest, ImageTags: im.ImageTags, ImageSizeInBytes: im.ImageSizeInBytes,
		Before: before, After: after,
	}
}

// deletedBytes returns how many bytes a plan would delete of the image. It is an upper bound.
func deletedBytes(im *report.Image) int64 {
	if planned := im.Planned(); !planned.Deletes() {
		return 0
	}
	return im.ImageSizeInBytes
}

// state returns the state of an image in a plan that has it.
func state(r *report.Repository, im *report.Image) State {
	s := State{Verdict: im.Verdict, AppliedRulePriority: im.AppliedRulePriority, OnExpire: im.OnExpire, Untag: im.Untag, Why: im.Reason}
	switch {
	case r.Skipped != "":
		s.Why = stateOf(r) + ": " + r.Message
	case len(im.ProtectedBy) > 0:
		s.Why = "protected by " + protections(im)
	default:
		s.Removed = true
	}
	return s
}

func protections(im *report.Image) string {
	by := make([]string, len(im.ProtectedBy))
	for i, p := range im.ProtectedBy {
		by[i] = p.String()
	}
	return strings.Join(by, ", ")
}

// before returns the state in the first plan of an image of the second one. Known is the
// image in the first plan, or nil.
func (p pair) before(known, im *report.Image) State {
	switch {
	case known != nil:
		return state(p.from, known)
	case p.from == nil:
		return State{Why: "the repository was not in the plan"}
	case p.from.Skipped != "":
		return State{Why: stateOf(p.from) + ": " + p.from.Message}
	case im.ImagePushedAt.After(p.start):
		return State{Why: "not pushed yet"}
	}
	return State{Why: "no rule marked it"}
}

const goneOrKept = "it is gone, or no rule marks it any more"

// missing says why the second plan does not have an image that the first one removes.
func (p pair) missing() string {
	switch {
	case p.to == nil:
		return "the repository is not in the plan"
	case p.to.Skipped != "":
		return stateOf(p.to) + ": " + p.to.Message
	}
	return goneOrKept
}

// differ reports whether two plans that both remove or both keep an image do so for another
// reason. Ages and ranks in the reason change every day and do not count.
func differ(a, b *report.Image) bool {
	if a == nil || b == nil {
		return false
	}
	kinds := func(im *report.Image) []plan.ProtectionKind {
		var kinds []plan.ProtectionKind
		for _, p := range im.ProtectedBy {
			kinds = append(kinds, p.Kind)
		}
		slices.Sort(kinds)
		return slices.Compact(kinds)
	}
	return a.Verdict != b.Verdict || a.OnExpire != b.OnExpire || a.AppliedRulePriority != b.AppliedRulePriority ||
		!slices.Equal(a.Untag, b.Untag) || !slices.Equal(kinds(a), kinds(b))
}

// findGone says of each removed image that the second plan does not have whether it exists.
func (c comparison) findGone(repository string, removed []Image) error {
	if c.existing == nil {
		return nil
	}
	var unsure []*Image
	var digests []string
	for i := range removed {
		if im := &removed[i]; im.After.Why == goneOrKept {
			unsure, digests = append(unsure, im), append(digests, im.ImageDigest)
		}
	}
	there, err := c.existing(repository, digests)
	if err != nil {
		return exit.Failuref("describe images of %s: %w", repository, err)
	}
	for _, im := range unsure {
		im.After.Why = "gone"
		if _, exists := there[im.ImageDigest]; exists {
			im.After.Why = "no rule marks it any more"
		}
	}
	return nil
}
