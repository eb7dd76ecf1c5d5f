package function_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/ecr-cleaner/ecr-cleaner/internal/audit"
)

// forged is a line about the deletion of an image.
const forged = `{"time":"2026-03-01T12:00:00Z","level":"INFO","msg":"image","run_id":"forged","repository":"x","digest":"sha256:x","outcome":"deleted"}`

// hostile are texts that would end a line, forge a line, or control a terminal.
var hostile = []string{
	"v1\n" + forged + "\n", "v1\r" + forged, "\u2028" + forged + "\u2029", "\u0085" + forged, `"}` + forged, `\",\"outcome\":\"deleted`,
	"\x00\x07\x08\x1b[31m\x7f", "\u009b31m", "\u202egnp.exe", "bad\xff\xfeutf-8\xc3", "\ufeff", `\`, "<script>", "{", strings.Repeat("x", 10_000),
}

// wantHarmless checks that the log is lines of printable JSON about run-1 only, and returns
// the run.
func (f *fixture) wantHarmless(t *testing.T) audit.Run {
	t.Helper()
	text := f.log.String()
	if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
		t.Errorf("the log has %q at byte %d", []rune(text[i:])[0], i)
	}
	for line := range strings.Lines(text) {
		if !json.Valid([]byte(line)) || !strings.HasPrefix(line, `{"time":"`) {
			t.Errorf("log line %.200q is no JSON object", line)
		}
	}
	a, err := audit.Read(strings.NewReader(text), "")
	if err != nil || len(a.Runs) != 1 || a.Runs[0].ID != "run-1" || a.Lines.Unreadable > 0 {
		t.Fatalf("audit: runs %+v, lines %+v, %v", a.Runs, a.Lines, err)
	}
	return a.Runs[0]
}

// Tags come from whoever may push.
func TestTagsCannotForgeTheLog(t *testing.T) {
	t.Parallel()
	f := newFixture(t, expireAll)
	tags := map[string]string{} // by digest
	for _, tag := range hostile {
		tags[f.push("app", 9*day, tag)] = tag
	}
	f.handle(t, `{"mode": "apply"}`)
	run := f.wantHarmless(t)
	if run.Totals.Deleted != len(hostile) || run.Totals.Listed() != len(hostile) {
		t.Errorf("totals %+v, want %d deleted", run.Totals, len(hostile))
	}
	for _, line := range f.lines(t, "image") {
		if tag := tags[line["digest"].(string)]; utf8.ValidString(tag) && line["tags"] != tag {
			t.Errorf("the tag %q reads %q", tag, line["tags"])
		}
	}
}

// Names of policies come from whoever writes the configuration, words about
// failures from the server.
func TestNamesAndMessagesCannotForgeTheLog(t *testing.T) {
	t.Parallel()
	for n, text := range hostile {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			name, err := json.Marshal(text)
			if err != nil {
				t.Fatal(err)
			}
			f := newFixture(t, strings.Replace(expireAll, `"old"`, string(name), 1))
			refused := f.push("app", 9*day)
			f.push("app", 8*day)
			f.registry.RefuseImage(refused, text)
			f.push("denied", 9*day)
			if !strings.ContainsFunc(text, unicode.IsControl) { // the code is in a header
				f.registry.Fail("DescribeImages", "denied", text)
			}
			report := f.handle(t, `{"mode": "apply"}`)
			run := f.wantHarmless(t)
			if policy := report.Repositories[0].Policy; policy != text && utf8.ValidString(text) {
				t.Errorf("the policy %q reads %q", text, policy)
			}
			if run.Totals.Deleted != report.Totals.Deleted || run.Totals.Failed != 1 || run.Totals.Listed() != run.Totals.Deleted {
				t.Errorf("audit %+v", run.Totals)
			}
		})
	}
}
