package hostile_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/audit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

const outcomeUnknown plan.Outcome = "unknown"

// judgeReport judges the report of a run, after all calls of the run are carried out,
// late ones included.
func (f *fixture) judgeReport(report *report.Report, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		f.notef("the run ended with: %v", err)
		f.tally.note("runs that end with an error")
		for repo, asked := range f.requested {
			if len(asked) > 0 {
				f.faultf("the run removes from %s and says nothing but: %v", repo, err)
			}
		}
		return
	}
	f.judgeLimits()
	undone := false
	for i := range report.Repositories {
		r := &report.Repositories[i]
		f.notef("%s: skipped %q %s", r.Name, r.Skipped, r.Message)
		if r.Skipped != "" {
			f.tally.note("skipped: " + string(r.Skipped))
		}
		unknown := 0
		for k := range r.Images {
			im := &r.Images[k]
			f.notef("   %s: %s, protected by %v, %q %s", f.names[im.ImageDigest], im.Verdict, im.ProtectedBy, im.Outcome, im.Message)
			f.judgeOutcome(r, im)
			if im.Outcome == outcomeUnknown {
				unknown++
			}
			undone = undone || im.Outcome == outcomeUnknown || im.Outcome == plan.Failed || im.Outcome == plan.NotAttempted
		}
		f.judgeCounts(r, unknown)
		if !r.Partial {
			f.judgeSilence(r)
		}
	}
	f.judgeUnhandled(report)
	f.judgeSourceFindings(report)
	f.judgeFailures(report)
	undone = f.judgeFindings(report) || undone
	if undone && !report.Incomplete {
		f.faultf("something was not handled, and the report is not incomplete")
	}
	f.judgeAudit(report)
}

// judgeLimits: the run asked to remove no more images than the limits allow.
func (f *fixture) judgeLimits() {
	sum := 0
	for repo, asked := range f.requested {
		n, v := len(asked), f.views[repo]
		if sum += n; n > f.perRepo || v.first != nil && n*100 > f.percent*len(v.first) {
			f.faultf("%d images of %s were to be removed", n, repo)
		}
	}
	if sum > f.perRun {
		f.faultf("%d images were to be removed in one run", sum)
	}
}

// judgeOutcome: an image has a protection or an outcome, and it is true.
func (f *fixture) judgeOutcome(r *report.Repository, im *report.Image) {
	name, said := f.names[im.ImageDigest], im.Outcome
	f.judgeProtection(r.Name, im)
	f.tally.note("outcome: " + string(said))
	if len(im.ProtectedBy) > 0 {
		f.tally.note("protected: " + string(im.ProtectedBy[0].Kind))
	}
	if f.run == "plan" || r.Skipped != "" {
		if said != "" && (f.run == "plan" || said != plan.Changed && said != plan.Gone && said != plan.NotAttempted) {
			f.faultf("%s is %s, and nothing was to be tried", name, said)
		}
		return
	}
	if (len(im.ProtectedBy) > 0) == (said != "") {
		f.faultf("%s has %d protections and the outcome %q", name, len(im.ProtectedBy), said)
	}
	did := deed{}
	if d := f.deeds[im.ImageDigest]; d != nil {
		did = *d
	}
	unanswered, settled := f.unanswered(im.ImageDigest)
	// The run cannot tell a call that was never sent from one without an answer.
	unanswered = unanswered || len(f.attempts[im.ImageDigest]) == 0 && said != ""
	inferred := strings.HasPrefix(im.Message, "unconfirmed") && unanswered && f.foundRemoved(r.Name, im)
	switch said {
	case plan.Deleted:
		if !did.deleted && !inferred {
			f.faultf("%s is said to be deleted, and nobody deleted it", name)
		}
	case plan.MovedToArchive:
		if !did.archived && !inferred {
			f.faultf("%s is said to be archived, and nobody archived it", name)
		}
	case plan.Untagged:
		// The other tags may have been removed after the re-check.
		if !did.untagged && !did.deleted && !inferred {
			f.faultf("%s is said to be untagged, and nobody untagged it", name)
		}
	case outcomeUnknown:
		// Of several tags some may have been removed, or have moved before.
		if !unanswered && im.Verdict != evaluator.Untag {
			f.faultf("%s is said to be unknown, and every call was answered", name)
		}
	default:
		if did != (deed{}) && !movedTo(r, im.ImageDigest) && (settled.IsZero() || !did.at.After(settled)) {
			f.faultf("%s is said to be %q (%s), and a call of the run took effect: %+v", name, said, im.Message, did)
		}
		if unanswered && settled.IsZero() && len(f.attempts[im.ImageDigest]) > 0 {
			f.faultf("%s is said to be %q (%s), and a call was not answered", name, said, im.Message)
		}
	}
}

// movedTo reports whether the report says that a tag had moved to the image, and was removed
// from it instead of from the image that the call was for.
func movedTo(r *report.Repository, digest string) bool {
	return slices.ContainsFunc(r.Images, func(im report.Image) bool { return strings.Contains(im.Message, "had moved to "+digest) })
}

