package plan

import (
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/clock"
	"github.com/ecr-cleaner/ecr-cleaner/internal/usage"
)

// Fresh reports whether a removing call may rely on the plan and on its scan.
func (p *Plan) Fresh(now clock.Stamp) bool {
	young := func(m clock.Stamp) bool { return !m.Known() || m.Age(now) <= usage.MaxScanAge }
	return young(p.scanned) && young(p.Made)
}

// Open returns the images that are still to be removed.
func (p *Plan) Open() []*Image {
	var open []*Image
	for i := range p.Images {
		if p.Images[i].Open() {
			open = append(open, &p.Images[i])
		}
	}
	return open
}

// released returns the images that are still to follow others of which all are
// gone, with the last that they went with.
func (p *Plan) released() map[string]string {
	outcomes := map[string]Outcome{}
	for i := range p.Images {
		outcomes[p.Images[i].Digest] = p.Images[i].Outcome
	}
	released := map[string]string{}
	for i := range p.Images {
		im := &p.Images[i]
		stays := func(parent string) bool { return !im.RemovedFor(outcomes[parent]) }
		if im.Action == Follow && im.Open() && len(im.Parents) > 0 && !slices.ContainsFunc(im.Parents, stays) {
			released[im.Digest] = im.Reason
		}
	}
	return released
}

// readsOf returns the reads of the manifests of these images, by digest.
func readsOf(images []*Image) map[string]ownRead {
	reads := map[string]ownRead{}
	for _, im := range images {
		read := ownRead{im.Read, im.LastRecordedPullTime, im.ownPull}
		if im.readSeen { // ECR records a read once
			read.Span = Span{}
		}
		if !read.From.IsZero() || !read.recorded.IsZero() {
			reads[im.Digest] = read
		}
	}
	return reads
}

// After returns the planner for a repository of which the plan before was carried out in
// part.
func (p Planner) After(before *Plan) Planner {
	p.released, p.reads = before.released(), readsOf(before.Open())
	return p
}

// AfterReads returns the planner for a repository after a plan that would have removed
// these images and was not carried out.
func (p Planner) AfterReads(images []*Image) Planner {
	p.reads = readsOf(images)
	return p
}
