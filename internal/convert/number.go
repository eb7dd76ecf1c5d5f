package convert

import (
	"math"
)

// number gives the rules their rulePriority: the one they had, or the next that
// is free if the rules before take more numbers than there are.
func (c *conversion) number() {
	if !c.numberFrom(func(r *rule) int { return r.RulePriority }) {
		c.numberFrom(func(*rule) int { return 1 })
	}
	for _, r := range c.rules {
		if len(r.equivalent) > 0 && r.equivalent[0].RulePriority != r.RulePriority {
			r.value.Member("rulePriority").Warn("is %d in the result; rules with a lower one take more numbers there",
				r.equivalent[0].RulePriority)
		}
	}
}

// numberFrom numbers the rules of each group from the least number that it may
// have, and returns false if the numbers do not suffice.
func (c *conversion) numberFrom(least func(*rule) int) bool {
	last := 0
	for i := range c.rules {
		r := &c.rules[i]
		for k := range r.equivalent {
			last = max(last+1, least(r))
			r.equivalent[k].RulePriority = last
		}
	}
	return last <= math.MaxInt32
}
