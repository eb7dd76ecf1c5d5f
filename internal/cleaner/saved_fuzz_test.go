package cleaner_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// FuzzReadSavedPlan checks that a saved plan that was read is the same after it is written
// and read again.
func FuzzReadSavedPlan(f *testing.F) {
	f.Add([]byte(`{"version": 1, "mode": "plan"}`))
	f.Add([]byte(`{"version": 1, "mode": "plan", "start": "2026-03-01T12:00:00Z", "totals": {"expired": 1}, "repositories": [{"name": "app", "images": [
		{"imageDigest": "sha256:a", "imageTags": ["v1"], "verdict": "expire", "protectedBy": [{"kind": "child", "by": "b"}], "imagePushedAt": "2026-01-01T00:00:00.123Z"}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		saved, err := report.ReadPlan(text)
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := saved.WriteJSON(&again); err != nil {
			return // a time that has no text
		}
		read, err := report.ReadPlan(again.Bytes())
		if err != nil {
			t.Fatalf("%v in %s", err, &again)
		}
		if diff := cmp.Diff(saved, read, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("read again (-first +then):\n%s\n%s", diff, &again)
		}
	})
}
