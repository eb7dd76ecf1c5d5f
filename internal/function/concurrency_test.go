package function_test

import (
	"os"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
)

func TestConcurrencyComesFromTheEnvironment(t *testing.T) {
	awstest.Environment(t, "")
	for _, test := range []struct {
		most, start string
		want        pace.Limits
		words       string
	}{
		{"", "", function.DefaultConcurrency, ""},
		{"8", "2", pace.Limits{Start: 2, Most: 8}, ""},
		{"0", "", pace.Limits{}, `CLEANER_CONCURRENCY is "0"; give a number from 1 to 64`},
		{"", "many", pace.Limits{}, `CLEANER_CONCURRENCY_START is "many"; give a number from 1 to 64`},
		{"65", "", pace.Limits{}, `CLEANER_CONCURRENCY is "65"`},
	} {
		t.Setenv("CLEANER_CONCURRENCY", test.most)
		t.Setenv("CLEANER_CONCURRENCY_START", test.start)
		r, err := function.Connector(os.Getenv)("", "", clock)(t.Context())
		switch {
		case test.words != "" && (err == nil || !strings.Contains(err.Error(), test.words)):
			t.Errorf("%q, %q: %v, want %s", test.most, test.start, err, test.words)
		case test.words == "" && (err != nil || r.Concurrency != test.want):
			t.Errorf("%q, %q: %+v, %v", test.most, test.start, r.Concurrency, err)
		}
	}
}
