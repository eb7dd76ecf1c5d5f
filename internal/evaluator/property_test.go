package evaluator_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// checkProperties checks what holds for every policy and every repository.
func checkProperties(t *testing.T, in input) {
	t.Helper()
	before := in.clone()
	verdicts := evaluator.Evaluate(in.policy, in.images, in.now)
	if !reflect.DeepEqual(before, in) {
		t.Error("Evaluate modified its inputs")
	}
	checkOneVerdictPerImage(t, in, verdicts)
	checkOrderIndependence(t, in, verdicts)
	checkFirstMatchDecides(t, in, verdicts)
	checkAppliedPlanIsFinal(t, in, verdicts)
	checkLastRuleChangesNothing(t, in, verdicts)
	checkExplain(t, in, verdicts)
	if t.Failed() {
		t.Logf("with:\n%s", in)
	}
}

func checkOneVerdictPerImage(t *testing.T, in input, verdicts []evaluator.Verdict) {
	t.Helper()
	if len(verdicts) != len(in.images) {
		t.Fatalf("got %d verdicts for %d images", len(verdicts), len(in.images))
	}
	for i, v := range verdicts {
		if v.Digest != in.images[i].Digest {
			t.Errorf("verdict %d is about %s, want %s", i, v.Digest, in.images[i].Digest)
		}
		if acts := v.Action != evaluator.Keep; acts != v.Reason.Kind.Marks() {
			t.Errorf("action %v does not go with reason %d", v.Action, v.Reason.Kind)
		}
		if v.Action != evaluator.Keep && string(v.Action) != string(v.Rule.Action.Type) {
			t.Errorf("action %v is not that of %+v", v.Action, v.Rule)
		}
	}
}

func checkOrderIndependence(t *testing.T, in input, verdicts []evaluator.Verdict) {
	t.Helper()
	shuffled := in.clone()
	random := rand.New(rand.NewPCG(1, uint64(len(in.images))))
	random.Shuffle(len(shuffled.images), func(i, j int) {
		shuffled.images[i], shuffled.images[j] = shuffled.images[j], shuffled.images[i]
	})
	slices.Reverse(shuffled.policy.Rules)
	for _, got := range evaluator.Evaluate(shuffled.policy, shuffled.images, shuffled.now) {
		i := slices.IndexFunc(verdicts, func(v evaluator.Verdict) bool { return v.Digest == got.Digest })
		if want := verdicts[i]; got.String() != want.String() {
			t.Errorf("in another order got %v, want %v", got, want)
		}
	}
}

// checkFirstMatchDecides checks that no rule before the one that decided on an
// image matches it. Of the oracle it uses the matching only.
func checkFirstMatchDecides(t *testing.T, in input, verdicts []evaluator.Verdict) {
	t.Helper()
	for i, v := range verdicts {
		for _, r := range in.policy.Rules {
			if v.Rule != nil && r.RulePriority >= v.Rule.RulePriority {
				continue
			}
			if oracleSelects(r.Selection, in.images[i]) {
				t.Errorf("got %v, although rule %d matches the image", v, r.RulePriority)
			}
		}
	}
}

// checkAppliedPlanIsFinal carries the verdicts out and evaluates again. What has come into the
// archive counts there: it may push another image out of a keepNewest.
func checkAppliedPlanIsFinal(t *testing.T, in input, verdicts []evaluator.Verdict) {
	t.Helper()
	archives := slices.ContainsFunc(verdicts, func(v evaluator.Verdict) bool { return v.Action == evaluator.Transition })
	if archives && slices.ContainsFunc(in.policy.Rules, func(r lifecycle.Rule) bool {
		return r.Selection.StorageClass == lifecycle.ArchiveClass && r.Selection.KeepNewest > 0
	}) {
		return
	}
	var left []evaluator.Image
	for i, im := range in.images {
		switch verdicts[i].Action {
		case evaluator.Untag:
			checkUntagged(t, im, verdicts[i])
			return // with other tags it is another image to the rules
		case evaluator.Expire:
			continue
		case evaluator.Transition:
			im.Status, im.LastArchivedAt = evaluator.Archived, evaluator.At(in.now)
		case evaluator.Keep:
		}
		left = append(left, im)
	}
	for _, v := range evaluator.Evaluate(in.policy, left, in.now) {
		if v.Action != evaluator.Keep {
			t.Errorf("after the plan was applied, got %v", v)
		}
	}
}

