package evaluator_test

import (
	"math"
	"math/big"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// The oracle is a second evaluator: slow, literal, and without a line in
// common with the first. It follows the sentences of AWS's page, and of ours
// about the extensions, one by one, has its own notion of what a list matches,
// and computes times in nanoseconds of any size.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
type oracle struct {
	images []evaluator.Image
	now    time.Time
}

// evaluate returns the verdicts of the policy.
func (o oracle) evaluate(policy lifecycle.Policy) []evaluator.Verdict {
	verdicts := make([]evaluator.Verdict, len(o.images))
	seen := make([]bool, len(o.images))
	for i, im := range o.images {
		verdicts[i] = evaluator.Verdict{Digest: im.Digest, Reason: evaluator.Reason{Kind: evaluator.NoRuleMatches}}
		if oracleClass(im) == "none" {
			verdicts[i].Reason = evaluator.Reason{Kind: evaluator.NotEvaluated, Status: im.Status}
		}
	}
	for done := 0; ; {
		rule := oracleNext(policy, done)
		if rule == nil {
			return verdicts
		}
		o.apply(rule, verdicts, seen)
		done = rule.RulePriority
	}
}

// oracleNext returns the rule with the lowest priority beyond done.
func oracleNext(policy lifecycle.Policy, done int) (next *lifecycle.Rule) {
	for i := range policy.Rules {
		r := &policy.Rules[i]
		if r.RulePriority > done && (next == nil || r.RulePriority < next.RulePriority) {
			next = r
		}
	}
	return next
}

// apply applies one rule. Its candidates include images that earlier rules
// have seen; the verdict is for those that none has.
func (o oracle) apply(rule *lifecycle.Rule, verdicts []evaluator.Verdict, seen []bool) {
	var candidates []int
	for i, im := range o.images {
		if oracleSelects(rule.Selection, im) {
			candidates = append(candidates, i)
		}
	}
	for _, i := range candidates {
		if seen[i] {
			continue
		}
		seen[i] = true
		verdicts[i].Rule = rule
		verdicts[i].Reason = o.reason(rule, candidates, i)
		switch verdicts[i].Reason.Kind {
		case evaluator.BeyondCount, evaluator.OlderThan:
			verdicts[i].Action = evaluator.Action(rule.Action.Type)
		}
	}
}

// reason is what the count type says, with the last word of the action: retain
// keeps everything, and untag what it would leave without a tag.
func (o oracle) reason(rule *lifecycle.Rule, candidates []int, i int) evaluator.Reason {
	if rule.Action.Type == "retain" {
		return evaluator.Reason{Kind: evaluator.Retained}
	}
	reason := o.countTypeReason(rule.Selection, candidates, i)
	marked := reason.Kind == evaluator.BeyondCount || reason.Kind == evaluator.OlderThan
	if marked && rule.Action.Type == "untag" && len(oracleTagsLeft(rule.Selection, o.images[i].Tags)) == 0 {
		reason.Kind = evaluator.LastTag
	}
	return reason
}

// oracleTagsLeft returns the tags that no entry of the list matches.
func oracleTagsLeft(s lifecycle.Selection, tags []string) []string {
	var left []string
	for _, tag := range tags {
		one := s
		one.TagMatchAny = true
		one.TagExcludePatternList = nil
		if !oracleMeetsList(one, []string{tag}) {
			left = append(left, tag)
		}
	}
	return left
}

func (o oracle) countTypeReason(s lifecycle.Selection, candidates []int, i int) evaluator.Reason {
	if s.CountType == "imageCountMoreThan" {
		return o.countReason(s.CountNumber, candidates, i)
	}
	reason := o.ageReason(s, i)
	if s.KeepNewest == 0 {
		return reason
	}
	newest := o.countReason(s.KeepNewest, candidates, i)
	reason.Rank, reason.Matched = newest.Rank, newest.Matched
	if reason.Kind == evaluator.OlderThan && newest.Kind == evaluator.WithinCount {
		reason.Kind = evaluator.AmongNewest
	}
	return reason
}

func (o oracle) ageReason(s lifecycle.Selection, i int) evaluator.Reason {
	im := o.images[i]
	var since time.Time
	var field evaluator.TimeField
	switch s.CountType {
	case "sinceImagePushed":
		since, field = oraclePush(im)
	case "sinceImagePulled":
		since, field = oraclePull(im)
	case "sinceImageTransitioned":
		since, field = im.LastArchivedAt.Time(), "lastArchivedAt"
	}
	if since.IsZero() {
		return evaluator.Reason{Kind: evaluator.AgeUnknown, Field: field}
	}
	age := new(big.Int).Sub(nanoseconds(o.now), nanoseconds(since))
	limit := new(big.Int).Mul(big.NewInt(int64(s.CountNumber)), big.NewInt(24*60*60*1_000_000_000))
	reason := evaluator.Reason{Kind: evaluator.NotOlderThan, Since: evaluator.At(since), Field: field, Age: clip(age)}
	if age.Cmp(limit) > 0 {
		reason.Kind = evaluator.OlderThan
	}
	return reason
}

// countReason counts the candidates that are newer than the image.
func (o oracle) countReason(keeps int, candidates []int, i int) evaluator.Reason {
	newer := 0
	for _, j := range candidates {
		if oracleOlder(o.images[i], o.images[j]) {
			newer++
		}
	}
	reason := evaluator.Reason{Kind: evaluator.WithinCount, Rank: newer + 1, Matched: len(candidates)}
	if newer >= keeps {
		reason.Kind = evaluator.BeyondCount
	}
	return reason
}

func oracleOlder(a, b evaluator.Image) bool {
	pushA, _ := oraclePush(a)
	pushB, _ := oraclePush(b)
	order := nanoseconds(pushA).Cmp(nanoseconds(pushB))
	return order < 0 || order == 0 && a.Digest < b.Digest
}

func oraclePush(im evaluator.Image) (time.Time, evaluator.TimeField) {
	if !im.LastActivatedAt.IsZero() {
		return im.LastActivatedAt.Time(), "lastActivatedAt"
	}
	return im.PushedAt.Time(), "imagePushedAt"
}

func oraclePull(im evaluator.Image) (time.Time, evaluator.TimeField) {
	neverPulled := im.LastRecordedPullTime.IsZero()
	restored := !im.LastActivatedAt.IsZero()
	if restored && (neverPulled || nanoseconds(im.LastRecordedPullTime.Time()).Cmp(nanoseconds(im.LastActivatedAt.Time())) < 0) {
		return im.LastActivatedAt.Time(), "lastActivatedAt"
	}
	if neverPulled {
		return im.PushedAt.Time(), "imagePushedAt"
	}
	return im.LastRecordedPullTime.Time(), "lastRecordedPullTime"
}

func oracleClass(im evaluator.Image) string {
	switch {
	case im.Status == "ACTIVE" && !im.PushedAt.IsZero():
		return "standard"
	case im.Status == "ARCHIVED" && !im.PushedAt.IsZero():
		return "archive"
	}
	return "none"
}

// oracleSelects tells whether the image is of the storage class, whether its
// tags meet the list, and whether none of them is excluded.
func oracleSelects(s lifecycle.Selection, im evaluator.Image) bool {
	if oracleClass(im) != string(s.StorageClass) || !oracleMeetsList(s, im.Tags) {
		return false
	}
	for _, tag := range im.Tags {
		for _, p := range s.TagExcludePatternList {
			if oracleMatches(p.String(), tag) {
				return false
			}
		}
	}
	return s.TagStatus == "any" || (s.TagStatus == "tagged") == (len(im.Tags) > 0)
}

// oracleMeetsList tells whether for every entry, or with tagMatch any for one, some tag meets it.
func oracleMeetsList(s lifecycle.Selection, tags []string) bool {
	var entries []func(tag string) bool
	for _, p := range s.TagPatternList {
		entries = append(entries, func(tag string) bool { return oracleMatches(p.String(), tag) })
	}
	for _, p := range s.TagPrefixList {
		entries = append(entries, func(tag string) bool { return len(tag) >= len(p) && tag[:len(p)] == p })
	}
	for _, x := range s.TagRegexList {
		entries = append(entries, func(tag string) bool { return oracleMatchesExpression(x.String(), tag) })
	}
	met := 0
	for _, entry := range entries {
		if slices.ContainsFunc(tags, entry) {
			met++
		}
	}
	if s.TagMatchAny {
		return met > 0
	}
	return met == len(entries)
}

var oracleExpressions sync.Map // by text

// oracleMatchesExpression tells whether the longest of the leftmost matches is
// the whole tag; if that one is not, none is.
func oracleMatchesExpression(text, tag string) bool {
	x, ok := oracleExpressions.Load(text)
	if !ok {
		longest := regexp.MustCompile(text)
		longest.Longest()
		x, _ = oracleExpressions.LoadOrStore(text, longest)
	}
	at := x.(*regexp.Regexp).FindStringIndex(tag)
	return at != nil && at[1]-at[0] == len(tag)
}

// oracleMatches tries every length for what a star may stand for.
func oracleMatches(pattern, tag string) bool {
	switch {
	case pattern == "":
		return tag == ""
	case pattern[0] == '*':
		return oracleMatches(pattern[1:], tag) || tag != "" && oracleMatches(pattern, tag[1:])
	default:
		return tag != "" && tag[0] == pattern[0] && oracleMatches(pattern[1:], tag[1:])
	}
}

// nanoseconds returns the time since 1970.
func nanoseconds(t time.Time) *big.Int {
	n := new(big.Int).Mul(big.NewInt(t.Unix()), big.NewInt(1_000_000_000))
	return n.Add(n, big.NewInt(int64(t.Nanosecond())))
}

func clip(age *big.Int) time.Duration {
	switch {
	case age.Cmp(big.NewInt(math.MaxInt64)) > 0:
		return math.MaxInt64
	case age.Cmp(big.NewInt(math.MinInt64)) < 0:
		return math.MinInt64
	}
	return time.Duration(age.Int64())
}

// compareWithOracle fails the test unless both evaluators return the same.
func compareWithOracle(t *testing.T, in input) {
	t.Helper()
	got := evaluator.Evaluate(in.policy, in.images, in.now)
	want := oracle{in.images, in.now}.evaluate(in.policy)
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("Evaluate mismatch on image %d (-oracle +got):\n%s%s", i, cmp.Diff(want[i], got[i]), in)
		}
	}
}

func TestOracleOnCorpus(t *testing.T) {
	t.Parallel()
	onCorpus(t, compareWithOracle)
}

func TestOracleOnRandomInput(t *testing.T) {
	t.Parallel()
	onRandomInput(t, "the verdicts on random input here", 30_000, compareWithOracle)
}

func FuzzAgainstOracle(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		compareWithOracle(t, decodeInput(data))
	})
}
