package plan

import "slices"

// After returns the planner for a new plan of a repository after the plan before was
// applied in part.
func (p Planner) After(before *Plan) Planner {
	p.released, p.reads = before.released(), readsOf(before.Open())
	return p
}

// AfterReads returns the planner for a new plan of a repository after a plan with these
// images was made and not applied.
func (p Planner) AfterReads(images []*Image) Planner {
	p.reads = readsOf(images)
	return p
}

// released returns the reasons of the images that are still to follow other images, all
// of which are removed, by digest.
func (plan *Plan) released() map[string]string {
	outcomes := map[string]Outcome{}
	for i := range plan.Images {
		outcomes[plan.Images[i].Digest] = plan.Images[i].Outcome
	}
	released := map[string]string{}
	for _, im := range plan.Open() {
		kept := func(parent string) bool { return !im.RemovedFor(outcomes[parent]) }
		if im.Action == Follow && len(im.Parents) > 0 && !slices.ContainsFunc(im.Parents, kept) {
			released[im.Digest] = im.Reason
		}
	}
	return released
}
