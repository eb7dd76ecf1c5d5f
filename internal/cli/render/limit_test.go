package render

import (
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

func TestLimitFlagLetsTheRepositoryGo(t *testing.T) {
	t.Parallel()
	limited := func(message string, evaluated, expired int) report.Repository {
		return report.Repository{Skipped: plan.SkipLimit, Message: message, Counts: report.Counts{Evaluated: evaluated, Expired: expired}}
	}
	going := report.Repository{Name: "going", Counts: report.Counts{Evaluated: 99, Expired: 7, Followed: 1}}
	for want, repository := range map[string]report.Repository{
		"--max-deletions-per-repository 9": limited("9 of 10 images would be removed, maxDeletionsPerRepository is 3", 10, 9),
		// A smaller limit would skip the other repository.
		"--max-deletions-per-repository 8": limited("4 of 10 images would be removed, maxDeletionsPerRepository is 3", 10, 4),
		"--max-deleted-percent 34":         limited("1 of 3 images would be removed, maxDeletedPercent is 33", 3, 1),
		"--max-deletions 13":               limited("5 images would be removed, and the run's maxDeletions allows 2 more", 9, 5),
		"":                                 limited("skipped in the saved plan: 2 of 3 images would be removed, maxDeletionsPerRepository is 1", 3, 0),
	} {
		r := report.Report{Repositories: []report.Repository{going, repository}}
		awstest.Equal(t, "flag", want, LimitFlag(&r, &repository))
	}
}

// A repository that exceeds one limit may exceed others, too.
func TestTheScreenNamesAllLimitsThatAreTooSmall(t *testing.T) {
	t.Parallel()
	r := large()
	small := config.Limits{MaxDeletions: 10000, MaxDeletionsPerRepository: 1000, MaxDeletedPercent: 100}
	large := config.Limits{MaxDeletions: 1e6, MaxDeletionsPerRepository: 1e4, MaxDeletedPercent: 100}
	strict := config.Limits{MaxDeletions: 1e6, MaxDeletionsPerRepository: 1e4, MaxDeletedPercent: 74}
	for want, limits := range map[string][]config.Limits{
		"--max-deletions-per-repository 1500 --max-deletions 162500":                          {small},
		"--max-deletions-per-repository 1500 --max-deletions 162500 --max-deleted-percent 75": nil,
		"--max-deleted-percent 75": {large, strict},
	} {
		awstest.Contains(t, Screen{Limits: limits}.Report(r), " and 12 more; "+want+" would allow them\n")
	}
}
