package evaluator_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

// An input is the input of one evaluation.
type input struct {
	policy lifecycle.Policy
	images []evaluator.Image
	now    time.Time
}

func (in input) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "now %v\n", in.now.Format(time.RFC3339Nano))
	for _, r := range in.policy.Rules {
		fmt.Fprintf(&b, "%+v\n", r)
	}
	for _, im := range in.images {
		fmt.Fprintf(&b, "%+v\n", im)
	}
	return b.String()
}

// clone returns a copy that shares nothing with in.
func (in input) clone() input {
	in.policy.Rules = slices.Clone(in.policy.Rules)
	for i := range in.policy.Rules {
		s := &in.policy.Rules[i].Selection
		s.TagPatternList = slices.Clone(s.TagPatternList)
		s.TagPrefixList = slices.Clone(s.TagPrefixList)
		s.TagRegexList = slices.Clone(s.TagRegexList)
		s.TagExcludePatternList = slices.Clone(s.TagExcludePatternList)
	}
	in.images = slices.Clone(in.images)
	for i := range in.images {
		in.images[i].Tags = slices.Clone(in.images[i].Tags)
	}
	return in
}

// A decoder makes choices from bytes. When they are used up, it always makes the first choice.
type decoder struct {
	data    []byte
	dialect lifecycle.Dialect
}

func (d *decoder) below(n int) int {
	if len(d.data) == 0 {
		return 0
	}
	b := d.data[0]
	d.data = d.data[1:]
	return int(b) % n
}

func pick[T any](d *decoder, choices ...T) T { return choices[d.below(len(choices))] }

// decodeInput returns the input that the bytes describe, in either dialect.
func decodeInput(data []byte) input {
	d := &decoder{data: data}
	d.dialect = pick(d, lifecycle.AWS, lifecycle.Extended, lifecycle.Extended)
	return d.input()
}

// input returns an input in which rules overlap and images tie: few tags, few days,
// and times next to the limits of the rules.
func (d *decoder) input() input {
	in := input{now: pick(d,
		time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 3, 1, 12, 30, 15, 123456789, time.UTC),
		time.Date(2026, 3, 30, 0, 0, 0, 0, time.FixedZone("", 2*60*60)),
		time.Date(1678, 6, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2261, 12, 31, 23, 59, 59, 999999999, time.UTC),
	)}
	for i := range 1 + d.below(5) {
		r := d.rule(i)
		if d.dialect == lifecycle.Extended {
			d.extend(&r)
		}
		in.policy.Rules = append(in.policy.Rules, r)
	}
	multiplier := pick(d, 89, 101, 255)
	for i := range d.below(24) {
		// The multipliers are odd, so that the digests differ.
		digest := fmt.Sprintf("sha256:%02x", i*multiplier%256)
		in.images = append(in.images, d.image(digest, in.now))
	}
	return in
}

// rule returns a rule that obeys the grammar. Rules that contradict each other,
// such as two for any image, are no matter to the evaluator.
func (d *decoder) rule(i int) lifecycle.Rule {
	r := lifecycle.Rule{RulePriority: 1 + i + 8*d.below(8)}
	s := &r.Selection
	s.TagStatus = pick(d, lifecycle.Any, lifecycle.Untagged, lifecycle.Tagged, lifecycle.Tagged)
	if s.TagStatus == lifecycle.Tagged {
		d.list(s)
	}
	s.StorageClass = lifecycle.StandardClass
	s.CountType = pick(d, lifecycle.ImageCountMoreThan, lifecycle.SinceImagePushed,
		lifecycle.ImageCountMoreThan, lifecycle.SinceImagePulled, lifecycle.SinceImageTransitioned)
	s.CountNumber = pick(d, 1, 2, 3, 5, 90, 700_000, math.MaxInt32)
	r.Action.Type = pick(d, lifecycle.Expire, lifecycle.Transition)
	switch s.CountType {
	case lifecycle.SinceImageTransitioned:
		s.StorageClass = lifecycle.ArchiveClass
		s.CountNumber = max(s.CountNumber, 90)
		r.Action.Type = lifecycle.Expire
	case lifecycle.SinceImagePulled:
		r.Action.Type = lifecycle.Transition
	case lifecycle.ImageCountMoreThan, lifecycle.SinceImagePushed:
	}
	if r.Action.Type == lifecycle.Transition {
		r.Action.TargetStorageClass = lifecycle.ArchiveClass
	}
	return r
}

func (d *decoder) pattern() lifecycle.TagPattern {
	text := pick(d, "a*", "b*", "*", "ab", "*b", "a*b", "*a*b*", "?", "[ab]", "A*", "a**b")
	p, err := lifecycle.ParseTagPattern(text)
	if err != nil {
		panic(err)
	}
	return p
}

