package cleaner

import (
	"slices"
	"sync"
)

// A room bounds how many images a run holds, whatever the sizes of the
// repositories. Tenants come in the order of the list, and the first of those
// that are there always has room, so that it comes to its end.
type room struct {
	mu      sync.Mutex
	change  sync.Cond
	held    int
	tenants []*tenant
}

// A tenant is a repository whose images are held: those listed while it is
// planned, thereafter those of the plan. A nil tenant holds nothing.
type tenant struct {
	*room
	images int
}

const (
	// maxImages is the number of images beyond which only the first tenant gets
	// more; each of the others may wait with a page of them.
	maxImages = 50_000
	// ownWeight is what a tenant counts for besides its images.
	ownWeight = 50
)

func newRoom() *room {
	r := &room{}
	r.change.L = &r.mu
	return r
}

// enter waits until there is room for another tenant.
func (r *room) enter() *tenant {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.held > maxImages && len(r.tenants) > 0 {
		r.change.Wait()
	}
	t := &tenant{room: r}
	r.tenants = append(r.tenants, t)
	t.set(ownWeight)
	return t
}

// add waits until there is room for more images.
func (t *tenant) add(images int) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.held+images > maxImages && t.tenants[0] != t {
		t.change.Wait()
	}
	t.set(t.images + images)
}

// keep gives up all images but so many.
func (t *tenant) keep(images int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.set(ownWeight + images)
	t.change.Broadcast()
}

// leave gives up everything.
func (t *tenant) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.set(0)
	t.tenants = slices.DeleteFunc(t.tenants, func(other *tenant) bool { return other == t })
	t.change.Broadcast()
}

func (t *tenant) set(images int) {
	t.held += images - t.images
	t.images = images
}
