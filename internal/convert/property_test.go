package convert_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/convert"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// An outcome is what became of a random policy.
type outcome int

const (
	invalid outcome = iota
	refused
	unchanged
	converted
)

// checkEquivalence checks that a policy that is converted is one of ECR's, and
// gives each image the action that the original gives it.
func checkEquivalence(t *testing.T, text []byte, images []evaluator.Image) outcome {
	t.Helper()
	original, problems := lifecycle.Parse(text, lifecycle.Extended)
	got, told := convert.Policy(text)
	switch {
	case problems.Err() != nil:
		if diff := cmp.Diff(problems, told); diff != "" || got.Rules != nil {
			t.Errorf("an invalid policy %s is converted to %v, or its problems change: %s", text, got, diff)
		}
		return invalid
	case told.Err() != nil:
		if got.Rules != nil {
			t.Errorf("a policy beside a fault: %v", got)
		}
		return refused
	}
	printed, err := got.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if _, problems := lifecycle.ParseText(printed); problems.Err() != nil {
		t.Errorf("%s\nis converted to\n%s\nwhich is no policy of ECR's: %v", text, printed, problems.Err())
	}
	want := evaluator.Evaluate(original, images, now)
	for i, v := range evaluator.Evaluate(got, images, now) {
		if v.Action != want[i].Action {
			t.Fatalf("%s\nis converted to\n%s\nimage %+v\ngot  %v\nwant %v", text, printed, images[i], v, want[i])
		}
	}
	if before, _ := original.MarshalJSON(); bytes.Equal(before, printed) {
		return unchanged
	}
	return converted
}

func TestConvertedPoliciesDecideAlike(t *testing.T) {
	t.Parallel()
	random := rand.NewChaCha8([32]byte([]byte("an equivalent, or none whatever.")))
	data := make([]byte, 512)
	outcomes := map[outcome]int{}
	for range 5_000 {
		_, _ = random.Read(data)
		d := &decoder{data}
		outcomes[checkEquivalence(t, d.policy(), d.images())]++
		if t.Failed() {
			return
		}
	}
	t.Logf("invalid, refused, unchanged, converted: %d, %d, %d, %d",
		outcomes[invalid], outcomes[refused], outcomes[unchanged], outcomes[converted])
	if outcomes[converted] < 500 || outcomes[refused] < 500 || outcomes[unchanged] < 100 {
		t.Errorf("the random policies show too little: %v", outcomes)
	}
}

func FuzzPolicy(f *testing.F) {
	random := rand.NewChaCha8([32]byte{})
	for _, size := range []int{0, 64, 256, 512} {
		data := make([]byte, size)
		_, _ = random.Read(data)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := &decoder{data}
		checkEquivalence(t, d.policy(), d.images())
	})
}
