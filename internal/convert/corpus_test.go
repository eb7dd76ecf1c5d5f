package convert_test

import (
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/convert"
	"github.com/ecr-cleaner/ecr-cleaner/internal/corpus"
)

// TestCorpus converts the policy of each file of testdata. The section told has the
// problems, the section want the result. It is empty if there is none.
func TestCorpus(t *testing.T) {
	t.Parallel()
	for name, c := range corpus.Read(t, "testdata", "policy.json", "told", "want") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			policy, problems := convert.Policy([]byte(c.Sections["policy.json"]))
			c.Want(t, "told", corpus.Lines(problems))
			text := ""
			if policy.Rules != nil {
				printed, err := policy.MarshalJSON()
				if err != nil {
					t.Fatal(err)
				}
				text = strings.ReplaceAll(strings.TrimSuffix(string(printed), "]}"), `{"rulePriority"`, "\n  "+`{"rulePriority"`) + "\n]}\n"
			}
			c.Want(t, "want", text)
		})
	}
}
