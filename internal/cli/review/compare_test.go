package review

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// with returns the image after a change.
func with(im report.Image, change func(*report.Image)) report.Image {
	change(&im)
	return im
}

// summary has a line for each difference: the sign, the image and both reasons.
func summary(d *Difference) string {
	var lines []string
	for sign, images := range map[string][]Image{"+": d.Added, "-": d.Removed, "~": d.Changed} {
		for _, im := range images {
			lines = append(lines, sign+" "+im.ImageDigest+": "+im.Before.line()+" -> "+im.After.line())
		}
	}
	for _, r := range d.Repositories {
		lines = append(lines, r.Name+": "+r.Before+" -> "+r.After)
	}
	return strings.Join(lines, "\n")
}

func TestCompareOneImage(t *testing.T) {
	t.Parallel()
	const old = "expire, rule 1: pushed 31d ago, limit 30d"
	im := expire("sha256:a")
	protected := with(im, func(im *report.Image) {
		im.ProtectedBy = []plan.Protection{{Kind: plan.ByInUse, By: "ecs service web"}}
	})
	limited := repository("app", im)
	limited.Skipped, limited.Message = plan.SkipLimit, "too many"
	none := repository("app")
	failed := repository("app")
	failed.Skipped, failed.Message = plan.SkipFailed, "denied"
	one := func(im report.Image) *report.Repository { return new(repository("app", im)) }
	for name, test := range map[string]struct {
		from, to *report.Repository
		want     string
	}{
		"the same":    {one(im), one(im), ""},
		"another age": {one(im), one(with(im, func(im *report.Image) { im.Reason = "pushed 32d ago, limit 30d" })), ""},
		"another user of the image": {one(protected), one(with(protected, func(im *report.Image) {
			im.ProtectedBy = []plan.Protection{{Kind: plan.ByInUse, By: "ecs service api"}}
		})), ""},
		"no rule marks it any more":        {one(im), &none, "- sha256:a: " + old + " -> " + goneOrKept},
		"a rule marks it now":              {&none, one(im), "+ sha256:a: no rule marked it -> " + old},
		"pushed meanwhile":                 {&none, one(with(im, func(im *report.Image) { im.ImagePushedAt = noon.Add(time.Hour) })), "+ sha256:a: not pushed yet -> " + old},
		"in use now":                       {one(im), one(protected), "- sha256:a: " + old + " -> protected by inUse ecs service web"},
		"not in use any more":              {one(protected), one(im), "+ sha256:a: protected by inUse ecs service web -> " + old},
		"protected, and no rule marks it":  {one(protected), &none, ""},
		"another rule":                     {one(im), one(with(im, func(im *report.Image) { im.AppliedRulePriority = 2 })), "~ sha256:a: " + old + " -> expire, rule 2: pushed 31d ago, limit 30d"},
		"follows another now":              {one(im), one(with(im, func(im *report.Image) { im.Verdict, im.AppliedRulePriority, im.Reason = plan.Follow, 0, "follows" })), "~ sha256:a: " + old + " -> follow, follows"},
		"would be archived now":            {one(im), one(with(im, func(im *report.Image) { im.OnExpire = config.ArchiveExpired })), "~ sha256:a: " + old + " -> archive, rule 1: pushed 31d ago, limit 30d"},
		"would lose a tag now":             {one(im), one(with(im, func(im *report.Image) { im.Verdict, im.Untag = evaluator.Untag, []string{"v1"} })), "~ sha256:a: " + old + " -> untag v1, rule 1: pushed 31d ago, limit 30d"},
		"a limit skips it now":             {one(im), &limited, "- sha256:a: " + old + " -> skipped: limit: too many\napp: planned -> skipped: limit"},
		"no limit skips it any more":       {&limited, one(im), "+ sha256:a: skipped: limit: too many -> " + old + "\napp: skipped: limit -> planned"},
		"a limit skips both":               {&limited, &limited, ""},
		"cannot be read now":               {one(im), &failed, "- sha256:a: " + old + " -> skipped: failed: denied\napp: planned -> skipped: failed"},
		"the repository is there now":      {nil, one(im), "+ sha256:a: the repository was not in the plan -> " + old + "\napp: not in the plan -> planned"},
		"the repository is not there now":  {one(im), nil, "- sha256:a: " + old + " -> the repository is not in the plan\napp: planned -> not in the plan"},
		"an empty repository is not there": {&none, nil, "app: planned -> not in the plan"},
	} {
		from, to := sample(), sample()
		from.Repositories, to.Repositories = repositories(test.from), repositories(test.to)
		d, err := comparison{from: &from, to: &to}.run()
		awstest.NoError(t, err)
		awstest.Equal(t, name, test.want, summary(d))
	}
}

func repositories(r *report.Repository) []report.Repository {
	if r == nil {
		return nil
	}
	return []report.Repository{*r}
}

func TestCompareCountsBytesThatAreDeleted(t *testing.T) {
	t.Parallel()
	archived := with(expire("sha256:c"), func(im *report.Image) { im.OnExpire = config.ArchiveExpired })
	from, to := sample(), sample()
	to.Repositories = []report.Repository{repository("app", expire("sha256:a"), archived), repository("web", expire("sha256:d"), expire("sha256:e"))}
	d, err := comparison{from: &from, to: &to}.run()
	awstest.NoError(t, err)
	awstest.Equal(t, "added", 3, len(d.Added))
	awstest.Equal(t, "added bytes", int64(2000), d.AddedBytes)
	awstest.Equal(t, "removed bytes", int64(1000), d.RemovedBytes)
}

func TestPlansOfOneRegistryAreCompared(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		account, region string
		same            bool
	}{
		"the same":       {"123456789012", "eu-west-1", true},
		"empty registry": {"", "eu-west-1", true},
		"account":        {"210987654321", "eu-west-1", false},
		"region":         {"123456789012", "us-east-1", false},
	} {
		from, to := sample(), sample()
		to.Account, to.Region = test.account, test.region
		_, err := comparison{from: &from, to: &to}.run()
		awstest.Equal(t, name, test.same, err == nil)
	}
}

func TestNextSaysWhetherAPlanCanBeApplied(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*report.Report)
		after  time.Duration
		want   string
	}{
		"now":           {func(*report.Report) {}, 0, "it can be applied until 2026-12-01T12:00:00Z with the same configuration and policy; run: ecrclean apply p.json --config CONFIG --region eu-west-1"},
		"after a day":   {func(*report.Report) {}, 24 * time.Hour, "it can be applied until"},
		"later":         {func(*report.Report) {}, 24*time.Hour + 1, "it is older than 24 hours"},
		"clock behind":  {func(*report.Report) {}, -time.Hour, "it can be applied until"},
		"in the future": {func(*report.Report) {}, -time.Hour - 1, "it was made in the future"},
		"shortened":     {func(r *report.Report) { r.Omitted = &report.Omitted{Images: 1} }, 0, "it lacks images"},
		"nothing to do": {func(r *report.Report) { r.Repositories = r.Repositories[1:] }, 0, "nothing would be removed"},
	} {
		r := sample()
		test.change(&r)
		if got := next(&session.Flags{Env: env.Env{Getenv: func(string) string { return "" }}, Command: &cobra.Command{}}, "p.json", &r, noon.Add(test.after)); !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
