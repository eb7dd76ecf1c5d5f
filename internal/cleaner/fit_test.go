package cleaner_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
)

// randomReport returns a report of up to n repositories.
func randomReport(r *rand.Rand, n int) cleaner.Report {
	text := func(most int) string { return strings.Repeat("é<\"x", r.IntN(most)) }
	report := cleaner.Report{
		Version: 1, RunID: "run", Start: now, End: now, Calls: map[string]int{"DescribeImages": r.IntN(1e6)},
		Repositories: []cleaner.RepositoryReport{}, Totals: cleaner.Totals{Repositories: r.IntN(1e5), Counts: cleaner.Counts{Deleted: r.IntN(1e6)}},
	}
	for i := range r.IntN(n + 1) {
		repository := cleaner.RepositoryReport{Name: fmt.Sprintf("r%d%s", i, text(3)), Policy: text(4), Images: []cleaner.ImageReport{}}
		switch r.IntN(4) {
		case 0:
			repository.Skipped, repository.Message = cleaner.SkipFailed, text(50)
		case 1:
			repository.Skipped = cleaner.SkipNoPolicy
		case 2:
			for range r.IntN(9) {
				repository.Expired++
				repository.Images = append(repository.Images, cleaner.ImageReport{
					ImageDigest: "sha256:" + text(16), ImageTags: []string{text(9)}, Verdict: "expire", Reason: text(9),
					ImagePushedAt: now.Add(time.Duration(r.Int64N(1e15))), ProtectedBy: []cleaner.Protection{{Kind: "x", By: text(9)}},
				})
			}
		}
		report.Repositories = append(report.Repositories, repository)
	}
	for range r.IntN(n/10 + 2) {
		report.Findings = append(report.Findings, cleaner.Finding{Kind: "k", Message: text(40)})
	}
	return report
}

func imagesOf(report *cleaner.Report) int {
	n := 0
	for _, repository := range report.Repositories {
		n += len(repository.Images)
	}
	return n
}

// Whatever the registry, the answer stays below the size, and says what is
// missing.
func TestFit(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		report := randomReport(r, 60)
		repositories, images, findings := len(report.Repositories), imagesOf(&report), len(report.Findings)
		totals, before := report.Totals, toJSON(t, report)
		size := 1_200 + r.IntN(20_000)
		report.Fit(size)
		after := toJSON(t, report)
		if len(after) > size {
			t.Fatalf("%d bytes, want at most %d:\n%s", len(after), size, after)
		}
		if len(before) <= size && after != before {
			t.Fatalf("a report of %d bytes is changed to fit %d", len(before), size)
		}
		if diff := cmp.Diff(totals, report.Totals); diff != "" {
			t.Fatalf("totals mismatch (-before +after):\n%s", diff)
		}
		var omitted cleaner.Omitted
		if report.Omitted != nil {
			omitted = *report.Omitted
		}
		want := cleaner.Omitted{Repositories: repositories - len(report.Repositories), Images: images - imagesOf(&report), Findings: findings - len(report.Findings)}
		if omitted != want || (report.Omitted != nil) != (len(before) > size) {
			t.Fatalf("omitted %+v, want %+v", report.Omitted, want)
		}
	}
}

// What a person has to act on stays longest.
func TestFitKeepsWhatMattersLongest(t *testing.T) {
	t.Parallel()
	make := func() cleaner.Report {
		report := cleaner.Report{Start: now, End: now}
		for i := range 100 {
			repository := cleaner.RepositoryReport{Name: fmt.Sprintf("quiet-%d", i), Images: []cleaner.ImageReport{}}
			if i%10 == 0 {
				repository.Name, repository.Skipped = fmt.Sprintf("failed-%d", i), cleaner.SkipFailed
			}
			if i%10 == 1 {
				repository.Name, repository.Expired, repository.Images = fmt.Sprintf("busy-%d", i), 1, []cleaner.ImageReport{{ImageDigest: "sha256:x"}}
			}
			report.Repositories = append(report.Repositories, repository)
		}
		return report
	}
	kinds := func(report cleaner.Report) map[string]int {
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
	report := run(t, &r)
	report.Fit(2_000)
	if _, err := cleaner.ReadSavedPlan([]byte(toJSON(t, report))); err == nil {
		t.Error("a plan that lacks images can be applied")
	}
}
