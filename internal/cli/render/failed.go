package render

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// A cause of Undone in words.
type cause struct {
	noun, what string // after the number: a noun, which may be plural, and a verb
	remedy     string // what to do
}

const (
	sources  = "in-use sources"
	runAgain = "run again"
	seeAbove = "see the messages above, and run again"
)

var causes = map[string]cause{
	string(plan.SkipFailed):        {"repository", "failed", seeAbove},
	string(plan.SkipScanFailed):    {"repository", "skipped because the images in use are not known", seeAbove},
	string(plan.SkipDeadline):      {"repository", "not done before the deadline", "give a longer --deadline, and run again"},
	string(plan.SkipInterrupted):   {"repository", "not done before the interruption", runAgain},
	string(plan.SkipInvalidPolicy): {"repository", "skipped because of an attached policy that cannot be read", "replace it with ecrclean attach --policy FILE"},
	sources:                        {"in-use source", "failed", seeAbove},
	"lists not written":            {"list", "not written", seeAbove},
	"manifests not read":           {"manifest", "not read", seeAbove},
	"faults of the program":        {"fault", "of the program", "please report it with the output of -o json"},
	"images failed":                {"image", "failed", seeAbove},
	"images unknown":               {"image", "perhaps deleted", "see with ecrclean plan which images are left"},
	"images not attempted":         {"image", "not attempted", runAgain},
}

// failed says what failed and what to do.
func failed(r *report.Report) string {
	undone := r.Undone()
	if len(undone) == 0 {
		switch {
		case r.Incomplete:
			return "the shortened report lacks what failed; see the log of the run"
		case !r.Handled():
			return "nothing, but limits keep images: see above"
		}
		return "nothing failed"
	}
	what, todo := whatFailed(r, undone)
	return strings.Join(what, ", ") + "; next: " + strings.Join(todo, "; ")
}

// whatFailed returns the causes of undone in words, and what to do about them.
func whatFailed(r *report.Report, undone map[string]int) (what, todo []string) {
	for _, name := range slices.Sorted(maps.Keys(undone)) {
		c, n := causes[name], undone[name]
		switch {
		case name == sources && undone[string(plan.SkipScanFailed)] > 0:
			continue // the repositories name them
		case name == string(plan.SkipScanFailed) && undone[sources] > 0:
			c.what = "skipped because " + failedSources(r)
		case name == sources:
			what = append(what, failedSources(r))
		case c.noun == "":
			c.noun = name
		}
		if name != sources {
			what = append(what, count(n, c.noun)+" "+c.what)
		}
		if remedy := cmp.Or(c.remedy, runAgain); !slices.Contains(todo, remedy) {
			todo = append(todo, remedy)
		}
	}
	if len(todo) > 1 {
		todo = slices.DeleteFunc(todo, func(remedy string) bool { return remedy == runAgain })
	}
	return what, todo
}

// failedSources names the in-use sources that failed, whose findings begin with their names.
func failedSources(r *report.Report) string {
	var names []string
	for _, f := range r.Findings {
		if f.Kind == finding.ScanFailed {
			name, _, _ := strings.Cut(strings.TrimPrefix(f.Message, "in-use scan: "), ": ")
			if name = cmp.Or(titles[name], name); !slices.Contains(names, name) { // a prefix fails once for each account
				names = append(names, name)
			}
		}
	}
	return fmt.Sprintf("%s failed (%s)", count(len(names), "in-use source"), english.WordSeries(names, "and"))
}
