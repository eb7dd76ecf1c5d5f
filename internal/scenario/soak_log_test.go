package scenario_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
)

// A runLog keeps the log of one run after the other. A process that is killed
// writes nothing more, but for a part of the line that it was about to write.
type runLog struct {
	mu     sync.Mutex
	text   bytes.Buffer
	killed bool
	left   int // how many bytes are still written then
}

func (l *runLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	written := len(line)
	if l.killed {
		written, l.left = min(l.left, written), 0
	}
	l.text.Write(line[:written])
	return len(line), nil
}

// kill has that many bytes more written, of one line at most.
func (l *runLog) kill(left int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.killed, l.left = true, left
}

// end ends the log of a run and reports whether its last line is cut. What
// comes next begins a line, as every event of CloudWatch Logs does.
func (l *runLog) end() (cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.text.Bytes()
	if cut = len(text) > 0 && text[len(text)-1] != '\n'; cut {
		l.text.WriteByte('\n')
	}
	l.killed = false
	return cut
}

func (l *runLog) String() string { return l.text.String() }

// A logged image is what the log says of one: its last line with an outcome.
type logged struct {
	Msg         string          `json:"msg"`
	RunID       string          `json:"run_id"`
	Repository  string          `json:"repository"`
	Digest      string          `json:"digest"`
	Outcome     cleaner.Outcome `json:"outcome"`
	Unconfirmed bool            `json:"unconfirmed"`
	Message     string          `json:"message"`
}

// outcomesLogged returns what the log says of the images of the run, by
// repository and digest: the intents, and the outcomes. It is another reader
// than the one of the audit, and knows whole lines only.
func outcomesLogged(log, runID string) (intents map[string]bool, outcomes map[string]logged) {
	intents, outcomes = map[string]bool{}, map[string]logged{}
	for line := range strings.Lines(log) {
		var l logged
		switch err := json.Unmarshal([]byte(line), &l); {
		case err != nil || l.RunID != runID:
		case l.Msg == "intent":
			intents[l.Repository+l.Digest] = true
		case l.Msg == "image":
			outcomes[l.Repository+l.Digest] = l
		}
	}
	return intents, outcomes
}
