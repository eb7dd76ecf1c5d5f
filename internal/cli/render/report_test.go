package render

import (
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

func planned(name string, images ...report.Image) report.Repository {
	return report.Repository{Name: name, Counts: report.Counts{Evaluated: 3, Expired: len(images), ReclaimableBytes: 1_500_000}, Images: images}
}

func TestReport(t *testing.T) {
	t.Parallel()
	digest := "sha256:a1" + "00000000000000000000000000000000000000000000000000000000000000"
	r := report.Report{
		Mode: config.Plan,
		Repositories: []report.Repository{
			planned("app",
				report.Image{ImageDigest: digest, ImageTags: []string{"v1", "v2", "v3", "v4"}, Verdict: evaluator.Expire, AppliedRulePriority: 1, Reason: "old"},
				report.Image{ImageDigest: "sha256:b", Verdict: evaluator.Expire, Reason: "named\x1b", ProtectedBy: []plan.Protection{{Kind: plan.ByKeepNewest}}}),
			{Name: "web", Skipped: plan.SkipNoPolicy, Message: "no policy"},
		},
		Findings: []finding.Finding{{Repository: "app", Message: "look"}, {Message: "all"}},
		Totals:   report.Totals{Repositories: 2, Skipped: 1, Counts: report.Counts{Evaluated: 3, Expired: 2}},
	}
	want := `REPOSITORY  IMAGE                TAGS         VERDICT  RULE  WHY     OUTCOME
app         sha256:a10000000000  v1,v2,v3 +1  expire   1     old     would be removed
app         sha256:b             -            expire   -     named?  protected by ` + (plan.Protection{Kind: plan.ByKeepNewest}).String() + `

web  skipped  no policy  no policy
note: app: look
note: all
2 repositories (1 skipped), 3 images: 2 to remove, 0 protected; at most 1.5 MB (images share layers)
`
	awstest.Equal(t, "report", want, Report(&r))
}

func TestIncompleteNamesTheRepositories(t *testing.T) {
	t.Parallel()
	failed := func(name string) report.Repository {
		return report.Repository{Name: name, Counts: report.Counts{Failed: 1}}
	}
	for want, r := range map[string]report.Report{
		"incomplete: 1 repository failed or was skipped: app": {Repositories: []report.Repository{failed("app"), planned("web")}},
		"incomplete: 4 repositories failed or were skipped: a, b, c and 1 more": {Repositories: []report.Repository{
			failed("d"), failed("b"), {Name: "c", Skipped: plan.SkipDeadline}, {Name: "a", Counts: report.Counts{NotAttempted: 2}},
		}},
		"incomplete: 1 repository failed or was skipped: big":   {Mode: config.Apply, Repositories: []report.Repository{{Name: "big", Skipped: plan.SkipLimit}}},
		"incomplete: 1 repository failed or was skipped: index": {Findings: []finding.Finding{{Kind: finding.ManifestUnreadable, Repository: "index"}}},
		"incomplete: 2 images failed":                           {Totals: report.Totals{Counts: report.Counts{Failed: 2}}},
		"incomplete":                                            {Mode: config.Plan, Repositories: []report.Repository{{Name: "big", Skipped: plan.SkipLimit}}},
	} {
		awstest.Equal(t, "Incomplete", want, Incomplete(&r))
	}
}
