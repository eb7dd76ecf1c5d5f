package cleaner

import (
	"cmp"
	"hash/crc32"
	"math"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// startOrder returns the places of the repositories in the order in which they begin.
//
// Where they rotate, they stand in a circle, scattered by their names so that
// large ones are not neighbours, and each day begins at another point of it. The
// points of successive days are a golden section of the circle apart, which
// spreads any number of them evenly: if each day comes through k of n, all n had
// their turn after 2n/k days. With a new shuffle each day some would wait for
// ln n times as long.
func (r *Runner) startOrder(repositories []plan.Repository) []int {
	places := make([]int, len(repositories))
	for i := range places {
		places[i] = i
	}
	if !r.Rotate {
		return places
	}
	slices.SortFunc(places, func(a, b int) int {
		one, other := repositories[a].Name, repositories[b].Name
		return cmp.Or(cmp.Compare(hash(one), hash(other)), cmp.Compare(one, other))
	})
	const secondsOfADay = 24 * 60 * 60
	_, point := math.Modf(float64(r.Now.Unix()/secondsOfADay) / math.Phi)
	first := int(math.Abs(point) * float64(len(places)))
	return slices.Concat(places[first:], places[:first])
}

func hash(name string) uint32 { return crc32.ChecksumIEEE([]byte(name)) }
