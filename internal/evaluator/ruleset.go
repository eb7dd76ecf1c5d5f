package evaluator

import "math/bits"

// ruleSets holds one set of rules per image, as bits: a policy of up to 64
// rules takes eight bytes per image.
type ruleSets struct {
	bits  []uint64
	words int // per image
}

func makeRuleSets(images, rules int) ruleSets {
	words := (rules + 63) / 64
	return ruleSets{make([]uint64, images*words), words}
}

func (s ruleSets) add(image, rule int) {
	s.bits[image*s.words+rule/64] |= 1 << (rule % 64)
}

// each calls do with the rules in the set of the image, in ascending order.
func (s ruleSets) each(image int, do func(rule int)) {
	for w, set := range s.bits[image*s.words : (image+1)*s.words] {
		for ; set != 0; set &= set - 1 {
			do(64*w + bits.TrailingZeros64(set))
		}
	}
}
