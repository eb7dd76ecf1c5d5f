package removal

import (
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

func TestTheQuestionCountsEachAction(t *testing.T) {
	t.Parallel()
	expire := report.Image{Verdict: evaluator.Expire}
	archive := report.Image{Verdict: evaluator.Expire, OnExpire: config.ArchiveExpired}
	untag := report.Image{Verdict: evaluator.Untag}
	protected := report.Image{Verdict: evaluator.Untag, ProtectedBy: []plan.Protection{{Kind: plan.ByInUse}}}
	const lost = " A deleted image cannot be restored."
	for want, images := range map[string][]report.Image{
		"delete 1 image?" + lost:                               {expire, protected},
		"archive 2 images?":                                    {archive, archive},
		"remove tags from 1 image?":                            {untag},
		"delete 2 images and remove tags from 1 image?" + lost: {expire, untag, expire},

		"delete 1 image, archive 1 image and remove tags from 2 images?" + lost: {expire, archive, untag, untag},
	} {
		removals := 0
		for i := range images {
			if len(images[i].ProtectedBy) == 0 {
				removals++
			}
		}
		plan := report.Report{Account: "1", Region: "here", Repositories: []report.Repository{
			{Images: images}, {Skipped: plan.SkipLimit, Images: []report.Image{expire}},
		}}
		awstest.Equal(t, "question", "In account 1 in here, "+want, question(&plan, removals))
	}
}

func TestTheOverridableProtectionsAreThoseOfReports(t *testing.T) {
	t.Parallel()
	kinds := []plan.ProtectionKind{plan.ByTagPattern, plan.ByKeepNewest, plan.ByPulledWithinDays, plan.ByPushedWithinHours, plan.ByOrphan}
	for i, kind := range kinds {
		awstest.Equal(t, "protection", string(kind), overridable[i])
	}
	for _, kind := range []plan.ProtectionKind{plan.ByInUse, plan.ByChild, plan.BySubject, plan.ByUnreadableIndex} {
		if err := checkOverridable([]string{string(kind)}); err == nil {
			t.Errorf("%s can be overridden", kind)
		}
	}
}

func TestACommandLineIsQuotedForAShell(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"team/app:v1": "team/app:v1", "": "''", "pr-*": "'pr-*'", "it's": `'it'\''s'`, `{"protect": {}}`: `'{"protect": {}}'`, "a\nb": "'a\nb'",
	} {
		awstest.Equal(t, word, want, session.Quoted(word))
	}
}
