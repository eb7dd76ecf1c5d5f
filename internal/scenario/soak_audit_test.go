package scenario_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/ecr-cleaner/ecr-cleaner/internal/audit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// A logCheck compares the log of a run with the changes of the registry.
type logCheck struct {
	*judgement
	intents  map[string]bool
	outcomes map[string]logged
	// found has the images that the audit lists, by repository and digest.
	found map[string]auditFinding
}

// A auditFinding is the audit's kind of removal for an image.
type auditFinding struct {
	kind    string // removed, unconfirmed or unknown
	outcome plan.Outcome
}

// log audits the log of all runs so far and judges the audit of the last run.
func (j *judgement) log() error {
	text := j.soak.log.String()
	a, err := audit.Read(strings.NewReader(text), "")
	switch {
	case err != nil:
		return err
	case a.Lines.Unreadable > j.cuts:
		return fmt.Errorf("%d lines of the log are unreadable, %d were cut: %v", a.Lines.Unreadable, j.cuts, a.Lines.Faults)
	}
	c := logCheck{judgement: j, found: map[string]auditFinding{}}
	c.intents, c.outcomes = outcomesLogged(text, j.runID)
	for _, run := range a.Runs {
		if run.ID == j.runID {
			err = errors.Join(c.list("removed", run.Removed), c.list("unconfirmed", run.Unconfirmed), c.list("unknown", run.Unknown), c.sums(run.Totals))
		}
	}
	if err != nil {
		return err
	}
	var faults []error
	judged := 0
	for _, repo := range j.picture {
		for _, was := range j.before[repo.name] {
			key := repo.name + was.Digest
			d := deed{was: was, is: imageOf(j.after[repo.name], was.Digest)}
			if _, listed := c.found[key]; listed {
				judged++
			}
			if err := c.judge(d, key); err != nil {
				faults = append(faults, fmt.Errorf("%s/%s: %w", repo.name, was.Digest, err))
			}
		}
	}
	if judged < len(c.found) {
		faults = append(faults, fmt.Errorf("the audit lists %d images, of which %d were there", len(c.found), judged))
	}
	return errors.Join(append(faults, c.agrees())...)
}

// list notes the images that the audit lists. It must list no image twice.
func (c *logCheck) list(kind string, images []audit.Image) error {
	for _, im := range images {
		key := im.Repository + im.ImageDigest
		if before, twice := c.found[key]; twice {
			return fmt.Errorf("the audit lists %s as %s and as %s", key, before.kind, kind)
		}
		c.found[key] = auditFinding{kind, plan.Outcome(im.Outcome)}
		c.seen.note("audit: " + kind)
	}
	return nil
}

// sums compares the counts of the audit with the lines of the log.
func (c *logCheck) sums(got audit.Totals) error {
	n := map[plan.Outcome]int{}
	for _, l := range c.outcomes {
		if !l.Unconfirmed {
			n[l.Outcome]++
		}
	}
	unconfirmed, unknown := 0, 0
	for _, f := range c.found {
		switch f.kind {
		case "unconfirmed":
			unconfirmed++
		case "unknown":
			unknown++
		}
	}
	want := audit.Totals{
		Deleted: n[plan.Deleted], Archived: n[plan.MovedToArchive], TagsRemoved: n[plan.Untagged], Unconfirmed: unconfirmed, Unknown: unknown,
		Blocked: n[plan.Blocked], Changed: n[plan.Changed], Gone: n[plan.Gone], Failed: n[plan.Failed], NotAttempted: n[plan.NotAttempted],
	}
	if got != want {
		return fmt.Errorf("the audit counts %+v, the log has %+v", got, want)
	}
	return nil
}

// judge compares the log of one image with the image. If another user removed it, the
// registry does not show what the run did before.
func (c *logCheck) judge(d deed, key string) error {
	became, vanished := d.became(), c.vanished[key]
	found, listed := c.found[key]
	l, settled := c.outcomes[key]
	c.note(&l)
	switch {
	case !listed && became != "" && !vanished:
		return fmt.Errorf("is %s, and the audit does not list it; the log says %q: %s", became, l.Outcome, l.Message)
	case found.kind == "removed" && vanished && found.outcome == plan.Deleted:
		return errors.New("the audit lists it as deleted, and somebody else removed it")
	case (found.kind == "removed" || found.kind == "unconfirmed") && !vanished && found.outcome != became:
		return fmt.Errorf("is %q, and the audit lists it as %s (%s)", became, found.outcome, found.kind)
	case listed && !c.intents[key]:
		return fmt.Errorf("the audit lists it as %s, and the log has no intent", found.kind)
	case found.kind == "unknown" && !settled && c.ending != "killed":
		return errors.New("the run came to its end and the log has an intent without an outcome")
	case !settled && c.intents[key] && found.kind != "unknown":
		return fmt.Errorf("the log has an intent without an outcome, and the audit lists it as %q", found.kind)
	case l.Outcome == plan.Unknown && found.kind != "unknown":
		return fmt.Errorf("the log says unknown, and the audit lists it as %q", found.kind)
	case l.Outcome == plan.Gone && !vanished:
		return fmt.Errorf("the log says gone, and nobody else removed it: %s", l.Message)
	case settled && l.Outcome != "" && l.Outcome != plan.Deleted && l.Message == "" && became == "":
		return fmt.Errorf("the log says %s without a word", l.Outcome)
	}
	return nil
}

func (c *logCheck) note(l *logged) {
	c.seen.note("outcome: " + string(l.Outcome))
	if code, _, _ := strings.Cut(l.Message, ":"); slices.Contains(fakeecr.ImageFailureCodes, code) {
		c.seen.note("code: " + code)
	}
}

// agrees checks that the log of a completed run has the same outcomes as the report.
func (c *logCheck) agrees() error {
	if c.ending == "killed" {
		return nil
	}
	for i := range c.report.Repositories {
		r := &c.report.Repositories[i]
		for _, im := range r.Images {
			l := c.outcomes[r.Name+im.ImageDigest]
			if im.Outcome != "" && (l.Outcome != im.Outcome || l.Message != im.Message) {
				return fmt.Errorf("%s/%s: the report says %s %q, the log %s %q", r.Name, im.ImageDigest, im.Outcome, im.Message, l.Outcome, l.Message)
			}
		}
	}
	return nil
}

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
