package scenario_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// A judgement compares a run under faults with its plan and its report.
type judgement struct {
	*soak
	before, after map[string][]fakeecr.Image
	// plan is a plan without faults, made just before the run.
	plan, report *report.Report
	seen         *tally
}

// judge judges the run, which ended with that error.
func (j *judgement) judge(runErr error) error {
	if runErr != nil {
		j.seen.unlisted++
		j.report.Repositories = nil
		return j.untouched()
	}
	if j.report.Incomplete {
		j.seen.unhandled++
	}
	if got, want := len(j.report.Repositories), len(j.picture); got != want {
		return fmt.Errorf("the report has %d of %d repositories", got, want)
	}
	removed := j.seen.removed
	faults := []error{j.sums()}
	for i, repo := range j.picture {
		if j.report.Repositories[i].Name != repo.name {
			return fmt.Errorf("the report has %s in place of %s", j.report.Repositories[i].Name, repo.name)
		}
		faults = append(faults, j.repository(&j.plan.Repositories[i], &j.report.Repositories[i]))
	}
	if removed = j.seen.removed - removed; removed > j.perRun {
		faults = append(faults, fmt.Errorf("%d images removed, maxDeletions is %d", removed, j.perRun))
	}
	return errors.Join(faults...)
}

// untouched checks that a run that could not list the registry changed nothing.
func (j *judgement) untouched() error {
	for _, repo := range j.picture {
		if stateOf(j.before[repo.name]) != stateOf(j.after[repo.name]) {
			return fmt.Errorf("%s was changed by a run that could not begin", repo.name)
		}
	}
	return nil
}

// sums checks that the counts are the sums of the images, that the totals are the sums of
// the repositories, and that the report says what is not done.
func (j *judgement) sums() error {
	if fault := programFault(j.report); fault != "" {
		return errors.New(fault)
	}
	var totals report.Totals
	unhandled := false
	for _, r := range j.report.Repositories {
		if got, want := outcomeCounts(r.Counts), countOutcomes(r.Images); got != want {
			return fmt.Errorf("%s counts %v, of its images are %v", r.Name, got, want)
		}
		totals.Repositories++
		totals.Deleted += r.Deleted
		totals.Archived += r.Archived
		totals.TagsRemoved += r.TagsRemoved
		totals.Failed += r.Failed
		totals.Unknown += r.Unknown
		totals.NotAttempted += r.NotAttempted
		switch r.Skipped {
		case plan.SkipFailed, plan.SkipDeadline, plan.SkipInterrupted, plan.SkipInvalidPolicy, plan.SkipScanFailed:
			unhandled = true
		}
	}
	got := j.report.Totals
	switch {
	case got.Repositories != totals.Repositories, got.Deleted != totals.Deleted, got.Archived != totals.Archived,
		got.TagsRemoved != totals.TagsRemoved, got.Failed != totals.Failed, got.Unknown != totals.Unknown, got.NotAttempted != totals.NotAttempted:
		return fmt.Errorf("totals are %+v, should be %+v", got, totals)
	case j.report.Incomplete != (unhandled || got.Failed+got.Unknown+got.NotAttempted > 0):
		return fmt.Errorf("incomplete is %v with %+v", j.report.Incomplete, got)
	case j.report.Incomplete != (len(j.report.Undone()) > 0):
		return fmt.Errorf("incomplete is %v, and undone are %v", j.report.Incomplete, j.report.Undone())
	}
	return nil
}

type counts struct{ deleted, archived, untagged, blocked, changed, gone, failed, unknown, notAttempted int }

func outcomeCounts(c report.Counts) counts {
	return counts{c.Deleted, c.Archived, c.TagsRemoved, c.Blocked, c.Changed, c.Gone, c.Failed, c.Unknown, c.NotAttempted}
}

func countOutcomes(images []report.Image) counts {
	n := map[plan.Outcome]int{}
	for _, im := range images {
		n[im.Outcome]++
	}
	return counts{
		n[plan.Deleted], n[plan.MovedToArchive], n[plan.Untagged], n[plan.Blocked],
		n[plan.Changed], n[plan.Gone], n[plan.Failed], n[plan.Unknown], n[plan.NotAttempted],
	}
}

func (j *judgement) repository(p, said *report.Repository) error {
	before, after := j.before[said.Name], j.after[said.Name]
	if said.Skipped == "" && said.Evaluated != len(before) {
		return fmt.Errorf("%s: %d images evaluated, there are %d", said.Name, said.Evaluated, len(before))
	}
	if said.Skipped != "" && said.Message == "" {
		return fmt.Errorf("%s: skipped %s without a word", said.Name, said.Skipped)
	}
	m := newModel(j.trial, said.Name, before)
	var faults []error
	removed := j.seen.removed
	for _, was := range before {
		if j.vanished[said.Name+was.Digest] {
			m.vanished[was.Digest] = true
			continue
		}
		d := deed{was: was, is: imageOf(after, was.Digest), planned: reportOf(p, was.Digest), said: reportOf(said, was.Digest)}
		if err := d.judge(said.Skipped != ""); err != nil {
			faults = append(faults, fmt.Errorf("%s/%s: %w", said.Name, was.Digest, err))
		}
		if d.became() != "" {
			j.seen.removed++
			if d.said.Outcome == plan.Unknown || strings.HasPrefix(d.said.Message, "unconfirmed") {
				j.seen.lost++
			}
		}
	}
	if removed = j.seen.removed - removed; removed > j.perRepository || removed*100 > j.percent*len(before) {
		faults = append(faults, fmt.Errorf("%s: %d of %d images removed, the limits are %d and %d %%", said.Name, removed, len(before), j.perRepository, j.percent))
	}
	return errors.Join(append(faults, m.torn(after))...)
}

