package hostile_test

import (
	"slices"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

const maxScanAge = 10 * time.Minute

// judgeScan: all sources that the repository relies upon must have answered the last
// question, which is at most ten minutes old.
func (j *judgement) judgeScan() {
	if len(j.relies.sources) == 0 {
		return
	}
	if len(j.scans) == 0 {
		j.faultf("#%d removes without an in-use scan", j.call.seq)
		return
	}
	j.scan = &j.scans[len(j.scans)-1]
	if age := j.now.Sub(j.scan.asked); age > maxScanAge {
		j.faultf("#%d removes by a scan that was asked %s ago", j.call.seq, age)
	}
	for _, name := range j.relies.sources {
		if j.scan.replies[name] == nil {
			j.faultf("#%d removes, and the scan did not ask %s", j.call.seq, name)
		}
	}
	if why := j.kept(j.scan, j.call.repo, j.view.listing); why != "" {
		j.faultf("#%d removes after a scan in which %s", j.call.seq, why)
	}
	j.noteAccounts()
	for name, r := range j.scan.replies {
		if !r.ok && !slices.Contains(j.relies.sources, name) {
			j.tally.note("removes while a source that it does not rely upon has failed")
		}
	}
}

// judgeUses: neither the image, nor an image below it or above it may be in use.
func (j *judgement) judgeUses() {
	if j.scan == nil {
		return
	}
	for _, digest := range append(append(j.above(j.digest), j.below(j.digest)...), j.digest) {
		deletes := j.call.operation == "BatchDeleteImage" && j.tags == nil
		if !deletes && digest != j.digest && j.view.listing[digest].Status == "ARCHIVED" {
			continue // no one can pull it now, or read its manifest
		}
		if by := j.usedBy(digest); by != "" {
			j.wrong(j.names[digest] + " is in use " + by)
		}
	}
	j.noteUnprotected()
}

// usedBy says how the listed image is in use, or returns "". The scan must have
// named it, or ECR recorded a pull since the scan began.
func (j *judgement) usedBy(digest string) string {
	if j.scan == nil {
		return ""
	}
	for i := range j.uses {
		u := &j.uses[i]
		if u.since.Before(j.scan.asked) && !u.ended && j.protects(u) {
			if by := j.means(u, digest); by != "" {
				return by
			}
		}
	}
	im := j.view.listing[digest]
	if at := im.LastRecordedPullTime; !at.Before(j.scan.asked.Truncate(time.Millisecond)) && !j.own(&im) {
		return "by a pull since the scan"
	}
	return ""
}

// protects reports whether the use counts for the repository, if it means its image.
func (j *judgement) protects(u *use) bool {
	r := j.scan.replies[u.source]
	answered := r != nil && (r.ok || r.accounts != nil && !slices.Contains(r.accounts, u.account))
	return answered && u.kind != aFinding && slices.Contains(j.relies.sources, u.source) && !u.idle(j.relies.familyDays, j.scan.asked)
}

// means says how the use means the listed image, or returns "".
func (j *judgement) means(u *use, digest string) string {
	_, there := j.view.listing[u.digest]
	switch tags := j.view.listing[digest].Tags; {
	case u.repo != j.call.repo && u.kind != ofAnywhere:
	case u.kind == ofAllImages:
		return "like all images of the repository"
	case u.digest == digest:
		return "by its digest"
	case (u.digest == "" || !there) && u.tag != "" && slices.Contains(tags, u.tag):
		return "by the tag " + u.tag
	}
	return ""
}

// noteUnprotected counts the images that are removed although a use means them, by the
// reason that it does not protect them.
func (j *judgement) noteUnprotected() {
	for i := range j.uses {
		u := &j.uses[i]
		if u.ended || !u.since.Before(j.scan.asked) || j.means(u, j.digest) == "" {
			continue
		}
		switch {
		case u.kind == aFinding:
			j.tally.note("removed: named by a finding")
		case !slices.Contains(j.relies.sources, u.source):
			j.tally.note("removed: used by a source that does not count")
		case u.idle(j.relies.familyDays, j.scan.asked):
			j.tally.note("removed: used by an idle family")
		}
	}
}

// familyPulled reports whether an image of the families, or a child of one, was pulled in so
// many days. The source may not know the pull; the listing of the repository has it. The
// protection may be that of the first plan, whose listing may have the tag on another image.
func (f *fixture) familyPulled(repo string, days int) bool {
	if len(f.scans) == 0 || days == 0 {
		return false
	}
	first := *f.views[repo]
	first.listing = first.first
	return f.familyPulledIn(f.views[repo], repo, days) || f.familyPulledIn(&first, repo, days)
}

func (f *fixture) familyPulledIn(v *view, repo string, days int) bool {
	j := judgement{fixture: f, view: v, call: &call{repo: repo}}
	since := f.scans[len(f.scans)-1].asked.Add(-time.Duration(days) * day)
	for i := range f.uses {
		for digest := range j.view.listing {
			if f.uses[i].kind != byFamily || j.means(&f.uses[i], digest) == "" {
				continue
			}
			for _, d := range append(j.below(digest), digest) {
				if !j.view.listing[d].LastRecordedPullTime.Before(since) {
					return true
				}
			}
		}
	}
	return false
}

// judgeProtection: no finding protects an image, nor does an idle family without a pull, nor
// a source that the repository does not rely upon.
func (f *fixture) judgeProtection(repo string, im *report.Image) {
	relies := f.relianceOf(repo)
	for _, p := range im.ProtectedBy {
		source, user, isUser := strings.Cut(p.By, ": ")
		switch {
		case p.Kind != plan.ByInUse || !isUser:
		case user == string(aFinding), ": "+user == idleUser && relies.familyDays > 0 && !f.familyPulled(repo, relies.familyDays), !slices.Contains(relies.sources, source):
			f.faultf("%s is protected by %s", f.names[im.ImageDigest], p.By)
		}
	}
}

// judgeSourceFindings: the report has the findings that the sources answered last, as far
// as a planned repository relies upon the sources.
func (f *fixture) judgeSourceFindings(rep *report.Report) {
	if len(f.scans) == 0 {
		return
	}
	for name, r := range f.scans[len(f.scans)-1].replies {
		relied := slices.ContainsFunc(f.repositories, func(repo string) bool {
			return f.views[repo].listing != nil && slices.Contains(f.relianceOf(repo).sources, name)
		})
		for _, message := range r.findings {
			if relied && r.ok && !slices.ContainsFunc(rep.Findings, func(found finding.Finding) bool { return found.Message == message }) {
				f.faultf("the report does not have the finding of %s", name)
			}
		}
	}
}
