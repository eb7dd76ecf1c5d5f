package finding_test

import (
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
)

func TestFailure(t *testing.T) {
	t.Parallel()
	for kind, want := range map[finding.Kind]string{
		finding.ScanFailed:         "in-use sources",
		finding.ListNotWritten:     "lists not written",
		finding.ManifestUnreadable: "manifests not read",
		finding.ProgramFault:       "faults of the program",
		finding.ManifestIsNoIndex:  "",
		finding.NothingReferences:  "",
		"":                         "",
	} {
		if got := kind.Failure(); got != want {
			t.Errorf("Failure of %q is %q, want %q", kind, got, want)
		}
	}
}
