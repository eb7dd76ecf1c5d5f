package evaluator

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/lifecycle"
)

const day = 24 * time.Hour

// words puts the reason into words. The rule is the one the reason is about,
// nil for NoRuleMatches and NotEvaluated.
func (r Reason) words(rule *lifecycle.Rule) string {
	switch r.Kind {
	case BeyondCount, WithinCount:
		sel := &rule.Selection
		return fmt.Sprintf("%s of %s, rule keeps %d", rankWords(r.Rank), matchedWords(r.Matched, sel), sel.CountNumber)
	case OlderThan, NotOlderThan:
		sel := &rule.Selection
		return fmt.Sprintf("%s %s, limit %dd", r.sinceWords(sel.CountType), ageWords(r.Age, sel.CountNumber), sel.CountNumber)
	case AgeUnknown:
		return fmt.Sprintf("no %s, limit %dd", cmp.Or(r.Field, "known time"), rule.Selection.CountNumber)
	case NotEvaluated:
		return notEvaluatedWords(r.Status)
	case NoRuleMatches:
	}
	return "no rule matches"
}

// notEvaluatedWords says why no rule looks at an image.
func notEvaluatedWords(s ImageStatus) string {
	switch s {
	case "":
		return "image has no imageStatus"
	case Active, Archived:
		return "image has no " + string(ImagePushedAt)
	case Activating:
	}
	return "image is " + string(s)
}

// sinceWords says what happened at the time the age counts from.
func (r Reason) sinceWords(t lifecycle.CountType) string {
	pulls := t == lifecycle.SinceImagePulled
	switch {
	case r.Field == LastRecordedPullTime:
		return "pulled"
	case r.Field == LastArchivedAt:
		return "archived"
	case r.Field == LastActivatedAt && pulls:
		return "not pulled since restored"
	case r.Field == LastActivatedAt:
		return "restored"
	case pulls:
		return "never pulled, pushed"
	default:
		return "pushed"
	}
}

// ageWords returns an age as read against a limit in days. The two extremes
// stand for ages that a time.Duration cannot hold.
func ageWords(age time.Duration, limit int) string {
	switch {
	case age == 1<<63-1:
		return fmt.Sprintf("over %dd ago", age/day)
	case age == -1<<63:
		return fmt.Sprintf("over %dd from now", -(age / day))
	case age < 0:
		return durationWords(-age, limit) + " from now"
	default:
		return durationWords(age, limit) + " ago"
	}
}

// durationWords cuts d to the second, unless that would make it look equal to
// the limit although it is longer.
func durationWords(d time.Duration, limit int) string {
	days, rest := d/day, d%day
	if rest >= time.Second || days != time.Duration(limit) {
		rest = rest.Truncate(time.Second)
	}
	var units []string
	add := func(n time.Duration, unit string) {
		if n > 0 {
			units = append(units, strconv.Itoa(int(n))+unit)
		}
	}
	add(days, "d")
	add(rest/time.Hour, "h")
	add(rest%time.Hour/time.Minute, "m")
	if s := secondWords(rest % time.Minute); s != "0" || units == nil {
		units = append(units, s+"s")
	}
	return strings.Join(units, " ")
}

// secondWords returns d, which is shorter than a minute, in seconds with as
// many decimals as it needs.
func secondWords(d time.Duration) string {
	s := fmt.Sprintf("%d.%09d", d/time.Second, d%time.Second)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// rankWords returns "newest", "2nd newest", "3rd newest" and so on.
func rankWords(rank int) string {
	suffix := "th"
	switch {
	case rank == 1:
		return "newest"
	case rank/10%10 == 1:
	case rank%10 == 1:
		suffix = "st"
	case rank%10 == 2:
		suffix = "nd"
	case rank%10 == 3:
		suffix = "rd"
	}
	return fmt.Sprintf("%d%s newest", rank, suffix)
}

// matchedWords counts the images that a rule matches: "12 matching prod*".
func matchedWords(n int, s *lifecycle.Selection) string {
	switch {
	case len(s.TagPatternList) > 0:
		return fmt.Sprintf("%d matching %s", n, listWords(s))
	case len(s.TagPrefixList) > 0:
		return fmt.Sprintf("%d with prefix %s", n, listWords(s))
	case s.TagStatus == lifecycle.Untagged:
		return fmt.Sprintf("%d untagged", n)
	case n == 1:
		return "1 image"
	default:
		return fmt.Sprintf("%d images", n)
	}
}

// listWords joins the entries of a rule's list, which are ANDed.
func listWords(s *lifecycle.Selection) string {
	entries := make([]string, 0, len(s.TagPatternList)+len(s.TagPrefixList))
	for _, p := range s.TagPatternList {
		entries = append(entries, p.String())
	}
	return strings.Join(append(entries, s.TagPrefixList...), " and ")
}
