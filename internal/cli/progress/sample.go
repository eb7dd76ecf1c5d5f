package progress

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
)

// minEstimate is how long the repositories must have been handled before their rate says
// when they are done.
const minEstimate = 2 * time.Second

// samples turn counts into rates.
type samples struct {
	began           time.Time // of the first sample
	planningAt      time.Time // when the run began to handle repositories; zero before
	handled         int       // the number of these so far
	second          time.Time // the rate was measured before it
	calls           int       // the numbers at that time
	throttled       int
	perSecond       int // -1 until it is known
	throttledLately bool
}

// A part is a piece of the line. Where the line is too long, the parts with the highest
// rank are left out first, up to maxRank. Parts with rank 0 stay.
type part struct {
	words string
	rank  int
}

const maxRank = 6

type parts []part

func (p *parts) add(rank int, format string, args ...any) {
	*p = append(*p, part{fmt.Sprintf(format, args...), rank})
}

func (s *samples) begin(c *counts, now time.Time) {
	s.began, s.second, s.perSecond = now, now, -1
	s.calls, s.throttled = c.calls()
}

// next measures the rates and returns the line.
func (s *samples) next(c *counts, now time.Time) parts {
	if took := now.Sub(s.second); took >= time.Second {
		calls, throttled := c.calls()
		s.perSecond = int(float64(calls-s.calls)/took.Seconds() + 0.5)
		s.throttledLately = throttled > s.throttled
		s.second, s.calls, s.throttled = now, calls, throttled
	}
	return s.parts(c, now)
}

func (s *samples) parts(c *counts, now time.Time) parts {
	handled, all := c.repositories.Counts()
	phase, _ := c.phase.Load().(string)
	listed, images := c.listed.Load(), c.images.Load()
	var line parts
	switch {
	case all > 0:
		line.add(0, "%s: %d of %s", phase, handled, text.Count(all, "repository"))
	case listed > 0 && images == 0:
		line.add(0, "%s: %s", phase, text.Count(int(listed), "repository"))
	default:
		line.add(0, "%s", phase)
	}
	if images > 0 {
		line.add(5, "%s %s", humanize.Comma(images), english.PluralWord(int(images), "image", ""))
	}
	if n := c.deleted.Load(); n > 0 {
		line.add(1, "%s deleted", humanize.Comma(n))
	}
	if n := c.archived.Load(); n > 0 {
		line.add(1, "%s archived", humanize.Comma(n))
	}
	if c.scans.Load() > 0 {
		line.add(4, "in-use scan")
	}
	if s.perSecond >= 0 {
		line.add(6, "%d calls/s", s.perSecond)
	}
	if s.throttledLately {
		line.add(3, "throttled")
	}
	line.add(2, "%s", s.left(handled, all, now))
	return line
}

// left estimates the remaining time or, before that is possible, has the time so far.
func (s *samples) left(handled, all int, now time.Time) string {
	switch {
	case all == 0:
		s.planningAt = time.Time{}
	case s.planningAt.IsZero(), handled < s.handled: // apply runs again after the question
		s.planningAt = now
	}
	s.handled = handled
	took := now.Sub(s.planningAt)
	if all == 0 || handled == 0 || handled == all || took < minEstimate {
		return duration(now.Sub(s.began)) + " so far"
	}
	left := took * time.Duration(all-handled) / time.Duration(handled)
	return "about " + duration(max(left, time.Second)) + " left"
}

func duration(d time.Duration) string {
	switch {
	case d < 100*time.Second:
		return fmt.Sprintf("%d s", int(d.Seconds()+0.5))
	case d < 100*time.Minute:
		return fmt.Sprintf("%d min", int(d.Minutes()+0.5))
	}
	return fmt.Sprintf("%.1f h", d.Hours())
}

func (p parts) String() string {
	words := make([]string, len(p))
	for i := range p {
		words[i] = p[i].words
	}
	return strings.Join(words, ", ")
}

// fit returns the line in at most that many columns. The line is in ASCII, because it has
// no names from the registry.
func (p parts) fit(width int) string {
	for rank := maxRank; rank > 0 && len(p.String()) > width; rank-- {
		p = slices.DeleteFunc(p, func(p part) bool { return p.rank == rank })
	}
	line := p.String()
	return line[:min(len(line), max(width, 0))]
}
