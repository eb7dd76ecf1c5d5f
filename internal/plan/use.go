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

// A inUse is what is in use in one repository.
type inUse struct {
	// by names for each digest what uses it, also for the indexes above it.
	by map[string][]string
	// findings are about the uses.
	findings []finding.Finding
	// unresolved names the containers that run without a recorded digest. Moved names
	// those whose tag is on another image now.
	unresolved, moved []string
	// at is when the scan began; zero without a scan.
	at clock.Stamp
}

// sourcesOf returns the names of the sources that the settings rely upon.
func sourcesOf(settings config.Protect) []string {
	return slices.Concat(settings.InUse, settings.References)
}

// inUse returns what is in use among the contents. A skip means that a source
// which these settings rely upon did not answer or was not asked.
func (p Planner) inUse(ctx context.Context, c *contents, g *graph.Graph, settings config.Protect) (inUse, *Skip) {
	u := inUse{by: map[string][]string{}}
	sources := sourcesOf(settings)
	switch {
	case len(sources) == 0:
		return u, nil
	case p.Scanner == nil:
		return u, &Skip{SkipScanFailed, "in-use scan: nobody was asked"}
	}
	scan, places, at := p.Scanner.Newest(ctx)
	u.at = at
	for _, f := range scan.Failed {
		if slices.Contains(sources, f.Source) {
			return u, &Skip{SkipScanFailed, "in-use scan: " + f.String()}
		}
	}
	u.addPulled(c, g, scan.At)
	named := false
	for _, use := range places.In(c.repository) {
		if slices.Contains(sources, use.Source) && use.Revision <= settings.TaskDefinitionRevisions {
			named = u.addUse(c, g, use) || named
		}
	}
	u.addRunningFindings(c.repository)
	if !named {
		u.findings = append(u.findings, finding.Finding{Kind: finding.NothingReferences, Repository: c.repository, Message: "nothing that was asked references an image of it"})
	}
	return u, nil
}

// addUse notes a use, and reports whether it names an image of the repository. A use of
// another host names one only if such an image is listed.
func (u *inUse) addUse(c *contents, g *graph.Graph, use *inuse.Use) bool {
	places, meant := c.resolve(use.Reference)
	for _, i := range places {
		u.add(g, c.images[i].Digest, use.By)
	}
	certain := use.Reference.RegistryID != ""
	switch {
	case len(places) == 0 && !certain:
		return false
	case len(places) == 0:
		u.unlisted(c.repository, use, "")
	case !meant && certain:
		u.unlisted(c.repository, use, "; instead the images with the tag "+use.Reference.Tag+" are in use")
	}
	if use.Runs && use.Reference.Digest == "" {
		u.unresolved = append(u.unresolved, fmt.Sprintf("%s runs %s", use.By, use.Reference))
	}
	if use.Runs && use.Reference.Digest != "" && meant {
		u.addMoved(c, g, use)
	}
	return true
}

func (u *inUse) unlisted(repository string, use *inuse.Use, instead string) {
	message := fmt.Sprintf("%s refers to %s, which is not listed%s", use.By, use.Reference, instead)
	u.findings = append(u.findings, finding.Finding{Kind: finding.UnlistedReference, Repository: repository, Message: message})
}

// addMoved notes a use by a tag that is neither on the image in use nor on an index
// that lists the image.
func (u *inUse) addMoved(c *contents, g *graph.Graph, use *inuse.Use) {
	runs := append(g.Ancestors(use.Reference.Digest), use.Reference.Digest)
	bearers := c.withName(use.Reference.Tag)
	if len(bearers) == 0 || slices.ContainsFunc(bearers, func(i int) bool { return slices.Contains(runs, c.images[i].Digest) }) {
		return
	}
	u.moved = append(u.moved, fmt.Sprintf("%s runs %s, and the tag is on %s now", use.By, use.Reference, c.images[bearers[0]].Digest))
}

// addRunningFindings adds a finding for unresolved and one for moved containers.
func (u *inUse) addRunningFindings(repository string) {
	add := func(kind finding.Kind, what string, cases []string) {
		if len(cases) > 0 {
			u.findings = append(u.findings, finding.Finding{Kind: kind, Repository: repository, Message: what + ": " + strings.Join(words.Few(cases), "; ")})
		}
	}
	add(finding.UnresolvedDigest, "no digest is recorded for "+words.Count(len(u.unresolved), "running container", "running containers")+
		", so that the images with the tag are kept, which may be others", u.unresolved)
	add(finding.MovedTag, "the tag of "+words.Count(len(u.moved), "image that runs", "images that run")+" has moved; what starts next may run another image", u.moved)
}

// resolve returns the places of the images that the reference means. Its digest decides,
// if it has one, since its tag may have moved. Meant is false if no image with the
// digest is listed; then the places are those of the images with the tag.
func (c *contents) resolve(ref reference.Reference) (places []int, meant bool) {
	if ref.Digest == "" {
		return c.withName(ref.Tag), true
	}
	if places := c.withName(ref.Digest); len(places) > 0 {
		return places, true
	}
	return c.withName(ref.Tag), false
}

// add notes that the image is in use, and with it the indexes that list it.
func (u *inUse) add(g *graph.Graph, digest, by string) {
	for _, d := range append(g.Ancestors(digest), digest) {
		if !slices.Contains(u.by[d], by) {
			u.by[d] = append(u.by[d], by)
		}
	}
}

// addPulled marks as in use the images that were pulled since the second in which the
// scan began. The scan may have missed the puller, and the re-check sees later pulls
// only.
func (u *inUse) addPulled(c *contents, g *graph.Graph, began time.Time) {
	if began.IsZero() {
		return
	}
	since := evaluator.At(began.Truncate(time.Second))
	for i := range c.images {
		if pulled := c.images[i].LastRecordedPullTime; !pulled.IsZero() && !pulled.Before(since) {
			u.add(g, c.images[i].Digest, "whoever pulled it since the question what is in use")
		}
	}
}

// protections returns what uses the image, at most a few of many.
func (u *inUse) protections(digest string) []Protection {
	var protections []Protection
	for _, by := range words.Few(u.by[digest]) {
		protections = append(protections, Protection{ByInUse, by})
	}
	return protections
}

// tagged returns what protects an image from losing tags although it would
// protect it from nothing else, since the image stays: that it is the child of
// an index in use, that an index was not read, so that it may be one or list one
// that is in use, or that a tag ties it to its subject.
func (u *inUse) tagged(g *graph.Graph, im *evaluator.Image, tags []string) []Protection {
	var by []Protection
	if len(u.by[im.Digest]) == 0 {
		_, users := u.above(g, im.Digest)
		for _, user := range words.Few(users) {
			by = append(by, Protection{ByInUse, user})
		}
	}
	if index := g.Unreadable(); index != "" && len(u.by) > 0 {
		by = append(by, Protection{ByUnreadableIndex, index})
	}
	for _, subject := range graph.Subjects(evaluator.Image{Tags: tags}) {
		by = append(by, Protection{BySubject, subject})
	}
	return by
}
