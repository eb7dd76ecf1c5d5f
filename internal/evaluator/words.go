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

// words returns the reason in words. The rule is nil for NoRuleMatches and NotEvaluated.
func (r Reason) words(rule *lifecycle.Rule) string {
	switch r.Kind {
	case BeyondCount, WithinCount, OlderThan, AmongNewest:
		return r.markWords(&rule.Selection)
	case NotOlderThan:
		return r.limitWords(&rule.Selection)
	case LastTag:
		return fmt.Sprintf("every tag matches %s, and ECR deletes an image with its last tag; %s", listWords(&rule.Selection), r.markWords(&rule.Selection))
	case Retained:
		return "rule keeps all " + imagesWords(&rule.Selection)
	case AgeUnknown:
		return fmt.Sprintf("no %s, limit %dd", cmp.Or(r.Field, "known time"), rule.Selection.CountNumber)
	case NotEvaluated:
		return notEvaluatedWords(r.Status)
	case NoRuleMatches:
	}
	return "no rule matches"
}

func (r Reason) markWords(s *lifecycle.Selection) string {
	switch {
	case s.CountType == lifecycle.ImageCountMoreThan:
		return r.countWords(s, s.CountNumber)
	case s.KeepNewest > 0:
		return r.limitWords(s) + "; " + r.countWords(s, s.KeepNewest)
	}
	return r.limitWords(s)
}

func (r Reason) countWords(s *lifecycle.Selection, keeps int) string {
	matched := strconv.Itoa(r.Matched) + " " + imagesWords(s)
	if r.Matched == 1 && s.TagStatus == lifecycle.Any {
		matched = "1 image" + excludeWords(s)
	}
	return rankWords(r.Rank) + " of " + matched + ", rule keeps " + strconv.Itoa(keeps)
}

func (r Reason) limitWords(s *lifecycle.Selection) string {
	return r.sinceWords(s.CountType) + " " + ageWords(r.Age, s.CountNumber) + ", limit " + strconv.Itoa(s.CountNumber) + "d"
}

// keptWords says how a rule keeps an image that it matches.
func (k ReasonKind) keptWords() string {
	if k == Retained {
		return "retained"
	}
	if k == LastTag {
		return "last-tag"
	}
	return "not marked"
}

func notEvaluatedWords(s ImageStatus) string {
	if s == "" {
		return "image has no imageStatus"
	}
	if s == Active || s == Archived {
		return "image has no " + string(ImagePushedAt)
	}
	return "image is " + string(s)
}

// sinceWords names the event that the age counts from.
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
	}
	return "pushed"
}

// ageWords returns an age that is compared with a limit in days. The longest durations mean
// that or more.
func ageWords(age time.Duration, limit int) string {
	switch {
	case age == 1<<63-1:
		return fmt.Sprintf("over %dd ago", age/day)
	case age == -1<<63:
		return fmt.Sprintf("over %dd from now", -(age / day))
	case age < 0:
		return durationWords(-age, limit) + " from now"
	}
	return durationWords(age, limit) + " ago"
}

// durationWords cuts d to the second, unless d would then look equal to the limit.
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

// secondWords returns d in seconds with as many decimals as it needs.
func secondWords(d time.Duration) string {
	if d%time.Second == 0 {
		return strconv.Itoa(int(d / time.Second))
	}
	return strings.TrimRight(fmt.Sprintf("%d.%09d", d/time.Second, d%time.Second), "0")
}

// rankWords returns "newest", "2nd newest", "3rd newest" and so on.
func rankWords(rank int) string {
	if rank == 1 {
		return "newest"
	}
	suffix := "th"
	if last := rank % 10; last < 4 && rank/10%10 != 1 {
		suffix = [...]string{"th", "st", "nd", "rd"}[last]
	}
	return strconv.Itoa(rank) + suffix + " newest"
}

// imagesWords describes the images that a rule matches, after a number or "all".
func imagesWords(s *lifecycle.Selection) string {
	what := "images"
	switch {
	case len(s.TagPrefixList) > 0:
		what = "with prefix " + listWords(s)
	case len(s.TagPatternList)+len(s.TagRegexList) > 0:
		what = "matching " + listWords(s)
	case s.TagStatus != lifecycle.Any:
		what = string(s.TagStatus)
	}
	return what + excludeWords(s)
}

// excludeWords says which images a rule excludes, such as " without hotfix*".
func excludeWords(s *lifecycle.Selection) string {
	if len(s.TagExcludePatternList) == 0 {
		return ""
	}
	return " without " + strings.Join(lifecycle.Texts(s.TagExcludePatternList), " or ")
}

func listWords(s *lifecycle.Selection) string {
	if s.TagMatchAny {
		return strings.Join(s.Entries(), " or ")
	}
	return strings.Join(s.Entries(), " and ")
}
