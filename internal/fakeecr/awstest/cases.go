package awstest

import "testing"

// Each runs the test for each case, in parallel subtests with the names of the cases.
func Each[Case any](t *testing.T, cases map[string]Case, test func(t *testing.T, c Case)) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, c)
		})
	}
}

// Parallel runs a parallel subtest.
func Parallel(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		test(t)
	})
}
