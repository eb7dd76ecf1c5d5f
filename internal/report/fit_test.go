package report_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// randomReport returns a report of up to n repositories.
func randomReport(r *rand.Rand, n int) report.Report {
	text := func(most int) string { return strings.Repeat("é<\"x", r.IntN(most)) }
	rep := report.Report{
		Version: 1, RunID: "run", Start: now, End: now, Calls: map[string]int{"DescribeImages": r.IntN(1e6)},
		Repositories: []report.Repository{}, Totals: report.Totals{Repositories: r.IntN(1e5), Counts: report.Counts{Deleted: r.IntN(1e6)}},
	}
	for i := range r.IntN(n + 1) {
		repository := report.Repository{Name: fmt.Sprintf("r%d%s", i, text(3)), Policy: text(4), Images: []report.Image{}}
		switch r.IntN(4) {
		case 0:
			repository.Skipped, repository.Message = plan.SkipFailed, text(50)
		case 1:
			repository.Skipped = plan.SkipNoPolicy
		case 2:
			for range r.IntN(9) {
				repository.Expired++
				repository.Images = append(repository.Images, report.Image{
					ImageDigest: "sha256:" + text(16), ImageTags: []string{text(9)}, Verdict: "expire", Reason: text(9),
					ImagePushedAt: now.Add(time.Duration(r.Int64N(1e15))), ProtectedBy: []plan.Protection{{Kind: "x", By: text(9)}},
				})
			}
		}
		rep.Repositories = append(rep.Repositories, repository)
	}
	for range r.IntN(n/10 + 2) {
		rep.Findings = append(rep.Findings, finding.Finding{Kind: "k", Message: text(40)})
	}
	return rep
}

func imagesOf(report *report.Report) int {
	n := 0
	for _, repository := range report.Repositories {
		n += len(repository.Images)
	}
	return n
}

// A report of any registry fits, and counts the missing parts.
func TestFit(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		rep := randomReport(r, 60)
		repositories, images, findings := len(rep.Repositories), imagesOf(&rep), len(rep.Findings)
		totals, before := rep.Totals, toJSON(t, rep)
		size := 1_200 + r.IntN(20_000)
		rep.Fit(size)
		after := toJSON(t, rep)
		if len(after) > size {
			t.Fatalf("%d bytes, want at most %d:\n%s", len(after), size, after)
		}
		if len(before) <= size && after != before {
			t.Fatalf("a report of %d bytes is changed to fit %d", len(before), size)
		}
		if diff := cmp.Diff(totals, rep.Totals); diff != "" {
			t.Fatalf("totals mismatch (-before +after):\n%s", diff)
		}
		var omitted report.Omitted
		if rep.Omitted != nil {
			omitted = *rep.Omitted
		}
		want := report.Omitted{Repositories: repositories - len(rep.Repositories), Images: images - imagesOf(&rep), Findings: findings - len(rep.Findings)}
		if omitted != want || (rep.Omitted != nil) != (len(before) > size) {
			t.Fatalf("omitted %+v, want %+v", rep.Omitted, want)
		}
	}
}

// Repositories with failures or removals are left out last.
func TestFitLeavesOutQuietRepositoriesFirst(t *testing.T) {
	t.Parallel()
	make := func() report.Report {
		r := report.Report{Start: now, End: now}
		for i := range 100 {
			repository := report.Repository{Name: fmt.Sprintf("quiet-%d", i), Images: []report.Image{}}
			if i%10 == 0 {
				repository.Name, repository.Skipped = fmt.Sprintf("failed-%d", i), plan.SkipFailed
			}
			if i%10 == 1 {
				repository.Name, repository.Expired, repository.Images = fmt.Sprintf("busy-%d", i), 1, []report.Image{{ImageDigest: "sha256:x"}}
			}
			r.Repositories = append(r.Repositories, repository)
		}
		return r
	}
	kinds := func(report report.Report) map[string]int {
		by := map[string]int{}
		for _, repository := range report.Repositories {
			kind, _, _ := strings.Cut(repository.Name, "-")
			by[kind]++
		}
		return by
	}
	whole := make()
	size := len(toJSON(t, whole))
	whole.Fit(size - 1)
	if got := whole.Omitted; got.Images == 0 || got.Images > 2 || got.Repositories != 0 || len(whole.Repositories[1].Images) != 1 {
		t.Errorf("one byte too many costs %+v", got)
	}
	half := make()
	half.Fit(size / 2)
	if got := kinds(half); got["failed"] != 10 || got["busy"] != 10 || got["quiet"] == 80 || half.Omitted.Images != 10 {
		t.Errorf("in half the size there are %v, omitted %+v", got, half.Omitted)
	}
	little := make()
	little.Fit(size / 20)
	if got := kinds(little); got["quiet"] != 0 || got["failed"]+got["busy"] == 0 {
		t.Errorf("in a twentieth of the size there are %v", got)
	}
	if little.Repositories[0].Name != "failed-0" {
		t.Errorf("the first repository is %s", little.Repositories[0].Name)
	}
}

func TestFitOfAPlanThatIsSaved(t *testing.T) {
	t.Parallel()
	w := newFakeRegistry(numbered(100, 9*day)...)
	r := newRunner(t, w, expireAll)
	r.Remover = nil
	rep := run(t, &r)
	rep.Fit(2_000)
	if _, err := report.ReadPlan([]byte(toJSON(t, rep))); err == nil {
		t.Error("a plan that lacks images can be applied")
	}
}