// checkUntagged checks that the image keeps a tag, and that the rule is done with it.
func checkUntagged(t *testing.T, im evaluator.Image, v evaluator.Verdict) {
	t.Helper()
	s := &v.Rule.Selection
	removed := s.MatchingTags(im.Tags)
	im.Tags = oracleTagsLeft(*s, im.Tags)
	if len(removed) == 0 || len(im.Tags) == 0 || oracleSelects(*s, im) {
		t.Errorf("%v removes %q and leaves %q", v, removed, im.Tags)
	}
}

func checkLastRuleChangesNothing(t *testing.T, in input, verdicts []evaluator.Verdict) {
	t.Helper()
	longer := in.clone()
	longer.policy.Rules = append(longer.policy.Rules, lifecycle.Rule{
		RulePriority: math.MaxInt32,
		Selection: lifecycle.Selection{
			TagStatus: lifecycle.Any, StorageClass: lifecycle.StandardClass,
			CountType: lifecycle.ImageCountMoreThan, CountNumber: 1,
		},
		Action: lifecycle.Action{Type: lifecycle.Expire},
	})
	for i, got := range evaluator.Evaluate(longer.policy, longer.images, longer.now) {
		if want := verdicts[i]; want.Rule != nil && got.String() != want.String() {
			t.Errorf("with one more rule at the end got %v, want %v", got, want)
		}
	}
}

// checkExplain checks that Explain says what Evaluate does.
func checkExplain(t *testing.T, in input, verdicts []evaluator.Verdict) {
	t.Helper()
	for i, want := range verdicts {
		steps, ok := evaluator.Explain(in.policy, in.images, in.now, in.images[i].Digest)
		if !ok || len(steps) != len(in.policy.Rules) {
			t.Fatalf("Explain(%s) = %d steps, %t; want %d", want.Digest, len(steps), ok, len(in.policy.Rules))
		}
		if got := verdictOf(t, in.images[i], steps); got != want {
			t.Errorf("the steps of Explain amount to %v, want %v\n%v", got, want, steps)
		}
	}
}

// verdictOf returns the verdict that the steps amount to.
func verdictOf(t *testing.T, im evaluator.Image, steps []evaluator.Step) evaluator.Verdict {
	t.Helper()
	v := evaluator.Verdict{Digest: im.Digest, Reason: evaluator.Reason{Kind: evaluator.NoRuleMatches}}
	last := 0
	for _, s := range steps {
		if s.Rule.RulePriority <= last {
			t.Errorf("rule %d comes after rule %d", s.Rule.RulePriority, last)
		}
		last = s.Rule.RulePriority
		if s.Matches() && v.Rule == nil {
			v.Rule, v.Reason = s.Rule, s.Reason
			if s.Marks() {
				v.Action = evaluator.Action(s.Rule.Action.Type)
			}
		}
		switch {
		case s.Matches() && s.DecidedBy != v.Rule, !s.Matches() && (s.DecidedBy != nil || s.Marks()):
			t.Errorf("%v is decided by %+v; want %+v", s, s.DecidedBy, v.Rule)
		case im.StorageClass() == "":
			v.Reason = evaluator.Reason{Kind: evaluator.NotEvaluated, Status: im.Status}
		}
		if matches := oracleSelects(s.Rule.Selection, im); s.Matches() != matches {
			t.Errorf("%v; want it to match: %t", s, matches)
		}
	}
	return v
}

func TestProperties(t *testing.T) {
	t.Parallel()
	onRandomInput(t, "properties that hold for anybody", 1_000, checkProperties)
}

func TestPropertiesOnCorpus(t *testing.T) {
	t.Parallel()
	onCorpus(t, checkProperties)
}

func FuzzEvaluate(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		checkProperties(t, decodeInput(data))
	})
}

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
		equal(t, name+": valid in the AWS dialect", c.dialect == lifecycle.AWS, valid)
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
