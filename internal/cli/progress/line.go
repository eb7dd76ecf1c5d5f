// Package progress shows on the standard error stream how far a command is. A terminal
// gets one line that is redrawn, and any other file a line every 30 seconds.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

const (
	redrawEvery = 200 * time.Millisecond // on a terminal
	sampleEvery = time.Second            // elsewhere
	printEvery  = 30 * time.Second

	clearLine = "\r\x1b[K" // to the first column, and erase to the end of the line
)

// A Line shows the progress of one command. Everything else that the command prints must
// be written through it, so that the line is not in the way. The zero value shows nothing.
// A Line is safe for concurrent use.
type Line struct {
	counts

	mu    sync.Mutex
	w     io.Writer
	width func() int // of the terminal; nil if w is no terminal

	samples samples
	every   time.Duration // between two samples
	printed time.Time     // when the last line was printed that is not redrawn
	drawn   bool          // the line is on the terminal
	within  bool          // the cursor is behind an unfinished line of the command, such as a question
	stop    chan struct{} // nil before Start
	over    bool
}

// New returns the line of a program with this standard error stream.
func New(stderr io.Writer, getenv func(string) string) *Line {
	l := &Line{w: stderr}
	f, isFile := stderr.(*os.File)
	if isFile && term.IsTerminal(int(f.Fd())) && getenv("TERM") != "dumb" {
		l.width = func() int {
			width, _, err := term.GetSize(int(f.Fd()))
			if err != nil || width == 0 { // the terminal does not know its size
				return 80
			}
			return width
		}
	}
	return l
}

// Start begins to show the line, unless it was shown or ended before.
func (l *Line) Start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.w == nil || l.over || l.stop != nil {
		return
	}
	l.Phase("starting")
	l.stop = make(chan struct{})
	l.every = sampleEvery
	if l.width != nil {
		l.every = redrawEvery
	}
	go l.run(time.NewTicker(l.every), l.stop)
}

func (l *Line) run(ticker *time.Ticker, stop <-chan struct{}) {
	defer ticker.Stop()
	for {
		select {
		case now := <-ticker.C:
			l.show(now)
		case <-stop:
			return
		}
	}
}

func (l *Line) show(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over || l.within {
		return
	}
	if l.printed.IsZero() {
		l.printed = now.Add(-l.every) // the start
		l.samples.begin(&l.counts, l.printed)
	}
	line := l.samples.next(&l.counts, now)
	if l.width != nil {
		_, _ = io.WriteString(l.w, "\r"+line.fit(l.width()-1)+"\x1b[K") // progress is no result
		l.drawn = true
		return
	}
	if now.Sub(l.printed) >= printEvery {
		l.printed = now
		_, _ = fmt.Fprintln(l.w, "ecrclean: "+line.String())
	}
}

// Write writes to the standard error stream in place of the line. The line comes back
// after a text that ends with a newline.
func (l *Line) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.erase()
	if len(text) > 0 {
		l.within = text[len(text)-1] != '\n'
	}
	return l.w.Write(text)
}

// Results returns a writer of the results of the command. The first result ends the line.
func (l *Line) Results(w io.Writer) io.Writer { return results{w, l} }

type results struct {
	io.Writer
	line *Line
}

func (r results) Write(text []byte) (int, error) {
	r.line.End()
	return r.Writer.Write(text)
}

// End erases the line and does not show it again. It may be called more than once.
func (l *Line) End() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end()
}

func (l *Line) end() {
	if l.stop != nil && !l.over {
		close(l.stop)
	}
	l.over = true
	l.erase()
}

func (l *Line) erase() {
	if l.drawn {
		_, _ = io.WriteString(l.w, clearLine)
		l.drawn = false
	}
}

// Interrupt ends the line, and names the cause and the calls that the program finishes.
func (l *Line) Interrupt(cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end()
	if l.within {
		_, _ = fmt.Fprintln(l.w)
	}
	_, _ = fmt.Fprintf(l.w, "ecrclean: %s; %s; press Ctrl-C again to quit now\n", cause, l.finishing())
}