// foundRemoved reports whether the image is, or was at the run's last re-check, in the
// state that the outcome says.
func (f *fixture) foundRemoved(repo string, im *report.Image) bool {
	now, there := f.images(repo)[im.ImageDigest]
	if !there {
		return true
	}
	for _, is := range []imageOf{now, f.views[repo].rechecks[im.ImageDigest].image} {
		lost := slices.ContainsFunc(im.Untag, func(tag string) bool { return !slices.Contains(is.Tags, tag) })
		if is.Digest == "" || im.Outcome == plan.MovedToArchive && is.Status == "ARCHIVED" || im.Outcome == plan.Untagged && lost {
			return true
		}
	}
	return false
}

// unanswered reports whether a call to remove the image had no answer. Settled is when
// ECR answered a later call with a failure: until then the image had not been removed.
func (f *fixture) unanswered(digest string) (unanswered bool, settled time.Time) {
	for _, a := range f.attempts[digest] {
		switch {
		case a.throttled:
		case !a.answered:
			unanswered, settled = true, time.Time{}
		case a.code != "" && unanswered:
			settled = a.at
		}
	}
	return unanswered, settled
}

// judgeCounts: the counts are those of the images.
func (f *fixture) judgeCounts(r *report.Repository, unknown int) {
	n := map[plan.Outcome]int{}
	for _, im := range r.Images {
		n[im.Outcome]++
	}
	text, err := json.Marshal(r.Counts)
	var counts map[string]int
	if err == nil {
		err = json.Unmarshal(text, &counts)
	}
	if err != nil {
		panic(err)
	}
	for field, want := range map[string]int{
		"deleted": n[plan.Deleted], "archived": n[plan.MovedToArchive], "tagsRemoved": n[plan.Untagged], "blocked": n[plan.Blocked],
		"changed": n[plan.Changed], "gone": n[plan.Gone], "failed": n[plan.Failed], "notAttempted": n[plan.NotAttempted], "unknown": unknown,
	} {
		if counts[field] != want {
			f.faultf("%s counts %d %s, of its images are %d", r.Name, counts[field], field, want)
		}
	}
	planned := r.Expired + r.Transitioned + r.Untagged + r.Followed
	if outcomes := len(r.Images) - n[""]; f.run != "plan" && r.Skipped == "" && planned != outcomes {
		f.faultf("%s plans to remove %d images and has %d outcomes", r.Name, planned, outcomes)
	}
}

// judgeSilence: the report has each image that the run asked to remove.
func (f *fixture) judgeSilence(r *report.Repository) {
	for digest := range f.requested[r.Name] {
		if !slices.ContainsFunc(r.Images, func(im report.Image) bool { return im.ImageDigest == digest }) {
			f.faultf("%s was to be removed and is not in the report", f.names[digest])
		}
	}
}

// judgeFindings: an index that ECR did not return is in the report, with the code, and
// makes the run incomplete. It reports whether there is one.
func (f *fixture) judgeFindings(rep *report.Report) bool {
	found := false
	for digest, code := range f.unread {
		repo := ""
		for name, v := range f.views {
			if _, listed := v.listing[digest]; listed {
				repo = name
			}
		}
		done := func(r report.Repository) bool { return r.Name == repo && !r.Partial }
		if rep.Continuation != nil && !slices.ContainsFunc(rep.Repositories, done) {
			continue // the next run handles it
		}
		if repo == "" || slices.ContainsFunc(rep.Repositories, func(r report.Repository) bool { return r.Name == repo && r.Skipped != "" }) {
			continue
		}
		found = true
		if !slices.ContainsFunc(rep.Findings, func(finding finding.Finding) bool {
			return finding.Repository == repo && strings.Contains(finding.Message, code)
		}) {
			f.faultf("ECR did not give out %s, and no finding says %s", f.names[digest], code)
		}
	}
	return found
}

// judgeAudit: the audit of the log lists the images that the run removed, and no others.
func (f *fixture) judgeAudit(report *report.Report) {
	a, err := audit.Read(bytes.NewReader(f.log.text.Bytes()), f.id)
	if err != nil || a.Lines.Unreadable > 0 {
		f.faultf("the log cannot be audited: %v %v", err, a.Lines.Faults)
		return
	}
	listed := map[string]string{}
	for _, run := range a.Runs {
		for kind, images := range map[string][]audit.Image{"removed": run.Removed, "unconfirmed": run.Unconfirmed, "unknown": run.Unknown} {
			for _, im := range images {
				listed[im.ImageDigest] = kind
			}
		}
	}
	for _, repo := range f.repositories {
		for digest := range f.requested[repo] {
			if d := f.deeds[digest]; d != nil && listed[digest] == "" {
				f.faultf("a call of the run took effect on %s, and the audit does not list it", f.names[digest])
			}
		}
	}
	for i := range report.Repositories {
		for _, im := range report.Repositories[i].Images {
			f.judgeAudited(&im, listed[im.ImageDigest])
		}
	}
}

