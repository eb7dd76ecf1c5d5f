package hostile_test

import (
	"maps"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// judgeFailures: a report of a run after whose last scan a needed source had failed is
// incomplete and names the source. A skipped repository names an account that keeps it.
func (f *fixture) judgeFailures(rep *report.Report) {
	if len(f.scans) == 0 {
		return
	}
	last := &f.scans[len(f.scans)-1]
	for i := range rep.Repositories {
		r := &rep.Repositories[i]
		v := f.views[r.Name]
		if v == nil || v.listing == nil {
			continue
		}
		failed := f.failures(last, r.Name)
		for name := range failed {
			if last.replies[name].ok {
				continue // it named something before, which a slow scan may not have taught the run
			}
			if !rep.Incomplete {
				f.faultf("%s failed, and the report is not incomplete", name)
			}
			if !slices.ContainsFunc(rep.Findings, func(found finding.Finding) bool { return strings.Contains(found.Message, name) }) {
				f.faultf("%s failed, and no finding names it", name)
			}
		}
		f.judgeSkip(r, v, last, failed)
	}
}

// judgeSkip: a single scan keeps a repository for a reason that the model has, and the
// message names the account.
func (f *fixture) judgeSkip(r *report.Repository, v *view, last *scan, failed map[string][]string) {
	why := f.kept(last, r.Name, v.listing)
	skipped, accounts := r.Skipped == plan.SkipScanFailed, slices.Concat(slices.Collect(maps.Values(failed))...)
	names := func(id string) bool { return strings.Contains(r.Message, "account "+id) }
	// An image of a saved plan that the new plan keeps needs no scan.
	acts := slices.ContainsFunc(r.Images, func(im report.Image) bool { return im.Outcome != plan.Changed })
	switch {
	case len(f.scans) > 1 || last.slow || f.jumped || strings.HasPrefix(r.Message, "skipped in the saved plan"):
	case skipped && why == "" && f.isCalm():
		f.faultf("%s is skipped and nothing keeps it: %s", r.Name, r.Message)
	case acts && why != "" && r.Skipped == "":
		f.faultf("%s is not skipped: %s", r.Name, why)
	case skipped && len(failed) > 0 && !slices.Contains(accounts, "") && !slices.ContainsFunc(accounts, names):
		f.faultf("%s is skipped because of one of accounts %v, and the message does not say so: %s", r.Name, accounts, r.Message)
	}
}

// noteAccounts counts the removing calls after failures, by the reason that these allow them.
func (j *judgement) noteAccounts() {
	for name := range j.failures(j.scan, j.call.repo) {
		j.tally.note("removes though an account that may not use it has failed")
		if p, drawn := j.failing[name]; drawn {
			j.tally.note("removes after a failure in scan: " + p.scans)
		}
	}
}
