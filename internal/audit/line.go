package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// maxDepth is how often a line may be wrapped.
const maxDepth = 4

// An envelope tells what an object is: a line of a log, or what holds some.
type envelope struct {
	Msg       json.RawMessage `json:"msg"`
	Message   json.RawMessage `json:"message"`
	AtMessage json.RawMessage `json:"@message"`
	Value     json.RawMessage `json:"value"`
	Events    json.RawMessage `json:"events"`
	LogEvents json.RawMessage `json:"logEvents"`
}

// line takes note of a line of the input.
func (t *tally) line(text []byte) {
	faults := t.lines.Unreadable
	switch ours := t.text(text, 0); {
	case ours:
		t.lines.Read++
	case len(text) > 0 && t.lines.Unreadable == faults:
		t.lines.Others++
	}
}

// text takes note of the objects in a text, and reports whether one was a line of
// a run.
func (t *tally) text(text []byte, depth int) (ours bool) {
	if depth > maxDepth || !bytes.Contains(text, []byte("msg")) && !bytes.Contains(text, []byte("time")) {
		return false // as most lines of others
	}
	if inner, is := member(text); is {
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

// member returns what the text holds if it is a line of an indented document with
// a member whose value is a line of a log.
func member(text []byte) (inner []byte, is bool) {
	for _, name := range []string{`"message":`, `"@message":`, `"value":`} {
		if value, found := bytes.CutPrefix(text, []byte(name)); found {
			var s string
			err := json.Unmarshal(bytes.TrimSuffix(value, []byte(",")), &s)
			return []byte(s), err == nil
		}
	}
	return nil, false
}

// cut takes note of a text that is no JSON, if it was a line of a run.
func (t *tally) cut(text []byte, err error) {
	plain := bytes.ReplaceAll(text, []byte(`\"`), []byte(`"`))
	for _, sign := range []string{`{"time":"`, `"msg":"` + msgIntent + `"`, `"msg":"` + msgImage + `"`} {
		if bytes.Contains(plain, []byte(sign)) {
			t.fault(fmt.Errorf("looks like a line of a run and is not whole: %w", err))
			return
		}
	}
}

// object takes note of one JSON value. A line of a run is never taken apart
// further, whatever its members hold.
func (t *tally) object(object json.RawMessage, depth int) (ours bool) {
	var e envelope
	if json.Unmarshal(object, &e) != nil {
		return false // an array, a number: nobody's line
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
