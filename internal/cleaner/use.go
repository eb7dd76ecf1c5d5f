package cleaner

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
)

// A usage is what is in use in one repository.
type usage struct {
	// by names for each digest what uses it, also for the indexes above it.
	by map[string][]string
	// findings are the references that lead to no listed image.
	findings []Finding
	// at is when the scan that says so began; zero when there was none.
	at moment
}

// sourcesOf returns the names of the sources that the settings rely upon.
func sourcesOf(settings config.Protect) []string {
	return slices.Concat(settings.InUse, settings.References)
}

// usage returns what is in use among the contents. A skip means that a source
// which these settings rely upon did not answer or was not asked.
func (p Planner) usage(ctx context.Context, c *contents, g *graph.Graph, settings config.Protect) (usage, *Skip) {
	u := usage{by: map[string][]string{}}
	sources := sourcesOf(settings)
	switch {
	case len(sources) == 0:
		return u, nil
	case p.scanner == nil:
		return u, &Skip{SkipScanFailed, "in-use scan: nobody was asked"}
	}
	scan, uses, at := p.scanner.newest(ctx)
	u.at = at
	for _, f := range scan.Failed {
		if slices.Contains(sources, f.Source) {
			return u, &Skip{SkipScanFailed, "in-use scan: " + f.String()}
		}
	}
	u.addPulled(c, g, scan.At)
	used := 0
	for _, use := range uses[c.repository] {
		if !slices.Contains(sources, use.Source) || use.Revision > settings.TaskDefinitionRevisions {
			continue
		}
		used++
		if i := c.meant(use); i >= 0 {
			u.add(g, c.images[i].Digest, use.By)
		} else {
			u.findings = append(u.findings, Finding{UnlistedReference, c.repository, fmt.Sprintf("%s refers to %s, which is not listed", use.By, use.Reference)})
		}
	}
	if used == 0 {
		u.findings = append(u.findings, Finding{NothingReferences, c.repository, "nothing that was asked references an image of it"})
	}
	return u, nil
}

// meant returns the place of the image that is in use, or -1. A digest alone
// decides: its tag may have moved on.
func (c *contents) meant(use inuse.Use) int {
	if use.Reference.Digest != "" {
		return c.find(use.Reference.Digest)
	}
	return c.find(use.Reference.Tag)
}

// add notes that the image is in use, and with it the indexes that list it.
func (u *usage) add(g *graph.Graph, digest, by string) {
	for _, d := range append(g.Ancestors(digest), digest) {
		if !slices.Contains(u.by[d], by) {
			u.by[d] = append(u.by[d], by)
		}
	}
}

// addPulled takes for in use what was pulled since the scan began: the scan may
// not know who did, and the re-check sees later pulls only.
func (u *usage) addPulled(c *contents, g *graph.Graph, began time.Time) {
	if began.IsZero() {
		return
	}
	since := evaluator.At(began)
	for i := range c.images {
		if pulled := c.images[i].LastRecordedPullTime; !pulled.IsZero() && !pulled.Before(since) {
			u.add(g, c.images[i].Digest, "whoever pulled it since the question what is in use")
		}
	}
}

// protections returns what uses the image, at most a few of many.
func (u *usage) protections(digest string) []Protection {
	var protections []Protection
	for _, by := range few(u.by[digest]) {
		protections = append(protections, Protection{ByInUse, by})
	}
	return protections
}

// few returns the first few of the texts, and how many more there are.
func few(texts []string) []string {
	const most = 5
	if len(texts) <= most {
		return texts
	}
	return append(slices.Clone(texts[:most]), fmt.Sprintf("and %d more", len(texts)-most))
}
