package removal

import (
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

func TestTheQuestionCountsEachAction(t *testing.T) {
	t.Parallel()
	expire := cleaner.ImageReport{Verdict: evaluator.Expire}
	archive := cleaner.ImageReport{Verdict: evaluator.Expire, OnExpire: config.ArchiveExpired}
	untag := cleaner.ImageReport{Verdict: evaluator.Untag}
	protected := cleaner.ImageReport{Verdict: evaluator.Untag, ProtectedBy: []cleaner.Protection{{Kind: cleaner.ByInUse}}}
	const lost = " A deleted image cannot be restored."
	for want, images := range map[string][]cleaner.ImageReport{
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
		plan := cleaner.Report{Account: "1", Region: "here", Repositories: []cleaner.RepositoryReport{
			{Images: images}, {Skipped: cleaner.SkipLimit, Images: []cleaner.ImageReport{expire}},
		}}
		if got := question(&plan, removals); got != "In account 1 in here, "+want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
