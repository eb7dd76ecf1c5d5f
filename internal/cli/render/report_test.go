package render

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

func planned(name string, images ...cleaner.ImageReport) cleaner.RepositoryReport {
	return cleaner.RepositoryReport{Name: name, Counts: cleaner.Counts{Evaluated: 3, Expired: len(images), ReclaimableBytes: 1_500_000}, Images: images}
}

func TestReport(t *testing.T) {
	t.Parallel()
	digest := "sha256:a1" + "00000000000000000000000000000000000000000000000000000000000000"
	r := cleaner.Report{
		Mode: config.Plan,
		Repositories: []cleaner.RepositoryReport{
			planned("app",
				cleaner.ImageReport{ImageDigest: digest, ImageTags: []string{"v1", "v2", "v3", "v4"}, Verdict: evaluator.Expire, AppliedRulePriority: 1, Reason: "old"},
				cleaner.ImageReport{ImageDigest: "sha256:b", Verdict: evaluator.Expire, Reason: "named\x1b", ProtectedBy: []cleaner.Protection{{Kind: cleaner.ByKeepNewest}}}),
			{Name: "web", Skipped: cleaner.SkipNoPolicy, Message: "no policy"},
		},
		Findings: []cleaner.Finding{{Repository: "app", Message: "look"}, {Message: "all"}},
		Totals:   cleaner.Totals{Repositories: 2, Skipped: 1, Counts: cleaner.Counts{Evaluated: 3, Expired: 2}},
	}
	want := `REPOSITORY  IMAGE                TAGS         VERDICT  RULE  WHY     OUTCOME
app         sha256:a10000000000  v1,v2,v3 +1  expire   1     old     would be removed
app         sha256:b             -            expire   -     named?  protected by ` + (cleaner.Protection{Kind: cleaner.ByKeepNewest}).String() + `

web  skipped  no policy  no policy
note: app: look
note: all
2 repositories (1 skipped), 3 images: 2 to remove, 0 protected; at most 1.5 MB (images share layers)
`
	if diff := cmp.Diff(want, Report(&r)); diff != "" {
		t.Errorf("report mismatch (-want +got):\n%s", diff)
	}
}

func TestIncompleteNamesTheRepositories(t *testing.T) {
	t.Parallel()
	failed := func(name string) cleaner.RepositoryReport {
		return cleaner.RepositoryReport{Name: name, Counts: cleaner.Counts{Failed: 1}}
	}
	for want, r := range map[string]cleaner.Report{
		"incomplete: 1 repository failed or was skipped: app": {Repositories: []cleaner.RepositoryReport{failed("app"), planned("web")}},
		"incomplete: 4 repositories failed or were skipped: a, b, c and 1 more": {Repositories: []cleaner.RepositoryReport{
			failed("d"), failed("b"), {Name: "c", Skipped: cleaner.SkipDeadline}, {Name: "a", Counts: cleaner.Counts{NotAttempted: 2}},
		}},
		"incomplete: 1 repository failed or was skipped: big":   {Mode: config.Apply, Repositories: []cleaner.RepositoryReport{{Name: "big", Skipped: cleaner.SkipLimit}}},
		"incomplete: 1 repository failed or was skipped: index": {Findings: []cleaner.Finding{{Kind: cleaner.ManifestUnreadable, Repository: "index"}}},
		"incomplete: 2 images failed":                           {Totals: cleaner.Totals{Counts: cleaner.Counts{Failed: 2}}},
		"incomplete":                                            {Mode: config.Plan, Repositories: []cleaner.RepositoryReport{{Name: "big", Skipped: cleaner.SkipLimit}}},
	} {
		if got := Incomplete(&r); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
