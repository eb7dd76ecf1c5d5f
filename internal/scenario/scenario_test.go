package scenario_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// A scenario is a registry, a configuration and the expected result of a run.
type scenario struct {
	name     string
	registry string // a picture
	// policy is the policy of all repositories, in the words of the function policy, or "attached".
	policy string
	// protect and more are members of the configuration. The default protection is off.
	protect, more string
	// uses are the uses of the in-use source "ecs", see source.answer. Without uses there
	// is no source.
	uses string
	// want has one line, as from outcomes, for each image that a rule matches or that
	// follows one. All other images must be kept.
	want string
	// skipped and findings have the beginnings of messages in the report, one on each line.
	skipped, findings string
	// before changes the registry or the sources before the run.
	before func(testing.TB, *fixture)
	// meanwhile changes them between the plan and the re-check.
	meanwhile func(testing.TB, *fixture)
}

func (s scenario) run(t *testing.T) {
	t.Parallel()
	p := draw(s.registry)
	f := newFixture(t, p)
	f.source("ecs").answer(t, s.uses)
	if s.before != nil {
		s.before(t, f)
	}
	if s.meanwhile != nil {
		f.onceBefore(second("DescribeImages"), func() { s.meanwhile(t, f) })
	}
	protect := s.protect
	if s.uses != "" {
		protect = strings.TrimSuffix(`"inUse": ["ecs"], `+protect, ", ")
	}
	report := f.apply(t, configuration(s.policy, protect, s.more))
	outcomes := f.outcomes(&report)
	sameLines(t, "outcomes", outcomes, s.want)
	sameLines(t, "skipped", skips(&report), s.skipped)
	sameLines(t, "findings", f.findings(&report), s.findings)
	f.check(t, p, &report)
}

func runAll(t *testing.T, scenarios []scenario) {
	t.Parallel()
	for _, s := range scenarios {
		t.Run(s.name, s.run)
	}
}

// first returns a test that is true for calls of the operation.
func first(operation string) func(recorded) bool {
	return func(c recorded) bool { return c.operation == operation }
}

// second returns a test that is true for the second call of the operation.
func second(operation string) func(recorded) bool {
	n := 0
	return func(c recorded) bool {
		if c.operation == operation {
			n++
		}
		return c.operation == operation && n == 2
	}
}

// onceBefore calls then before the first call for which when is true.
func (f *fixture) onceBefore(when func(recorded) bool, then func()) {
	done := false
	f.journal.on(func(c recorded) {
		if !done && when(c) {
			done = true
			then()
		}
	})
}

// configuration returns a configuration with that policy for every repository. Only
// protect protects images.
func configuration(words, protect, more string) string {
	text := `"attached"`
	if words != "attached" {
		text = policy(words)
	}
	settings := map[string]any{"inUse": []string{}, "tagPatterns": []string{}, "keepNewest": 0, "pulledWithinDays": 0, "pushedWithinHours": 0}
	if err := json.Unmarshal([]byte("{"+protect+"}"), &settings); err != nil {
		panic(err)
	}
	protection, err := json.Marshal(settings)
	if err != nil {
		panic(err)
	}
	if more != "" {
		more = ", " + more
	}
	return fmt.Sprintf(`{"policies": [{"name": "p", "policy": %s}], "protect": %s%s}`, text, protection, more)
}

// outcomes returns a line for each image in the report: its name, its verdict, the root
// that it follows, and its outcome or protection.
func (f *fixture) outcomes(report *report.Report) []string {
	var lines []string
	for _, r := range report.Repositories {
		for _, im := range r.Images {
			line := f.names[im.ImageDigest] + ": " + string(im.Verdict)
			if _, root, follows := strings.Cut(im.Reason, "deleted with "); follows {
				line += " " + root
			}
			for _, p := range im.ProtectedBy {
				line += ", " + p.String()
			}
			if im.Outcome != "" {
				line += ", " + string(im.Outcome)
			}
			if im.Message != "" {
				line += ": " + im.Message
			}
			lines = append(lines, f.named(line))
		}
	}
	return lines
}

var digests = regexp.MustCompile(`sha256:[0-9a-f]{64}`)

// named replaces digests by names.
func (f *fixture) named(text string) string {
	return digests.ReplaceAllStringFunc(text, func(digest string) string {
		if name, ok := f.names[digest]; ok {
			return name
		}
		return digest
	})
}

func skips(report *report.Report) []string {
	var lines []string
	for _, r := range report.Repositories {
		if r.Skipped != "" {
			lines = append(lines, fmt.Sprintf("%s: %s: %s", r.Name, r.Skipped, r.Message))
		}
	}
	return lines
}

func (f *fixture) findings(report *report.Report) []string {
	var lines []string
	for _, finding := range report.Findings {
		lines = append(lines, f.named(fmt.Sprintf("%s: %s: %s", finding.Repository, finding.Kind, finding.Message)))
	}
	return lines
}

// sameLines compares lines in any order. A line of want with … at its end is the
// beginning of a line.
func sameLines(t *testing.T, what string, got []string, want string) {
	t.Helper()
	var wanted []string
	for line := range strings.Lines(want) {
		if line = strings.TrimSpace(line); line != "" {
			wanted = append(wanted, line)
		}
	}
	slices.Sort(got)
	slices.Sort(wanted)
	same := func(got, want string) bool {
		start, open := strings.CutSuffix(want, "…")
		return got == want || open && strings.HasPrefix(got, start)
	}
	if !slices.EqualFunc(got, wanted, same) {
		t.Errorf("%s: got\n  %s\nwant\n  %s", what, strings.Join(got, "\n  "), strings.Join(wanted, "\n  "))
	}
}

// check compares the report with the registry: an image exists unless the report says
// that it is deleted, and is archived only if the report says so.
func (f *fixture) check(t *testing.T, p picture, report *report.Report) {
	t.Helper()
	outcomes := map[string]plan.Outcome{} // by repository and digest
	for _, r := range report.Repositories {
		for _, im := range r.Images {
			outcomes[r.Name+im.ImageDigest] = im.Outcome
		}
	}
	for _, r := range p {
		status := map[string]string{}
		for _, im := range f.server.Images(r.name) {
			status[im.Digest] = im.Status
		}
		for _, im := range r.images {
			outcome := outcomes[r.name+digestOf(im.name)]
			got, there := status[digestOf(im.name)]
			gone := outcome == plan.Deleted || outcome == plan.Gone
			archived := outcome == plan.MovedToArchive
			if gone == there || archived && got != "ARCHIVED" || !archived && im.archived == 0 && got == "ARCHIVED" {
				t.Errorf("%s/%s: outcome %q, but there: %v, status %q", r.name, im.name, outcome, there, got)
			}
		}
	}
}

// left returns the names of the images in a repository.
func (f *fixture) left(repo string) []string {
	names := map[string]bool{}
	for _, im := range f.server.Images(repo) {
		names[f.names[im.Digest]] = true
	}
	return slices.Sorted(maps.Keys(names))
}
