package jsondoc_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// printed is what encoding/json and a Printable make of the text.
func printed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	encoder := json.NewEncoder(jsondoc.Printable(&b))
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// sameString checks that the text appended reads as the one encoded.
func sameString(t *testing.T, text string) {
	t.Helper()
	var got, want string
	line := string(jsondoc.AppendString([]byte("x"), text))
	if err := json.Unmarshal([]byte(line[1:]), &got); err != nil {
		t.Fatalf("%q appends %s: %v", text, line, err)
	}
	if err := json.Unmarshal([]byte(printed(t, text)), &want); err != nil || got != want {
		t.Errorf("%q reads %q, want %q (%v)", text, got, want, err)
	}
	var again bytes.Buffer
	if _, err := jsondoc.Printable(&again).Write([]byte(line)); err != nil || again.String() != line || strings.Contains(line, "\n") {
		t.Errorf("%q appends %q, which is not printable (%v)", text, line, err)
	}
}

var texts = []string{
	"", "v1.2.3", `"`, `\`, "a\"b\\c", "<&>", "\x00\x1f\x7f", "a\nb\r\t", "\u0085\u009b31m", "é", "日本", "😀", "\u2028\u2029\u202e\ufeff", "\U000e0001",
	"\xff", "a\xc3", "\xed\xa0\x80", "\ufffd",
}

func TestAppendStringIsReadAsTheSameText(t *testing.T) {
	t.Parallel()
	for _, text := range texts {
		sameString(t, text)
	}
}

func FuzzAppendString(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(sameString)
}
