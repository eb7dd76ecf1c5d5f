package attach

import "github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"

// Counts are the numbers of images that ECR would delete, archive or keep after the changes.
type Counts struct {
	Evaluated    int `json:"evaluated"`
	Expired      int `json:"expired"`      // including images in use
	Transitioned int `json:"transitioned"` // including images in use
	Blocked      int `json:"blocked"`      // marked, but kept as children of a kept index
	InUse        int `json:"inUse"`        // of Expired and Transitioned
}

// Counts returns the counts of the repository.
func (r *Repository) Counts() Counts {
	c := Counts{Evaluated: r.Foresight.Listed}
	for i := range r.Foresight.Images {
		im := &r.Foresight.Images[i]
		switch {
		case im.BlockedBy != "":
			c.Blocked++
			continue
		case im.Action == evaluator.Transition:
			c.Transitioned++
		default:
			c.Expired++
		}
		if len(im.UsedBy) > 0 {
			c.InUse++
		}
	}
	return c
}

// Add adds the counts of another repository.
func (c *Counts) Add(o Counts) {
	c.Evaluated += o.Evaluated
	c.Expired += o.Expired
	c.Transitioned += o.Transitioned
	c.Blocked += o.Blocked
	c.InUse += o.InUse
}

// Danger returns the number of images in use that ECR would delete or archive. If that is
// unknown in some repositories, unknown names the first one and the reason.
func (p *Plan) Danger() (inUse int, unknown string) {
	for i := range p.Repositories {
		r := &p.Repositories[i]
		c := r.Counts()
		inUse += c.InUse
		if d := r.Foresight.InUseUnknown; d != nil && unknown == "" && c.Expired+c.Transitioned > 0 {
			unknown = r.Name + ": " + d.Message
		}
	}
	return inUse, unknown
}
