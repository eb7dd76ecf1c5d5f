package evaluator

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

func (s ruleSets) has(image, rule int) bool {
	return s.bits[image*s.words+rule/64]>>(rule%64)&1 != 0
}
