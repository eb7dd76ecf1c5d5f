package attach

import "github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"

// Counts are what ECR would do after the changes, in numbers of images.
type Counts struct {
	// Evaluated is the number of images listed.
	Evaluated int `json:"evaluated"`
	// Expired and Transitioned are what would go, in use or not.
	Expired      int `json:"expired"`
	Transitioned int `json:"transitioned"`
	// Blocked is what the policy marks and ECR keeps, because an index that
	// stays lists it.
	Blocked int `json:"blocked"`
	// InUse is how many of Expired and Transitioned are in use, as far as that
	// is known.
	InUse int `json:"inUse"`
}

// Counts sums up the foresight.
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

// Danger names what speaks against the plan: how many images in use ECR would
// take, and why that is not known of others ("" when it is).
func (p *Plan) Danger() (inUse int, doubt string) {
	for i := range p.Repositories {
		r := &p.Repositories[i]
		c := r.Counts()
		inUse += c.InUse
		if d := r.Foresight.Doubt; d != nil && doubt == "" && c.Expired+c.Transitioned > 0 {
			doubt = r.Name + ": " + d.Message
		}
	}
	return inUse, doubt
}
