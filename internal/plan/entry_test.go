package plan_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

func wantPrefix(t *testing.T, text, prefix string) {
	t.Helper()
	if !strings.HasPrefix(text, prefix) {
		t.Errorf("got %q, want it to begin with %q", text, prefix)
	}
}

// A setting of an entry counts only in the repositories of the entry. In each case the
// repository "app" has an entry with one setting. The repository "other" has the same
// images and the general settings, each of which decides about one image.
func TestEveryFieldOfAnEntryReplacesTheGeneralOne(t *testing.T) {
	t.Parallel()
	general := map[string]string{ // the kinds of protection, by digest
		"sha256:ecs": "inUse", "sha256:lambda": "inUse", "sha256:second": "inUse", "sha256:listed": "inUse",
		"sha256:tagged": "tagPatterns", "sha256:newest": "keepNewest", "sha256:pulled": "pulledWithinDays",
		"sha256:pushed": "keepNewest pushedWithinHours", "sha256:orphan": "orphan",
	}
	tests := map[string]map[string]string{ // the differences
		``:                                            {},
		`, "protect": {}, "limits": {}`:               {},
		`, "protect": {"inUse": ["lambda"]}`:          {"sha256:ecs": "", "sha256:second": ""},
		`, "protect": {"inUse": ["ecs"]}`:             {"sha256:lambda": ""},
		`, "protect": {"inUse": []}`:                  {"sha256:ecs": "", "sha256:second": "", "sha256:lambda": ""},
		`, "protect": {"taskDefinitionRevisions": 1}`: {"sha256:second": ""},
		`, "protect": {"references": []}`:             {"sha256:listed": ""},
		`, "protect": {"tagPatterns": []}`:            {"sha256:tagged": ""},
		`, "protect": {"keepNewest": 0}`:              {"sha256:newest": "", "sha256:pushed": "pushedWithinHours"},
		`, "protect": {"pulledWithinDays": 0}`:        {"sha256:pulled": ""},
		`, "protect": {"pushedWithinHours": 0}`:       {"sha256:pushed": "keepNewest"},
		`, "orphans": "delete"`:                       {"sha256:orphan": ""},
		`, "protect": {"tagPatterns": [], "keepNewest": 1}, "orphans": "delete"`: {"sha256:tagged": "", "sha256:newest": "", "sha256:orphan": ""},
	}
	for own, different := range tests {
		t.Run("own"+own, func(t *testing.T) {
			t.Parallel()
			r := twoEntries(t, own)
			r.Remover = nil
			report := run(t, &r)
			awstest.Equal(t, "protections by the general settings", general, kinds(t, &report, "other"))
			want := maps.Clone(general)
			maps.Copy(want, different)
			maps.DeleteFunc(want, func(_, by string) bool { return by == "" })
			awstest.Equal(t, "protections", want, kinds(t, &report, "app"))
		})
	}
}

// twoEntries returns a runner for two repositories with the same images.
func twoEntries(t *testing.T, own string) cleaner.Runner {
	t.Helper()
	orphan := image("sha256:orphan", 9*day)
	orphan.SubjectDigest = "sha256:absent"
	pulled := image("sha256:pulled", 9*day)
	pulled.LastRecordedPullTime = evaluator.At(now.Add(-day))
	images := []evaluator.Image{
		image("sha256:ecs", 9*day), image("sha256:lambda", 9*day), image("sha256:second", 9*day), image("sha256:listed", 9*day),
		image("sha256:tagged", 9*day, "v1"), image("sha256:newest", 8*day), pulled, image("sha256:pushed", 60*time.Hour), orphan,
	}
	w := newFakeRegistry(images...).Add("other", images...)
	r := newRunner(t, w, `{"policies": [{"name": "own", "repositories": ["app"], "policy": `+expireOld+own+`}, {"policy": `+expireOld+`}],
		"protect": {"inUse": ["ecs", "lambda"], "references": ["list"], "taskDefinitionRevisions": 2, "tagPatterns": ["v*"],
			"keepNewest": 2, "pulledWithinDays": 2, "pushedWithinHours": 61}}`)
	scans(&r, inuse.Scan{Uses: usesIn("app", "other")})
	return r
}

// usesIn returns the uses of each of the repositories.
func usesIn(repositories ...string) []inuse.Use {
	var uses []inuse.Use
	for _, repository := range repositories {
		for digest, source := range map[string]string{"sha256:ecs": "ecs", "sha256:lambda": "lambda", "sha256:second": "ecs", "sha256:listed": "list"} {
			u := use(digest, source)
			u.Reference.Repository, u.Source = repository, source
			if digest == "sha256:second" {
				u.Revision = 2
			}
			uses = append(uses, u)
		}
	}
	return uses
}

// kinds returns the kinds of protection of the images in the repository, by digest.
func kinds(t *testing.T, report *report.Report, repository string) map[string]string {
	t.Helper()
	by := map[string]string{}
	for _, im := range fixture.RepositoryOf(t, report, repository).Images {
		var list []string
		for _, p := range im.ProtectedBy {
			list = append(list, string(p.Kind))
		}
		if len(list) > 0 {
			by[im.ImageDigest] = strings.Join(list, " ")
		}
	}
	return by
}

// A limit of an entry replaces the general one in its repositories. The other general
// limits count there as well.
func TestEveryLimitOfAnEntryReplacesTheGeneralOne(t *testing.T) {
	t.Parallel()
	for own, want := range map[string]map[string]plan.SkipCode{
		``: {},
		`, "limits": {"maxDeletionsPerRepository": 3}`:               {"app": plan.SkipLimit},
		`, "limits": {"maxDeletedPercent": 30}`:                      {"app": plan.SkipLimit},
		`, "limits": {"maxDeletions": 3}`:                            {"app": plan.SkipLimit},
		`, "limits": {"maxDeletions": 4}`:                            {},
		`, "limits": {"maxDeletions": 4, "maxDeletedPercent": 39}`:   {"app": plan.SkipLimit},
		`, "limits": {"maxDeletions": 100, "maxDeletedPercent": 40}`: {},
	} {
		w := newFakeRegistry(mixed(4, 10)...).Add("other", mixed(4, 10)...)
		r := newRunner(t, w, `{"policies": [{"repositories": ["app"], "policy": `+expireOld+own+`}, {"policy": `+expireOld+`}],
			"limits": {"maxDeletions": 8, "maxDeletionsPerRepository": 4, "maxDeletedPercent": 40}, `+unprotected+`}`)
		report := run(t, &r)
		awstest.Equal(t, own+": skips", want, skips(&report))
	}
}