func (d *decoder) list(s *lifecycle.Selection) {
	patterns := d.below(2) == 0
	for range 1 + d.below(2) {
		if patterns {
			s.TagPatternList = append(s.TagPatternList, d.pattern())
		} else {
			s.TagPrefixList = append(s.TagPrefixList, pick(d, "a", "b", "ab", "A", "*"))
		}
	}
}

// extend puts extensions into the rule, each as the grammar has it.
func (d *decoder) extend(r *lifecycle.Rule) {
	s := &r.Selection
	if s.TagStatus == lifecycle.Tagged {
		d.extendList(s)
	}
	if s.TagStatus != lifecycle.Untagged {
		for range pick(d, 0, 0, 1, 2) {
			s.TagExcludePatternList = append(s.TagExcludePatternList, d.pattern())
		}
	}
	if s.CountType != lifecycle.ImageCountMoreThan {
		s.KeepNewest = pick(d, 0, 1, 2, 5, math.MaxInt32)
	}
	hasList := len(s.TagPatternList)+len(s.TagPrefixList)+len(s.TagRegexList) > 0
	switch action := pick(d, "", lifecycle.Expire, lifecycle.Untag, lifecycle.Retain, ""); {
	case action == "" || action == lifecycle.Untag && !hasList:
	case action == lifecycle.Retain:
		s.CountType, s.CountNumber, s.KeepNewest = "", 0, 0
		s.StorageClass = pick(d, lifecycle.StandardClass, lifecycle.ArchiveClass)
		fallthrough
	default:
		r.Action = lifecycle.Action{Type: action}
	}
}

func (d *decoder) extendList(s *lifecycle.Selection) {
	switch d.below(4) {
	case 0:
		s.TagPatternList, s.TagPrefixList = nil, nil
		return
	case 1:
		s.TagPatternList, s.TagPrefixList = nil, nil
		for range 1 + d.below(2) {
			s.TagRegexList = append(s.TagRegexList, pick(d, regexes...))
		}
	}
	s.TagMatchAny = d.below(2) == 0
}

var regexes = func() (all []lifecycle.TagRegex) {
	for _, text := range []string{"a|b", "a+b?", "ab|a", `\Qa`, ".*", "(?i)a.?", "b", "[ab]+", "^a$", "(?m)^b", "a*?b", `\?|\*`, "x"} {
		x, err := lifecycle.ParseTagRegex(text)
		if err != nil {
			panic(err)
		}
		all = append(all, x)
	}
	return all
}()

func (d *decoder) image(digest string, now time.Time) evaluator.Image {
	im := evaluator.Image{
		Digest:   digest,
		Status:   pick(d, evaluator.Active, evaluator.Active, evaluator.Archived, evaluator.Active, evaluator.Activating, ""),
		PushedAt: evaluator.At(d.time(now)),
	}
	for range d.below(4) {
		im.Tags = append(im.Tags, pick(d, "a", "b", "ab", "abb", "ba", "A", "?", "a b", "*"))
	}
	for _, t := range []*evaluator.Instant{&im.LastRecordedPullTime, &im.LastActivatedAt, &im.LastArchivedAt} {
		if d.below(3) > 0 {
			*t = evaluator.At(d.time(now))
		}
	}
	return im
}

// time returns an instant some days from now or very near to that.
func (d *decoder) time(now time.Time) time.Time {
	if d.below(16) == 15 {
		return pick(d,
			time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC),
			time.Date(2261, 12, 31, 23, 59, 59, 999999999, time.UTC),
			time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC),
			time.Time{},
		)
	}
	days := pick(d, 1, 2, 3, 4, 5, 6, 89, 90, 91, 0, -1)
	off := pick(d, 0, time.Nanosecond, -time.Nanosecond, 0, time.Second, -time.Hour)
	t := now.Add(time.Duration(-days)*24*time.Hour + off)
	return t.In(pick(d, time.UTC, time.FixedZone("", 5*60*60)))
}

// onRandomInput checks random inputs until one fails. The seed has 32 bytes.
func onRandomInput(t *testing.T, seed string, n int, check func(*testing.T, input)) {
	t.Helper()
	random := rand.NewChaCha8([32]byte([]byte(seed)))
	data := make([]byte, 512)
	for i := 0; i < n && !t.Failed(); i++ {
		_, _ = random.Read(data)
		check(t, decodeInput(data))
	}
}

// onCorpus checks the input of each case of the corpus.
func onCorpus(t *testing.T, check func(*testing.T, input)) {
	t.Helper()
	for name, c := range cases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, input{policy: c.policy, images: c.images, now: c.now})
		})
	}
}

// addSeeds gives a fuzz target some inputs to start from.
func addSeeds(f *testing.F) {
	f.Helper()
	random := rand.NewChaCha8([32]byte{})
	f.Add([]byte{})
	for _, size := range []int{16, 64, 256, 512} {
		data := make([]byte, size)
		_, _ = random.Read(data)
		f.Add(data)
	}
}
