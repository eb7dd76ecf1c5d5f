package cleaner

import (
	"slices"
	"sync"
)

const (
	maxImages = 50_000
	overhead  = 50 // added to the images of each reservation
)

// A memory limits the images in memory to maxImages and one page of a listing for each
// waiting repository. The oldest reservation never waits and may exceed the limit.
type memory struct {
	mu           sync.Mutex
	changed      sync.Cond
	reserved     int
	reservations []*reservation // the oldest first
}

// A reservation is the number of images in memory for one repository: first the listed
// images, then those of the plan.
type reservation struct {
	*memory
	images int
}

func newMemory() *memory {
	m := &memory{}
	m.changed.L = &m.mu
	return m
}

// reserve waits until another repository may start, and returns its reservation.
func (m *memory) reserve() *reservation {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.reserved > maxImages && len(m.reservations) > 0 {
		m.changed.Wait()
	}
	r := &reservation{memory: m}
	m.reservations = append(m.reservations, r)
	r.set(overhead)
	return r
}

// add waits until the reservation may have so many more images.
func (r *reservation) add(images int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.reserved+images > maxImages && r.reservations[0] != r {
		r.changed.Wait()
	}
	r.set(r.images + images)
}

// shrinkTo reduces the reservation to so many images.
func (r *reservation) shrinkTo(images int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set(overhead + images)
	r.changed.Broadcast()
}

func (r *reservation) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set(0)
	r.reservations = slices.DeleteFunc(r.reservations, func(other *reservation) bool { return other == r })
	r.changed.Broadcast()
}

func (r *reservation) set(images int) {
	r.reserved += images - r.images
	r.images = images
}
