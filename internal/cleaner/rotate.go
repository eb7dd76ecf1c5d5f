package cleaner

import (
	"cmp"
	"hash/crc32"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// startOrder returns the indexes of the repositories in the order in which they start.
//
// The rotation order sorts them by a hash of the name, which separates large repositories
// with similar names. Each day starts at another point, which spreads evenly: if a day is
// enough for k of n repositories, all n are handled within about 2n/k days. After a daily
// shuffle some would wait ln n times as long.
func (r *Runner) startOrder(repositories []plan.Repository) []int {
	order := make([]int, len(repositories))
	for i := range order {
		order[i] = i
	}
	if r.course != nil {
		slices.SortFunc(order, func(i, j int) int {
			a, b := repositories[i].Name, repositories[j].Name
			return cmp.Or(cmp.Compare(r.course.distance(a), r.course.distance(b)), cmp.Compare(a, b))
		})
		return order
	}
	if !r.Rotate {
		return order
	}
	hash := func(name string) uint32 { return crc32.ChecksumIEEE([]byte(name)) }
	slices.SortFunc(order, func(i, j int) int {
		a, b := repositories[i].Name, repositories[j].Name
		return cmp.Or(cmp.Compare(hash(a), hash(b)), cmp.Compare(a, b))
	})
	first := int(r.dailyPoint() * float64(len(order)))
	return slices.Concat(order[first:], order[:first])
}
