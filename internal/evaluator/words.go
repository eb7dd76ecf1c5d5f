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
		return r.countWords(&rule.Selection, rule.Selection.CountNumber)
	case OlderThan, AmongNewest:
		return r.markWords(rule)
	case NotOlderThan:
		return r.limitWords(&rule.Selection)
	case LastTag:
		return fmt.Sprintf("every tag matches %s, and with the last one the image would go; %s", listWords(&rule.Selection), r.markWords(rule))
	case Retained:
		return "rule keeps all " + pluralWords(&rule.Selection)
	case AgeUnknown:
		return fmt.Sprintf("no %s, limit %dd", cmp.Or(r.Field, "known time"), rule.Selection.CountNumber)
	case NotEvaluated:
		return notEvaluatedWords(r.Status)
	case NoRuleMatches:
	}
	return "no rule matches"
}

// markWords says why the rule marks the image, or would but for its newest.
func (r Reason) markWords(rule *lifecycle.Rule) string {
	sel := &rule.Selection
	switch {
	case sel.CountType == lifecycle.ImageCountMoreThan:
		return r.countWords(sel, sel.CountNumber)
	case sel.KeepNewest > 0:
		return r.limitWords(sel) + "; " + r.countWords(sel, sel.KeepNewest)
	default:
		return r.limitWords(sel)
	}
}

func (r Reason) countWords(sel *lifecycle.Selection, keeps int) string {
	return rankWords(r.Rank) + " of " + matchedWords(r.Matched, sel) + ", rule keeps " + strconv.Itoa(keeps)
}

func (r Reason) limitWords(sel *lifecycle.Selection) string {
	return r.sinceWords(sel.CountType) + " " + ageWords(r.Age, sel.CountNumber) + ", limit " + strconv.Itoa(sel.CountNumber) + "d"
}

// keptWords says what a rule does about an image that it matches and keeps.
func (k ReasonKind) keptWords() string {
	if k == Retained {
		return "retained"
	}
	if k == LastTag {
		return "last-tag"
	}
	return "not marked"
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
	var words []byte
	add := func(n time.Duration, unit string) {
		if n > 0 {
			words = append(append(strconv.AppendInt(words, int64(n), 10), unit...), ' ')
		}
	}
	add(days, "d")
	add(rest/time.Hour, "h")
	add(rest%time.Hour/time.Minute, "m")
	if s := secondWords(rest % time.Minute); s != "0" || words == nil {
		return string(words) + s + "s"
	}
	return string(words[:len(words)-1])
}

// secondWords returns d, which is shorter than a minute, in seconds with as
// many decimals as it needs.
func secondWords(d time.Duration) string {
	if d%time.Second == 0 {
		return strconv.Itoa(int(d / time.Second))
	}
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
	return strconv.Itoa(rank) + suffix + " newest"
}
