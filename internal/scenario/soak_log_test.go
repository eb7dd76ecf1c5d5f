package scenario_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"

	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// A runLog has the logs of several runs. A killed process writes at most a part of the
// line that it was about to write.
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

// kill lets that many bytes more be written, of one line at most.
func (l *runLog) kill(left int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.killed, l.left = true, left
}

// end ends the log of a run and reports whether its last line is cut. The next text
// begins a new line, like every event of CloudWatch Logs.
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

// A logged image is the last line of the log with an outcome of the image.
type logged struct {
	Msg         string       `json:"msg"`
	RunID       string       `json:"run_id"`
	Repository  string       `json:"repository"`
	Digest      string       `json:"digest"`
	Outcome     plan.Outcome `json:"outcome"`
	Unconfirmed bool         `json:"unconfirmed"`
	Message     string       `json:"message"`
}

// outcomesLogged returns the intents and the outcomes in the log of the run, by
// repository and digest. It shares no code with the audit and reads whole lines only.
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
