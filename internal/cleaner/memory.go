package cleaner

import (
	"slices"
	"sync"
)

// A memory bounds how many images a run holds, whatever the sizes of the
// repositories. Tenants come in the order of the list, and the first of those
// that are there always has room, so that it comes to its end.
type memory struct {
	mu           sync.Mutex
	change       sync.Cond
	reserved     int
	reservations []*reservation
}

// A reservation is a repository whose images are held: those listed while it is
// planned, thereafter those of the plan. A nil tenant holds nothing.
type reservation struct {
	*memory
	images int
}

const (
	// maxImages is the number of images beyond which only the first tenant gets
	// more; each of the others may wait with a page of them.
	maxImages = 50_000
	// overhead is what a tenant counts for besides its images.
	overhead = 50
)

func newMemory() *memory {
	r := &memory{}
	r.change.L = &r.mu
	return r
}

// reserve waits until there is room for another tenant.
func (r *memory) reserve() *reservation {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.reserved > maxImages && len(r.reservations) > 0 {
		r.change.Wait()
	}
	t := &reservation{memory: r}
	r.reservations = append(r.reservations, t)
	t.set(overhead)
	return t
}

// add waits until there is room for more images.
func (t *reservation) add(images int) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.reserved+images > maxImages && t.reservations[0] != t {
		t.change.Wait()
	}
	t.set(t.images + images)
}

// shrinkTo gives up all images but so many.
func (t *reservation) shrinkTo(images int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.set(overhead + images)
	t.change.Broadcast()
}

// release gives up everything.
func (t *reservation) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.set(0)
	t.reservations = slices.DeleteFunc(t.reservations, func(other *reservation) bool { return other == t })
	t.change.Broadcast()
}

func (t *reservation) set(images int) {
	t.reserved += images - t.images
	t.images = images
}