// imageOf returns the image, or nil.
func imageOf(images []fakeecr.Image, digest string) *fakeecr.Image {
	i := slices.IndexFunc(images, func(im fakeecr.Image) bool { return im.Digest == digest })
	if i < 0 {
		return nil
	}
	return &images[i]
}

// reportOf returns the report of the image, or an empty one.
func reportOf(r *report.Repository, digest string) report.Image {
	i := slices.IndexFunc(r.Images, func(im report.Image) bool { return im.ImageDigest == digest })
	if i < 0 {
		return report.Image{}
	}
	return r.Images[i]
}

// A deed is an image before and after the run, with its plan and its report.
type deed struct {
	was           fakeecr.Image
	is            *fakeecr.Image
	planned, said report.Image
}

// became returns the true outcome of the image, or "" if it has not changed.
func (d deed) became() plan.Outcome {
	switch {
	case d.is == nil:
		return plan.Deleted
	case d.is.Status != d.was.Status:
		return plan.MovedToArchive
	case len(d.is.Tags) != len(d.was.Tags):
		return plan.Untagged
	}
	return ""
}

// wanted returns the outcome in the plan without faults.
func (d deed) wanted() plan.Outcome {
	switch {
	case d.planned.ImageDigest == "" || len(d.planned.ProtectedBy) > 0:
		return ""
	case d.planned.Verdict == evaluator.Untag:
		return plan.Untagged
	case d.planned.Verdict == evaluator.Transition || d.planned.OnExpire != "":
		return plan.MovedToArchive
	}
	return plan.Deleted
}

func (d deed) judge(skipped bool) error {
	became, said := d.became(), d.said.Outcome
	done := said == plan.Deleted || said == plan.MovedToArchive || said == plan.Untagged
	switch {
	case became != "" && became != d.wanted():
		return fmt.Errorf("is %s, which was not in the plan: %q", became, d.wanted())
	case became == "" && done, became != "" && done && became != said:
		return fmt.Errorf("is %q and said to be %s: %s", became, said, d.said.Message)
	case became != "" && !done && said != plan.Unknown:
		return fmt.Errorf("is %s, but said to be %q: %s", became, said, d.said.Message)
	case (said == plan.Failed || said == plan.Unknown || said == plan.Blocked || said == plan.NotAttempted || said == plan.Gone) && d.said.Message == "":
		return fmt.Errorf("is %s without a word", said)
	case said == plan.Gone:
		return errors.New("is said to be gone and is there")
	case skipped && said != "":
		return fmt.Errorf("is %s in a repository that was skipped", said)
	}
	return nil
}

// A tally counts events of the soak, to show that the soak tries what it promises.
type tally struct {
	runs, faults, removed, lost, unhandled, ended, unlisted, same int
	// times counts events by name.
	times map[string]int
}

func (n *tally) note(what string) {
	if n.times == nil {
		n.times = map[string]int{}
	}
	n.times[what]++
}

func (n *tally) add(o *tally) {
	n.runs += o.runs
	n.faults += o.faults
	n.removed += o.removed
	n.lost += o.lost
	n.unhandled += o.unhandled
	n.ended += o.ended
	n.unlisted += o.unlisted
	n.same += o.same
	for what, times := range o.times {
		n.note(what)
		n.times[what] += times - 1
	}
}

// enough checks that every kind of event happened.
func (n *tally) enough(t *testing.T) {
	t.Helper()
	for what, times := range map[string]int{
		"faults": n.faults, "removals": n.removed, "lost answers": n.lost, "runs with something left": n.unhandled,
		"runs that were ended": n.ended, "runs without a listing": n.unlisted, "states compared": n.same,
		"lines that were cut": n.times["cut"], "runs that a deadline ended": n.times["deadline"],
	} {
		if times < n.runs/200 {
			t.Errorf("%d runs and only %d %s", n.runs, times, what)
		}
	}
	for _, what := range n.wanted() {
		if n.times[what] == 0 {
			t.Errorf("%d runs without %s", n.runs, what)
		}
	}
	if few := testing.Short() || awstest.Race; !few && n.runs < 2_000 {
		t.Errorf("only %d runs", n.runs)
	}
}

// wanted returns the names of the events that must happen: every kind of fault, outcome
// and audit line and, if there are enough runs, every failure code of an image.
func (n *tally) wanted() []string {
	names := []string{"fault: " + string(fakeecr.ShortPage), "fault: rate", "audit: removed", "audit: unconfirmed", "audit: unknown"}
	for _, kind := range faultKinds {
		names = append(names, "fault: "+string(kind))
	}
	for _, o := range []plan.Outcome{
		plan.Deleted, plan.MovedToArchive, plan.Blocked, plan.Gone, plan.Failed, plan.Unknown, plan.NotAttempted,
	} {
		names = append(names, "outcome: "+string(o))
	}
	if testing.Short() || awstest.Race {
		return names
	}
	for _, code := range fakeecr.ImageFailureCodes {
		names = append(names, "code: "+code)
	}
	return append(names, "outcome: "+string(plan.Untagged))
}
