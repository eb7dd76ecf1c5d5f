package cleaner

import (
	"cmp"
	"context"
	"fmt"

	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// endOwnPulls adds a finding with the number of indexes that are kept because reading
// their manifests counts as a pull, or may count as one.
func (r *Runner) endOwnPulls(ctx context.Context, report *report.Report) {
	known, asked := r.ownPulls.Known()
	if !asked {
		return
	}
	kept := int(r.keptByOwnPulls.Load())
	switch {
	case known.Err != nil:
		report.Findings = append(report.Findings, finding.Finding{Kind: finding.OwnPullsUnknown, Repository: "", Message: fmt.Sprintf(
			"it is not known whether ECR records the reads of this role as pulls (%v), so every recorded pull of an index counts; %s kept only for that reason; allow the role ecr:ListPullTimeUpdateExclusions, and see that it can reach STS",
			known.Err, indexes(kept))})
	case kept > 0:
		report.Findings = append(report.Findings, finding.Finding{Kind: finding.OwnPullsCount, Repository: "", Message: fmt.Sprintf(
			"%s kept because this role's reads count as pulls; if this role does not pull images to run them, as SSO, CI and node roles do, register it: aws ecr register-pull-time-update-exclusion --principal-arn %s",
			indexes(kept), cmp.Or(known.Principal, "ROLE_ARN"))})
	}
}

func indexes(n int) string { return words.Count(n, "index is", "indexes are") }
