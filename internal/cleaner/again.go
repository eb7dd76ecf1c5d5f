package cleaner

import "slices"

// fresh reports whether a removing call may rely on the plan and on its scan.
func (p *RepositoryPlan) fresh(now moment) bool {
	young := func(m moment) bool { return !m.known() || m.age(now) <= MaxScanAge }
	return young(p.scanned) && young(p.made)
}

// open returns the images that are still to be removed.
func (p *RepositoryPlan) open() []*PlannedImage {
	var open []*PlannedImage
	for i := range p.Images {
		if p.Images[i].open() {
			open = append(open, &p.Images[i])
		}
	}
	return open
}

// released returns the images that are still to follow others of which all are
// gone, with the last that they went with.
func (p *RepositoryPlan) released() map[string]string {
	outcomes := map[string]Outcome{}
	for i := range p.Images {
		outcomes[p.Images[i].Digest] = p.Images[i].Outcome
	}
	released := map[string]string{}
	for i := range p.Images {
		im := &p.Images[i]
		stays := func(parent string) bool { return !im.removedFor(outcomes[parent]) }
		if im.Action == Follow && im.open() && len(im.Parents) > 0 && !slices.ContainsFunc(im.Parents, stays) {
			released[im.Digest] = im.Reason
		}
	}
	return released
}

// readsOf returns the reads of the manifests of these images, by digest.
func readsOf(images []*PlannedImage) map[string]ownRead {
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

// after returns the planner for a repository of which the plan before was carried out in
// part.
func (p Planner) after(before *RepositoryPlan) Planner {
	p.released, p.reads = before.released(), readsOf(before.open())
	return p
}

// afterReads returns the planner for a repository after a plan that would have removed
// these images and was not carried out.
func (p Planner) afterReads(images []*PlannedImage) Planner {
	p.reads = readsOf(images)
	return p
}
