package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// MaxLine is the largest length of a line in bytes. An event of CloudWatch has at most
// 1 MB, and a line of a subscription can have several events.
const MaxLine = 16 << 20

// Last as a run ID stands for the run whose first line is the last one.
const Last = "last"

// Read reads a log to its end. It ignores the runs whose ID does not begin with runID. If one
// has exactly this ID, or if runID is [Last], that run is the only one. Read accepts lines of
// other programs, text before the JSON object, and the wrappings of CloudWatch
// Logs and its clients. The error is that of r. The memory does not depend on the length of
// the log.
func Read(r io.Reader, runID string) (Audit, error) {
	t := &tally{only: runID, byID: map[string]*Run{}, open: map[key]intent{}}
	lines := bufio.NewReaderSize(r, 1<<16)
	for n := 1; ; n++ {
		text, err := readLine(lines)
		t.number = n
		switch t.line(text); {
		case errors.Is(err, bufio.ErrTooLong):
			t.fault(fmt.Errorf("is longer than %d MB", MaxLine>>20))
		case errors.Is(err, io.EOF):
			return t.audit(), nil
		case err != nil:
			return t.audit(), err
		}
	}
}

// readLine returns the next line without its end. For a line that is too long it returns
// bufio.ErrTooLong, and with the last line it may return io.EOF.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for tooLong := false; ; {
		part, err := r.ReadSlice('\n')
		if tooLong = tooLong || len(line)+len(part) > MaxLine; !tooLong {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case tooLong && (err == nil || errors.Is(err, io.EOF)):
			return nil, bufio.ErrTooLong // the end of the input is met again
		default:
			return bytes.TrimSpace(line), err
		}
	}
}

// An envelope has the members that tell a line of a log from a wrapping of lines.
type envelope struct {
	Msg       json.RawMessage `json:"msg"`
	Message   json.RawMessage `json:"message"`
	AtMessage json.RawMessage `json:"@message"`
	Value     json.RawMessage `json:"value"`
	Events    json.RawMessage `json:"events"`
	LogEvents json.RawMessage `json:"logEvents"`
}

func (t *tally) line(text []byte) {
	faults := t.lines.Unreadable
	switch ours := t.text(text, 0); {
	case ours:
		t.lines.Read++
	case len(text) > 0 && t.lines.Unreadable == faults:
		t.lines.Others++
	}
}

// text records the objects in a text, and reports whether one is a line of the function
// or the tool. A line has at most four wrappings.
func (t *tally) text(text []byte, depth int) (ours bool) {
	if depth > 4 || !bytes.Contains(text, []byte("msg")) && !bytes.Contains(text, []byte("time")) {
		return false // most lines of other programs
	}
	if inner, ok := member(text); ok {
		return t.text(inner, depth+1)
	}
	start := bytes.IndexByte(text, '{')
	if start < 0 {
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(text[start:]))
	for decoder.More() {
		var object json.RawMessage
		if err := decoder.Decode(&object); err != nil {
			t.cut(text[start:], err)
			break
		}
		ours = t.object(object, depth) || ours
	}
	return ours
}

// member returns the value if the text is a line of an indented document, with a member
// whose value is a line of a log.
func member(text []byte) (inner []byte, ok bool) {
	for _, name := range []string{`"message":`, `"@message":`, `"value":`} {
		if value, found := bytes.CutPrefix(text, []byte(name)); found {
			var s string
			err := json.Unmarshal(bytes.TrimSuffix(value, []byte(",")), &s)
			return []byte(s), err == nil
		}
	}
	return nil, false
}

// cut records a fault if a text that is not JSON was a line of a run.
func (t *tally) cut(text []byte, err error) {
	plain := bytes.ReplaceAll(text, []byte(`\"`), []byte(`"`))
	for _, sign := range []string{`{"time":"`, `"msg":"` + msgIntent + `"`, `"msg":"` + msgImage + `"`} {
		if bytes.Contains(plain, []byte(sign)) {
			t.fault(fmt.Errorf("looks like a line of a run and is incomplete: %w", err))
			return
		}
	}
}

// object records one JSON value. It does not search the members of a line of a run, so
// that no text in them passes for a line.
func (t *tally) object(object json.RawMessage, depth int) (ours bool) {
	var e envelope
	if json.Unmarshal(object, &e) != nil {
		return false // an array or a number
	}
	if e.Msg != nil {
		return t.entry(e.Msg, object)
	}
	for _, held := range []json.RawMessage{e.Message, e.AtMessage, e.Value} {
		var s string
		if json.Unmarshal(held, &s) == nil {
			held = []byte(s)
		}
		ours = t.text(held, depth+1) || ours
	}
	for _, events := range []json.RawMessage{e.Events, e.LogEvents} {
		var list []json.RawMessage
		if json.Unmarshal(events, &list) != nil {
			continue
		}
		for _, event := range list {
			ours = t.text(event, depth+1) || ours
		}
	}
	return ours
}
