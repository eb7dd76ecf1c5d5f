package review

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/doctype"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// begin is how much of a file tells a log from a JSON document.
const begin = 1 << 16

// logMembers are members of the lines of a log, and of the wrappings that package audit reads.
var logMembers = []string{
	"msg", "message", "@message", "timestamp", "@timestamp", "level", "record", "events", "logEvents", "messageType", "results",
}

// An input is a text in UTF-8. If log is true, it can only be a log.
type input struct {
	*bufio.Reader
	io.Closer
	log bool
}

// open opens a file, or the standard input for "-".
func open(e env.Env, name string) (*input, error) {
	f, err := e.OpenInput(name)
	if err != nil {
		return nil, err
	}
	decoded, err := env.Decoded(f)
	if err != nil {
		_ = f.Close() // it was only read
		return nil, exit.Usagef("read %s: %w", title(name), err)
	}
	in := &input{Reader: bufio.NewReaderSize(decoded, begin), Closer: f}
	if mark, _ := in.Peek(3); string(mark) == "\ufeff" {
		_, _ = in.Discard(len(mark)) // it is in the buffer
	}
	text, _ := in.Peek(begin) // the next read returns the error, too
	in.log = isLog(text)
	return in, nil
}

// title returns the name of a file in messages.
func title(name string) string {
	if name == "-" {
		return "the standard input"
	}
	return name
}

// isLog reports whether a text with this beginning can only be a log. It then does not begin
// with a JSON object, or the object has a member of a log.
func isLog(text []byte) bool {
	first, err := json.NewDecoder(bytes.NewReader(text)).Token()
	return err != nil || first != json.Delim('{') || doctype.Has(text, logMembers...)
}

// members are the members of a JSON object, without the list of repositories.
type members map[string]json.RawMessage

// read reads a JSON object, and a report if it is one. Without an error, the report is nil for
// any other object.
func read(r io.Reader) (*report.Report, members, error) {
	in := json.NewDecoder(r)
	if _, err := in.Token(); err != nil { // the brace, see isLog
		return nil, nil, notJSON(err)
	}
	m := members{}
	repositories := []report.Repository{}
	for in.More() {
		token, err := in.Token()
		name, _ := token.(string)
		switch {
		case err != nil:
			return nil, m, notJSON(err)
		case name == "repositories":
			err := in.Decode(&repositories)
			if _, other := errors.AsType[*json.UnmarshalTypeError](err); other || err == nil && repositories == nil { // of a request, for example
				m["repositories object"] = nil
				return nil, m, nil
			}
			if err != nil {
				return nil, m, notJSON(err)
			}
		default:
			var value json.RawMessage
			if err := in.Decode(&value); err != nil {
				return nil, m, notJSON(err)
			}
			m[name] = value
		}
	}
	if _, err := in.Token(); err != nil {
		return nil, m, notJSON(err)
	}
	if m["version"] == nil || m["mode"] == nil || m["runId"] == nil {
		return nil, m, nil
	}
	result, err := m.report()
	if err != nil {
		return nil, m, err
	}
	result.Repositories = repositories
	return result, m, onlyStatus(in)
}

// report returns the report that the members are of, without its repositories.
func (m members) report() (*report.Report, error) {
	var r report.Report
	text, err := json.Marshal(m)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	switch {
	case err != nil:
		if wrong, is := errors.AsType[*json.UnmarshalTypeError](err); is {
			err = fmt.Errorf("%s cannot be a JSON %s", wrong.Field, wrong.Value)
		}
		return nil, fmt.Errorf("is a report that cannot be read: %w; get it again from where it was written", err)
	case r.Version != report.Version:
		return nil, fmt.Errorf("is a report of version %d, and this ecrclean reads version %d; use the ecrclean that wrote it", r.Version, report.Version)
	}
	return &r, nil
}

// onlyStatus accepts what "aws lambda invoke" prints after the answer if both go to the
// standard output.
func onlyStatus(in *json.Decoder) error {
	if !in.More() {
		return nil
	}
	var status struct{ StatusCode int }
	if in.Decode(&status) != nil || status.StatusCode == 0 || in.More() {
		return errors.New("has more text after the report; give one report")
	}
	return nil
}

func notJSON(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("is cut short; get it again from where it was written")
	}
	return fmt.Errorf("is not valid JSON: %w; get it again from where it was written", err)
}

// kinds are the other documents by a member that only they have, and what to do with them.
var kinds = []struct {
	member, is string // with FILE for its name
}{
	{"rules", "is a lifecycle policy; see what it would remove with ecrclean plan --policy FILE"},
	{"lifecyclePolicyText", "is the answer of aws ecr get-lifecycle-policy; see what attached policies would remove with ecrclean plan"},
	{"imageDetails", "is a list of images; see what a policy does with them with ecrclean preview --policy POLICY --images FILE"},
	{"policies", configuration},
	{"protect", configuration},
	{"limits", configuration},
	{"orphans", configuration},
	{"onExpire", configuration},
	{"repositories object", configuration},
	{"runs", "is the output of ecrclean audit; show the log itself with ecrclean show LOG"},
	{"added", "is the output of ecrclean diff; show the plans themselves with ecrclean show PLAN"},
}

const (
	configuration = "is a configuration; see what it would remove with ecrclean plan -c FILE"
	unknown       = "is no saved plan, report or log of a run; save a plan with ecrclean plan --out plan.json"
)

// notReport returns the error for a document that is no report. The error names the kind of
// the document and the command that takes it.
func notReport(name string, m members) error {
	var failure struct{ ErrorType, ErrorMessage string }
	if json.Unmarshal(m["errorType"], &failure.ErrorType) == nil && json.Unmarshal(m["errorMessage"], &failure.ErrorMessage) == nil {
		return exit.Usagef("%s is the error of a function, not its report: %s: %s", title(name), failure.ErrorType, failure.ErrorMessage)
	}
	if m["account"] != nil {
		return exit.Usagef("%s is a report, but not all of it can be read; get it again from where it was written", name)
	}
	for _, kind := range kinds {
		if _, has := m[kind.member]; has {
			return exit.Usagef("%s %s", title(name), strings.ReplaceAll(kind.is, "FILE", session.Quoted(name)))
		}
	}
	return exit.Usagef("%s %s", title(name), unknown)
}