func (f *fixture) judgeAudited(im *report.Image, kind string) {
	want := ""
	switch im.Outcome {
	case plan.Deleted, plan.MovedToArchive, plan.Untagged:
		if want = "removed"; strings.HasPrefix(im.Message, "unconfirmed") {
			want = "unconfirmed"
		}
	case outcomeUnknown:
		want = "unknown"
	}
	if kind != want {
		f.faultf("%s is said to be %q (%s), and the audit lists it as %q", f.names[im.ImageDigest], im.Outcome, im.Message, kind)
	}
}

// judgeCalm judges a run that nothing disturbed. An image that the policy surely
// marks, and that no rule can protect, must have been removed.
func (f *fixture) judgeCalm(before map[string]map[string]imageOf) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for repo, images := range before {
		if slices.ContainsFunc(slices.Collect(maps.Values(images)), func(im imageOf) bool {
			return im.Status == "QUARANTINED" || im.Status != "ACTIVE" && len(im.Children) > 0
		}) {
			continue // an unknown status, or an index that cannot be read
		}
		v, last := &view{listing: images, first: images}, scan{}
		if len(f.scans) > 0 {
			last = f.scans[len(f.scans)-1]
		}
		if why := f.kept(&last, repo, images); why != "" {
			f.tally.note("calm, and all is kept: " + why)
			continue
		}
		if len(f.failures(&last, repo)) > 0 {
			f.tally.note("calm, though an account failed")
		}
		if days := f.relianceOf(repo).familyDays; f.rounds && days > 0 || f.familyPulled(repo, days) {
			continue // the families may be active or idle
		}
		f.tally.note("calm registries")
		j := judgement{fixture: f, view: v, call: &call{repo: repo}, relies: f.relianceOf(repo), now: f.clocks.service(), truth: images, scan: &scan{asked: f.clocks.service(), replies: last.replies}}
		must := map[string]bool{}
		for digest := range images {
			j.digest, j.was = digest, images[digest]
			must[digest] = j.freelyMarked()
		}
		for changed := true; changed; { // a child or a signature of a kept image is kept
			changed = false
			for digest := range must {
				j.digest, j.was = digest, images[digest]
				keeps := func(d string) bool { return !must[d] }
				if must[digest] && slices.ContainsFunc(append(v.parents(digest), j.listedSubjects()...), keeps) {
					must[digest], changed = false, true
				}
			}
		}
		n := 0
		for _, ok := range must {
			if ok {
				n++
			}
		}
		left := f.images(repo)
		for digest, ok := range must {
			j.digest, j.was = digest, images[digest]
			gone := func(subject string) bool { _, there := left[subject]; return !there }
			if f.rounds && slices.ContainsFunc(j.listedSubjects(), gone) {
				continue // the run that removed the subject was interrupted; the next one keeps an orphan
			}
			if is, there := left[digest]; ok && there && is.Status == "ACTIVE" && slices.Equal(is.Tags, images[digest].Tags) {
				f.faultf("nothing keeps %s, and it has stayed", f.names[digest])
			}
		}
		f.tally.add("removed in calm runs", n)
	}
}

// freelyMarked reports whether the rule marks the image, by any way of counting,
// and nothing about it or its relatives can protect it.
func (j *judgement) freelyMarked() bool {
	im := j.was
	related := append(append(j.below(j.digest), j.above(j.digest)...), j.digest)
	lastPull := im.LastRecordedPullTime
	for _, digest := range related {
		is := j.view.listing[digest]
		if is.LastRecordedPullTime.After(lastPull) { // an index may be as young as the images below it
			lastPull = is.LastRecordedPullTime
		}
		if j.usedBy(digest) != "" || is.Status != "ACTIVE" || j.pulledDays > 0 && j.now.Sub(is.LastRecordedPullTime) < time.Duration(j.pulledDays)*day {
			return false
		}
	}
	orphan := len(subjects(&im)) > len(j.listedSubjects())
	pattern := slices.ContainsFunc(j.tagPatterns, func(tag string) bool { return slices.Contains(im.Tags, tag) })
	young := j.pushedHours > 0 && j.now.Sub(pushed(&im)) < time.Duration(j.pushedHours)*time.Hour
	if orphan && (!j.deleteOrphans || j.onlyReferrers()) || pattern || young {
		return false
	}
	if j.mode == "filtered" {
		return j.freelyChosen() && (!j.filter.tagOnly || len(related) == 1)
	}
	lastTag := j.rule.action == "untag" && (!slices.ContainsFunc(im.Tags, func(tag string) bool { return !isDev(tag) }) || len(related) > 1)
	return !lastTag && j.rule.marks(j.view.first, j.digest, j.now, lastPull)
}
