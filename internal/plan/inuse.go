package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/clock"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/reference"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// imagesInUse are the images in use in one repository.
type imagesInUse struct {
	*contents
	graph      *graph.Graph
	by         map[string][]string // the users of each image and of the images below it, by digest
	needed     map[string]bool     // the digests in by that are in use not only by idle families
	findings   []finding.Finding
	unresolved []string    // the containers without a recorded digest, in words
	moved      []string    // the containers whose tag is on another image now, in words
	began      clock.Stamp // when the scan began; zero without a scan
	listed     []string    // the accounts of which the scan has a list
	// organization is that whose accounts are all in listed, or "".
	organization string
}

// inUse returns the images that the sources in the settings use, and a Skip if one of the
// sources failed or was not queried.
func (c *contents) inUse(ctx context.Context, g *graph.Graph, settings config.Protect) (*imagesInUse, *Skip) {
	u := &imagesInUse{contents: c, graph: g, by: map[string][]string{}, needed: map[string]bool{}}
	sources := settings.Sources()
	switch {
	case len(sources) == 0:
		return u, nil
	case c.Scanner == nil:
		return u, &Skip{SkipScanFailed, "in-use scan: no source was queried"}
	}
	scan, uses, began := c.Scanner.Newest(ctx)
	u.began, u.listed, u.organization = began, scan.Listed, scan.Organization
	relied := map[string]bool{} // there may be hundreds of sources
	for _, source := range sources {
		relied[source] = true
	}
	if skip := c.afterFailures(ctx, scan.Failed, relied); skip != nil {
		return u, skip
	}
	u.addPulled(scan.At)
	named := false
	isStale := u.staleFamilies(uses.In(c.repository), scan.At, settings.ECS.FamilyDays)
	for _, use := range uses.In(c.repository) {
		switch {
		case !relied[use.Source] || use.Revision > settings.TaskDefinitionRevisions:
		case isStale(use):
			named = true
		default:
			named = u.addUse(use) || named
		}
	}
	if n := len(u.unresolved); n > 0 {
		u.addFinding(finding.UnresolvedDigest, "no digest is recorded for %s; the images with the tag are kept, which may be different images: %s",
			words.Count(n, "running container", "running containers"), strings.Join(words.Few(u.unresolved), "; "))
	}
	if n := len(u.moved); n > 0 {
		u.addFinding(finding.MovedTag, "the tag of %s has moved; a new container may run a different image: %s",
			words.Count(n, "running image", "running images"), strings.Join(words.Few(u.moved), "; "))
	}
	if !named {
		u.addNothingReferences(sources, scan.Failed)
	}
	return u, nil
}

// addNothingReferences adds the finding about the sources that did not fail.
func (u *imagesInUse) addNothingReferences(sources []string, failed []inuse.Failure) {
	answered := slices.DeleteFunc(slices.Clone(sources), func(source string) bool {
		return slices.ContainsFunc(failed, func(f inuse.Failure) bool { return f.Source == source })
	})
	if len(answered) > 0 {
		u.addFinding(finding.NothingReferences, "no reference to its images found in %s", strings.Join(words.Few(answered), ", "))
	}
}

// staleFamilies returns a function that reports whether a use is by a task definition family
// that nothing names and that was not active for so many days before the scan. With 0 days
// no use is. A pull of an image here, or of a child, counts too: the scan knows no children,
// and no pull after its question.
func (u *imagesInUse) staleFamilies(uses []*inuse.Use, scanned time.Time, days int) func(*inuse.Use) bool {
	since, active := hoursBefore(scanned, 24*days), map[string]bool{}
	for _, use := range uses {
		if use.Family == "" || days == 0 {
			continue
		}
		positions, _ := u.resolve(use.Reference)
		for _, i := range positions {
			im := &u.images[i]
			if pulled := max(im.LastRecordedPullTime, latestPull(u.below(im.Digest))); !pulled.Before(since) {
				active[use.Family] = true
			}
		}
	}
	return func(use *inuse.Use) bool {
		return days > 0 && use.Family != "" && !active[use.Family] && !use.LastActivity.IsZero() &&
			evaluator.At(use.LastActivity).Before(since)
	}
}

// addPulled adds the images that were pulled since the second in which the scan began. The
// scan may have missed these pulls, and the re-check sees only later ones.
func (u *imagesInUse) addPulled(began time.Time) {
	if began.IsZero() {
		return
	}
	since := evaluator.At(began.Truncate(time.Second))
	for i := range u.images {
		if pulled := u.images[i].LastRecordedPullTime; !pulled.IsZero() && !pulled.Before(since) {
			u.add(u.images[i].Digest, "a pull since the in-use scan began", true)
		}
	}
}

