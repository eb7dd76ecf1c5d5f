package evaluator_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// A policy without an extension is read and judged alike in both dialects.
func TestDialectsAgreeWithoutExtensions(t *testing.T) {
	t.Parallel()
	random := rand.NewChaCha8([32]byte([]byte("one grammar inside of the other.")))
	data := make([]byte, 512)
	valid := 0
	for range 1_000 {
		_, _ = random.Read(data)
		in := (&decoder{data: data}).input()
		if checkDialectsAgree(t, in) {
			valid++
		}
	}
	if valid < 100 {
		t.Errorf("only %d policies were valid", valid)
	}
}

func TestDialectsAgreeOnCorpus(t *testing.T) {
	t.Parallel()
	for name, c := range cases(t) {
		valid := checkDialectsAgree(t, input{policy: c.policy, images: c.images, now: c.now})
		if aws := c.dialect == lifecycle.AWS; valid != aws {
			t.Errorf("%s: valid in the AWS dialect: %t, want %t", name, valid, aws)
		}
	}
}

// checkDialectsAgree prints the policy, reads it in both dialects and returns
// whether it is one in AWS's. Then its verdicts must be the same in both; if it
// uses no extension, it must have the same problems.
func checkDialectsAgree(t *testing.T, in input) bool {
	t.Helper()
	text, err := in.policy.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	aws, awsProblems := lifecycle.Parse(text, lifecycle.AWS)
	extended, extendedProblems := lifecycle.Parse(text, lifecycle.Extended)
	if !strings.Contains(awsProblems.Error(), "is an extension") {
		if diff := cmp.Diff(awsProblems, extendedProblems); diff != "" {
			t.Errorf("problems differ (-AWS +extended):\n%s%s", diff, in)
		}
		if diff := cmp.Diff(aws, extended); diff != "" {
			t.Errorf("policies differ (-AWS +extended):\n%s%s", diff, in)
		}
	}
	if awsProblems.Err() != nil {
		return false
	}
	want := words(evaluator.Evaluate(aws, in.images, in.now))
	if diff := cmp.Diff(want, words(evaluator.Evaluate(extended, in.images, in.now))); diff != "" {
		t.Errorf("verdicts differ (-AWS +extended):\n%s%s", diff, in)
	}
	return true
}
