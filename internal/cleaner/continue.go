package cleaner

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// A ContinuationError says why a run cannot continue the one before. Nothing was removed.
type ContinuationError struct{ Reason string }

func (e *ContinuationError) Error() string {
	return "continuation: " + e.Reason + "; start a new execution, or leave the continuation out of the request"
}

// maxAhead is the maximum number of repositories, handled or in progress, after the first
// one that is not handled. Its positions take about 10 KB in a state of AWS Step Functions.
const maxAhead = 500

// position returns the place of a repository in the order of runs that continue. It is the
// beginning of SHA-256, which depends on no version of the program or of Go, and which
// separates large repositories with similar names.
func position(repository string) uint64 {
	sum := sha256.Sum256([]byte(repository))
	return binary.BigEndian.Uint64(sum[:8])
}

// dailyPoint returns a part of 1. The golden ratio spreads the points of the days evenly.
func (r *Runner) dailyPoint() float64 {
	const secondsPerDay = 24 * 60 * 60
	_, point := math.Modf(float64(r.Now.Unix()/secondsPerDay) / math.Phi)
	return math.Abs(point)
}

// A course is the part of the order of repositories that a run handles. Distances are those
// of positions from first, going round.
type course struct {
	number int // of the next run
	first  uint64
	cursor uint64          // a distance
	done   map[uint64]bool // positions
}

// newCourse reads Continue. It returns nil if Continue is nil.
func (r *Runner) newCourse() (*course, error) {
	c := r.Continue
	switch {
	case c == nil:
		return nil, nil //nolint:nilnil // nil is the run that does not continue
	case r.Saved != nil:
		return nil, &ContinuationError{"a saved plan is applied in one run"}
	case c.Round == 0:
		return &course{number: 2, first: uint64(r.dailyPoint() * (1 << 63) * 2)}, nil
	case c.Configuration != r.ConfigurationHash:
		return nil, &ContinuationError{"the configuration has changed since the run before"}
	case len(c.Left) != len(r.newGrants().budgets()):
		return nil, &ContinuationError{fmt.Sprintf("left has %d numbers, and the configuration and the request have %d limits maxDeletions",
			len(c.Left), len(r.newGrants().budgets()))}
	case c.Round < 0 || slices.ContainsFunc(c.Left, func(n int) bool { return n < 0 }):
		return nil, &ContinuationError{"round or left is negative"}
	}
	var positions []uint64
	for _, text := range slices.Concat([]string{c.First, c.Cursor}, c.Done) {
		p, err := strconv.ParseUint(text, 16, 64)
		if err != nil || len(text) != 16 {
			return nil, &ContinuationError{fmt.Sprintf("%.40q is no position", text)}
		}
		positions = append(positions, p)
	}
	next := &course{number: c.Round + 1, first: positions[0], cursor: positions[1] - positions[0], done: map[uint64]bool{}}
	for _, p := range positions[2:] {
		next.done[p] = true
	}
	return next, nil
}

func (c *course) distance(repository string) uint64 { return position(repository) - c.first }

// passed reports whether an earlier run has handled the repository.
func (c *course) passed(repository plan.Repository) bool {
	return c.distance(repository.Name) < c.cursor || c.done[position(repository.Name)]
}

// setContinuation sets the report's Continuation if a repository is not handled. The
// positions that earlier runs handled stay in Done until the cursor has passed them.
func (r *Runner) setContinuation(result *report.Report, all []plan.Repository, ends ends, left *grants) {
	c := r.course
	if c == nil || !slices.ContainsFunc(ends, func(e end) bool { return !e.handled }) {
		return
	}
	cursor, open, done := uint64(math.MaxUint64), map[uint64]bool{}, map[uint64]bool{}
	for p := range c.done {
		done[p] = true
	}
	for i, repository := range all {
		p := position(repository.Name)
		if done[p] = true; !ends[i].handled {
			left.giveBack(ends[i].unused)
			open[p] = true
			cursor = min(cursor, p-c.first)
			result.NotReached++
		}
	}
	next := config.Continuation{
		Round: c.number, First: hexadecimal(c.first), Cursor: hexadecimal(c.first + cursor), Configuration: r.ConfigurationHash,
	}
	for _, budget := range left.budgets() {
		next.Left = append(next.Left, *budget)
	}
	for p := range done {
		if p-c.first > cursor && !open[p] {
			next.Done = append(next.Done, hexadecimal(p))
		}
	}
	slices.Sort(next.Done)
	result.Continuation, result.Incomplete = &next, true
}

func hexadecimal(position uint64) string { return fmt.Sprintf("%016x", position) }

// over reports whether the run's end has come.
func (r *Runner) over(ctx context.Context) bool { return ctx.Err() != nil || r.stopped() }

// handledIn reports whether the run is done with the repository of the plan. If not, the
// run's end interrupted it.
func (r *Runner) handledIn(ctx context.Context, p *plan.Plan) bool {
	unread := p.Skip != nil && (p.Skip.Code == plan.SkipDeadline || p.Skip.Code == plan.SkipInterrupted)
	notAttempted := func(im plan.Image) bool { return im.Outcome == plan.NotAttempted }
	return r.course == nil || !r.over(ctx) || !unread && !slices.ContainsFunc(p.Images, notAttempted)
}

// A window lets a run begin a repository only if at most maxAhead others are handled or in
// progress after the first one that is not handled. Nil never waits.
type window struct {
	mu       sync.Mutex
	moved    sync.Cond
	before   int // the repositories that earlier runs handled ahead
	first    int // the first repository in the order that has not ended
	finished map[int]bool
}

func newWindow(c *course) *window {
	if c == nil {
		return nil
	}
	w := &window{before: len(c.done), finished: map[int]bool{}}
	w.moved.L = &w.mu
	return w
}

// begin waits until the repository with the number in the order may begin.
func (w *window) begin(n int) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for n > w.first && n-w.first+w.before > maxAhead {
		w.moved.Wait()
	}
}

func (w *window) end(n int) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.finished[n] = true; w.finished[w.first]; w.first++ {
		delete(w.finished, w.first)
	}
	w.moved.Broadcast()
}
