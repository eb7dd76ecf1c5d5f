package progress

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// A console is a standard error stream with its line.
type console struct {
	*Line
	t   *testing.T
	out strings.Builder
}

// onConsole calls do with a console. A width of 0 means that it is no terminal.
func onConsole(t *testing.T, width int, do func(c *console)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := &console{t: t}
		c.Line = New(&c.out, func(string) string { return "" })
		if width > 0 {
			c.width = func() int { return width }
		}
		defer c.End()
		do(c)
	})
}

// after lets time pass and returns the text that was printed since the last call.
func (c *console) after(d time.Duration) string {
	time.Sleep(d) // not real time
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.out.Reset()
	return c.out.String()
}

// visible returns the lines that a terminal shows.
func visible(printed string) string {
	var lines []string
	for line := range strings.SplitSeq(printed, "\n") {
		for _, drawn := range strings.Split(line, "\r")[1:] {
			line = strings.TrimSuffix(drawn, "\x1b[K")
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestTheFirstLineComesWithinASecond(t *testing.T) {
	t.Parallel()
	onConsole(t, 80, func(c *console) {
		c.Start()
		awstest.Equal(t, "printed", "starting, 1 s so far", visible(c.after(time.Second-1)))
	})
}

func TestATerminalIsRedrawnFiveTimesASecond(t *testing.T) {
	t.Parallel()
	onConsole(t, 80, func(c *console) {
		c.Start()
		printed := c.after(10*time.Second + redrawEvery/2)
		if n := strings.Count(printed, "\r"); n != 50 || strings.Contains(printed, "\n") {
			t.Errorf("drawn %d times: %q", n, printed)
		}
	})
}

// Short runs print nothing.
func TestAPipeGetsALineEvery30Seconds(t *testing.T) {
	t.Parallel()
	onConsole(t, 0, func(c *console) {
		c.Start()
		c.after(20 * time.Second)
		c.Phase("planning")
		c.repositories.Begin(300)
		c.images.Store(1)
		awstest.Equal(t, "before 30 s", "", c.after(10*time.Second-1))
		awstest.Equal(t, "after 30 s", "ecrclean: planning: 0 of 300 repositories, 1 image, 0 calls/s, 30 s so far\n", c.after(1))
		for range 120 {
			c.repositories.Handled()
		}
		c.images.Store(240_000)
		awstest.Equal(t, "before 60 s", "", c.after(30*time.Second-1))
		awstest.Equal(t, "after 60 s", "ecrclean: planning: 120 of 300 repositories, 240,000 images, 0 calls/s, about 59 s left\n", c.after(1))
	})
}

// A line that fills the last column would wrap.
func TestTheLineFitsTheTerminal(t *testing.T) {
	t.Parallel()
	for width, want := range map[int]string{
		200: "deleting: 120 of 300 repositories, 600,000 images, 12,345 deleted, 7 archived, in-use scan, 41 calls/s, throttled, about 15 s left",
		120: "deleting: 120 of 300 repositories, 600,000 images, 12,345 deleted, 7 archived, in-use scan, throttled, about 15 s left",
		100: "deleting: 120 of 300 repositories, 12,345 deleted, 7 archived, throttled, about 15 s left",
		80:  "deleting: 120 of 300 repositories, 12,345 deleted, 7 archived, about 15 s left",
		70:  "deleting: 120 of 300 repositories, 12,345 deleted, 7 archived",
		20:  "deleting: 120 of 30",
		1:   "",
	} {
		onConsole(t, width, func(c *console) {
			calls := 0
			count := func() (all, throttled int) { calls += 41; return calls, calls }
			c.attempts.Store(&count)
			c.Start()
			c.Phase("deleting")
			c.repositories.Begin(300)
			for range 120 {
				c.repositories.Handled()
			}
			c.images.Store(600_000)
			c.deleted.Store(12_345)
			c.archived.Store(7)
			c.scans.Store(1)
			got := visible(c.after(10*time.Second + redrawEvery))
			if awstest.Equal(t, fmt.Sprintf("width %d", width), want, got); len(got) >= width {
				t.Errorf("width %d: %q wraps", width, got)
			}
		})
	}
}

func TestPhases(t *testing.T) {
	t.Parallel()
	onConsole(t, 80, func(c *console) {
		c.Start()
		c.after(time.Second)
		c.Phase("listing repositories")
		c.listed.Store(1)
		awstest.Equal(t, "listing", "listing repositories: 1 repository, 0 calls/s, 1 s so far", visible(c.after(redrawEvery)))
		c.Phase("planning") // one repository of explain or delete
		c.images.Store(2000)
		awstest.Equal(t, "one repository", "planning, 2,000 images, 0 calls/s, 1 s so far", visible(c.after(redrawEvery)))
		for range 2 { // apply runs again after the question
			c.repositories.Begin(3)
			c.after(4 * time.Second)
			c.repositories.Handled()
			want := "planning: 1 of 3 repositories, 2,000 images, 0 calls/s, about 8 s left"
			awstest.Equal(t, "estimate", want, visible(c.after(redrawEvery)))
			c.after(time.Hour)
		}
	})
}

// Other texts never continue the line or a question.
func TestTheLineMakesWay(t *testing.T) {
	t.Parallel()
	onConsole(t, 80, func(c *console) {
		fmt.Fprintln(c, "before")
		awstest.Equal(t, "not started", "before\n", c.after(time.Minute))
		c.Start()
		c.Start()
		c.after(redrawEvery)
		fmt.Fprintln(c, "note")
		awstest.Equal(t, "note", "\r\x1b[Knote\n", c.after(0))
		awstest.Equal(t, "after the note", "starting, 0 s so far", visible(c.after(redrawEvery)))
		fmt.Fprint(c, "Type yes to go on: ")
		awstest.Equal(t, "question", "\r\x1b[KType yes to go on: ", c.after(time.Minute))
		fmt.Fprintln(c)
		awstest.Equal(t, "after the question", "\nstarting, 0 calls/s, 61 s so far", visible(c.after(redrawEvery)))
		var results strings.Builder
		fmt.Fprint(c.Results(&results), "{}")
		fmt.Fprint(c.Results(&results), "\n")
		awstest.Equal(t, "results", "{}\n", results.String())
		awstest.Equal(t, "after the results", "\r\x1b[K", c.after(time.Minute))
		c.Start()
		awstest.Equal(t, "started again", "", c.after(time.Minute))
	})
}

func TestAnEndedLineDoesNotStart(t *testing.T) {
	t.Parallel()
	onConsole(t, 80, func(c *console) {
		c.End()
		c.Start()
		awstest.Equal(t, "printed", "", c.after(time.Minute))
	})
	new(Line).Start() // of an environment without progress
}

func TestAnInterruptSaysWhatIsFinished(t *testing.T) {
	t.Parallel()
	for want, calls := range map[string][2]int64{
		"stopping": {}, "finishing 1 delete call": {1, 0},
		"finishing 3 delete calls": {3, 0}, "finishing 3 delete calls and 1 archive call": {3, 1},
	} {
		onConsole(t, 80, func(c *console) {
			c.Start()
			c.deletions.Store(calls[0])
			c.archivals.Store(calls[1])
			c.after(redrawEvery)
			c.Interrupt(errors.New("interrupt signal received"))
			want := "\r\x1b[Kecrclean: interrupt signal received; " + want + "; press Ctrl-C again to quit now\n"
			awstest.Equal(t, "printed", want, c.after(time.Minute))
		})
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0 s", 41 * time.Second: "41 s", 2 * time.Minute: "2 min", 99 * time.Minute: "99 min", 150 * time.Minute: "2.5 h",
	} {
		awstest.Equal(t, d.String(), want, duration(d))
	}
}
