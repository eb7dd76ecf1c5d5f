package scenario_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
)

// A scenario is a registry, what is wanted of it, and what becomes of it.
type scenario struct {
	name     string
	registry string // a picture
	// policy is what the configuration gives every repository, in the words of
	// policy, or "attached".
	policy string
	// protect and more are members of the configuration. What protects by
	// default is off.
	protect, more string
	// uses are what the in-use source "ecs" names, see source.answer. Without
	// any it is not asked.
	uses string
	// want has one line for each image that the policy would have removed or
	// that goes along, as outcomes words it. All others must stay.
	want string
	// skipped and findings are parts of the report's words, one on each line.
	skipped, findings string
	// before changes the registry or the sources before the run.
	before func(testing.TB, *fixture)
	// meanwhile changes it between the plan and the re-check.
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

// configuration returns a configuration with that policy for every repository,
// in which nothing protects but what protect says.
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

// outcomes words what the report says of images, one line for each: its name,
// its verdict and, for one that follows, its root; then what became of it or
// what keeps it.
func (f *fixture) outcomes(report *cleaner.Report) []string {
	var lines []string
	for _, r := range report.Repositories {
		for _, im := range r.Images {
			line := f.names[im.ImageDigest] + ": " + string(im.Verdict)
			if _, root, follows := strings.Cut(im.Reason, "goes with "); follows {
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

// named puts names in place of digests.
func (f *fixture) named(text string) string {
	return digests.ReplaceAllStringFunc(text, func(digest string) string {
		if name, ok := f.names[digest]; ok {
			return name
		}
		return digest
	})
}

func skips(report *cleaner.Report) []string {
	var lines []string
	for _, r := range report.Repositories {
		if r.Skipped != "" {
			lines = append(lines, fmt.Sprintf("%s: %s: %s", r.Name, r.Skipped, r.Message))
		}
	}
	return lines
}

func (f *fixture) findings(report *cleaner.Report) []string {
	var lines []string
	for _, finding := range report.Findings {
		lines = append(lines, f.named(fmt.Sprintf("%s: %s: %s", finding.Repository, finding.Kind, finding.Message)))
	}
	return lines
}

// sameLines compares lines in any order. A line of want that ends in … is the
// beginning of one.
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

// check compares what the report says with what the registry holds: what is
// not deleted by it is there, and only what it archived is in the archive.
func (f *fixture) check(t *testing.T, p picture, report *cleaner.Report) {
	t.Helper()
	outcomes := map[string]cleaner.Outcome{} // by repository and digest
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
			gone := outcome == cleaner.Deleted || outcome == cleaner.Gone
			archived := outcome == cleaner.MovedToArchive
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
