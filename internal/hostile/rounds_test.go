package hostile_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// maxRounds is more than the rounds of any trial: the last ones are not interrupted.
const maxRounds = 40

// drawRounds makes some trials of mode apply ones of several runs that continue. It takes
// other random numbers than the rest, so that other trials do not depend on it.
func (s *settings) drawRounds(random *rand.Rand) {
	if s.rounds = s.mode == "apply" && random.IntN(3) == 0; s.rounds {
		s.repositories, s.workers = []string{"app", "web", "api", "ops"}[:2+random.IntN(3)], 1+random.IntN(3)
	}
}

// A union sums up the runs of a trial.
type union struct {
	totals   report.Totals
	taken    map[string]int // how often calls deleted the image
	reported map[string]int // how often reports say so
	handled  map[string]bool
}

// applyRounds cleans the registry in runs that continue. Some are stopped, some are killed
// in the middle of a call, so that their reports are lost. The next run then begins where
// the killed one did. If that may have removed an image, the registry ends.
func (f *fixture) applyRounds(t *testing.T) {
	t.Helper()
	f.together = union{taken: map[string]int{}, reported: map[string]int{}, handled: map[string]bool{}}
	random, next := f.chance("rounds"), &config.Continuation{}
	for round := 0; next != nil; round++ {
		scans := f.scans
		r := f.runner(t, "apply")
		f.most = map[string]int{} // a new process knows no earlier scan
		stop := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		killed := round < maxRounds/2 && random.IntN(8) == 0
		f.interrupt(1+random.IntN(10+3*round), round < maxRounds/2, func() {
			if close(stop); killed {
				cancel()
			}
		})
		r.Continue, r.Stop = next, stop
		got, err := r.Run(ctx)
		f.pending.Wait()
		killed = killed && ctx.Err() != nil
		cancel()
		if len(f.scans) == 0 {
			f.scans = scans
		}
		switch {
		case killed && f.asked() > 0, err != nil && !killed:
			f.tally.note("rounds: the registry ends")
			f.judgeUnion(nil)
			f.unfinished = true
			return
		case killed:
			f.tally.note("rounds: killed and begun again")
			continue
		case round == maxRounds:
			f.faultf("%d runs do not end the registry: %+v", round, got.Continuation)
			return
		}
		f.judgeReport(&got, nil)
		f.judgeRound(&got, next)
		if next = got.Continuation; next != nil {
			f.tally.note("rounds: continued")
		}
		f.pauseBetweenRounds()
	}
	f.judgeUnion(f.repositories)
}

// interrupt makes the call with the number from now on interrupt the run.
func (f *fixture) interrupt(call int, interrupts bool, do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.interruptAt, f.interrupted = f.seq+call, do; !interrupts {
		f.interruptAt = 0
	}
}

// asked returns the number of images that the run asked to remove.
func (f *fixture) asked() (n int) {
	for _, asked := range f.requested {
		n += len(asked)
	}
	return n
}

// pauseBetweenRounds lets others change the registry.
func (f *fixture) pauseBetweenRounds() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.change(f.chance("between"), "", nil)
}

// judgeRound: a report says which repositories are not handled, and adds up with the others.
func (f *fixture) judgeRound(got *report.Report, before *config.Continuation) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.together.totals.AddRound(got.Totals)
	deleted := 0
	for i := range got.Repositories {
		r := &got.Repositories[i]
		if !r.Partial {
			f.together.handled[r.Name] = true
		} else {
			f.tally.note("rounds: partial repositories")
		}
		for _, im := range r.Images {
			if im.Outcome != plan.Deleted {
				continue
			}
			if deleted++; !strings.HasPrefix(im.Message, "unconfirmed") {
				f.together.reported[im.ImageDigest]++
			}
		}
	}
	if deleted != got.Totals.Deleted {
		f.faultf("the round counts %d deleted images, and has %d", got.Totals.Deleted, deleted)
	}
	after := got.Continuation
	if (after == nil) != (got.NotReached == 0) || after != nil && !got.Incomplete {
		f.faultf("%d repositories are not reached, and the continuation is %+v", got.NotReached, after)
	}
	if after == nil {
		return
	}
	sum := f.together.totals
	if spent := sum.Deleted + sum.Archived + sum.TagsRemoved + sum.Unknown; after.Left[0] > f.perRun-spent {
		f.faultf("%d of %d may have been removed, and %d are left", spent, f.perRun, after.Left[0])
	}
	if before.Round > 0 && after.Round != before.Round+1 {
		f.faultf("round %d follows round %d", after.Round, before.Round)
	}
}

// judgeUnion: all runs together remove no more than the limit, report no deletion twice, and
// handle all repositories that were there all the time.
func (f *fixture) judgeUnion(ended []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.removedByAll); n > f.perRun {
		f.faultf("%d images were removed in all runs together", n)
	}
	for digest, n := range f.together.reported {
		if n > f.together.taken[digest] {
			f.faultf("%s is said to be deleted %d times, and was %d times", f.names[digest], n, f.together.taken[digest])
		}
	}
	for _, repo := range ended {
		if !f.together.handled[repo] && f.server.Images(repo) != nil {
			f.faultf("no run handled %s", repo)
		}
	}
}

// judgeUnhandled: of a repository that the run's end interrupted the report has the images
// that a call of the run changed.
func (f *fixture) judgeUnhandled(got *report.Report) {
	if got.Continuation == nil {
		return
	}
	for _, repo := range f.repositories {
		i := slices.IndexFunc(got.Repositories, func(r report.Repository) bool { return r.Name == repo })
		if i >= 0 && !got.Repositories[i].Partial {
			continue
		}
		var images []report.Image
		if i >= 0 {
			images = got.Repositories[i].Images
		}
		for digest := range f.requested[repo] {
			d := f.deeds[digest]
			_, settled := f.unanswered(digest)
			reported := slices.ContainsFunc(images, func(im report.Image) bool { return im.ImageDigest == digest })
			if d != nil && !reported && (settled.IsZero() || !d.at.After(settled)) {
				f.faultf("a call of the run took effect on %s, and the report does not have it", f.names[digest])
			}
		}
	}
}
