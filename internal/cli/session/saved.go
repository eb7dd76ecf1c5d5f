package session

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// SavedPolicy returns the only policy of a saved plan, or "", and reports whether it is a file.
// A plan has just the name of the file, so the file may also be one directory below this one.
func SavedPolicy(saved *report.Report) (policy string, isFile bool) {
	var policies []string
	for i := range saved.Repositories {
		if policy := saved.Repositories[i].Policy; policy != "" {
			policies = append(policies, policy)
		}
	}
	slices.Sort(policies)
	if policies = slices.Compact(policies); len(policies) != 1 {
		return "", false
	}
	policy = policies[0]
	if there, err := os.Stat(policy); err == nil && there.Mode().IsRegular() {
		return policy, true
	}
	if filepath.Ext(policy) != ".json" {
		return policy, false
	}
	if below, _ := filepath.Glob(filepath.Join("*", policy)); len(below) == 1 {
		policy = below[0]
	}
	return policy, true
}

// LineToApply returns a command line that applies the saved plan in the file name, with those
// of the given flags that keep accepts, and with its policy.
func (f *Flags) LineToApply(keep func(string) bool, name string, saved *report.Report, more ...string) string {
	words := []string{"apply", name}
	if policy, isFile := SavedPolicy(saved); isFile {
		words = append(words, "--policy", policy)
	}
	return f.Line(keep, append(words, more...)...)
}
