package cleaner

import "sync/atomic"

// A Progress counts the repositories of a run while it goes on. It is safe for concurrent
// use, and nil counts nothing.
type Progress struct{ all, handled atomic.Int64 }

// Begin starts to count for a run on so many repositories.
func (p *Progress) Begin(repositories int) {
	if p != nil {
		p.handled.Store(0)
		p.all.Store(int64(repositories))
	}
}

// Handled counts a repository with which the run is done.
func (p *Progress) Handled() {
	if p != nil {
		p.handled.Add(1)
	}
}

// Counts returns the number of repositories that are handled, and of all. Both are 0
// before Begin.
func (p *Progress) Counts() (handled, all int) { return int(p.handled.Load()), int(p.all.Load()) }