// addUse adds the use and reports whether it names an image of the repository. If its host
// is no ECR registry, it does so only if the image is listed.
func (u *imagesInUse) addUse(use *inuse.Use) bool {
	ref := use.Reference
	if use.AllImages {
		for i := range u.images {
			u.add(u.images[i].Digest, use.By, use.Family == "")
		}
		return true
	}
	positions, exact := u.resolve(ref)
	if len(positions) == 0 && ref.RegistryID == "" {
		return false
	}
	for _, i := range positions {
		u.add(u.images[i].Digest, use.By, use.Family == "")
	}
	switch {
	case len(positions) == 0:
		u.addFinding(finding.UnlistedReference, "%s refers to %s, which is not in the repository", use.By, ref)
	case !exact && ref.RegistryID != "":
		u.addFinding(finding.UnlistedReference, "%s refers to %s, which is not in the repository; the images with the tag %s are kept instead", use.By, ref, ref.Tag)
	}
	switch {
	case !use.Runs:
	case ref.Digest == "":
		u.unresolved = append(u.unresolved, fmt.Sprintf("%s runs %s", use.By, ref))
	case exact:
		u.addMoved(use)
	}
	return true
}

// resolve returns the positions of the images with the digest. Without a digest it returns
// those with the tag, and also, with exact false, if no listed image has the digest.
func (u *imagesInUse) resolve(ref reference.Reference) (positions []int, exact bool) {
	if ref.Digest == "" {
		return u.listing.WithName(ref.Tag), true
	}
	if positions := u.listing.WithName(ref.Digest); len(positions) > 0 {
		return positions, true
	}
	return u.listing.WithName(ref.Tag), false
}

func (u *imagesInUse) add(digest, by string, needed bool) {
	for _, d := range append(u.graph.Ancestors(digest), digest) {
		u.needed[d] = u.needed[d] || needed
		if !slices.Contains(u.by[d], by) {
			u.by[d] = append(u.by[d], by)
		}
	}
}

// idleFinding returns a finding about the images that only idle families protect, if there
// are any and familyDays is not set.
func (u *imagesInUse) idleFinding(images []Image, familyDays int) []finding.Finding {
	if familyDays > 0 {
		return nil
	}
	n := 0
	for i := range images {
		im := &images[i]
		others := func(p Protection) bool { return p.Kind != ByInUse }
		if len(u.by[im.Digest]) > 0 && !u.needed[im.Digest] && im.Protected() && !slices.ContainsFunc(im.ProtectedBy, others) {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return []finding.Finding{u.finding(finding.IdleFamily,
		"%s protected only by ECS task definition families that nothing names; with protect.ecs.familyDays, which ends "+
			"the protection by families without activity in that time, there would be up to %d to remove",
		words.Count(n, "image is", "images are"), n)}
}

// addMoved notes a use whose tag is neither on its image nor on an index above that.
func (u *imagesInUse) addMoved(use *inuse.Use) {
	running := append(u.graph.Ancestors(use.Reference.Digest), use.Reference.Digest)
	tagged := u.listing.WithName(use.Reference.Tag)
	if len(tagged) == 0 || slices.ContainsFunc(tagged, func(i int) bool { return slices.Contains(running, u.images[i].Digest) }) {
		return
	}
	u.moved = append(u.moved, fmt.Sprintf("%s runs %s, and the tag is on %s now", use.By, use.Reference, u.images[tagged[0]].Digest))
}

func (u *imagesInUse) addFinding(kind finding.Kind, format string, args ...any) {
	u.findings = append(u.findings, u.finding(kind, format, args...))
}

// protectTags returns further protections of the tags: an index above the image is in use,
// an unread index may be related to an image in use, or a tag names the image's subject.
func (u *imagesInUse) protectTags(im *evaluator.Image, tags []string) []Protection {
	var by []Protection
	if len(u.by[im.Digest]) == 0 {
		_, users := u.indexAbove(im.Digest)
		by = inUseBy(users)
	}
	if index := u.graph.Unreadable(); index != "" && len(u.by) > 0 {
		by = append(by, Protection{ByUnreadableIndex, index})
	}
	for _, subject := range graph.Subjects(evaluator.Image{Tags: tags}) {
		by = append(by, Protection{BySubject, subject})
	}
	return by
}

// indexAbove returns an index in use above the image, or "", and its users.
func (u *imagesInUse) indexAbove(digest string) (index string, users []string) {
	for _, index := range u.graph.Ancestors(digest) {
		if len(u.by[index]) > 0 {
			return index, u.by[index]
		}
	}
	return "", nil
}
