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

// wantAppended checks that the text is appended as it is printed.
func wantAppended(t *testing.T, text string) {
	t.Helper()
	got, want := string(jsondoc.AppendString([]byte("x"), text)), "x"+printed(t, text)
	if got != want {
		t.Errorf("%q appends %s, want %s", text, got, want)
	}
}

var texts = []string{
	"", "v1.2.3", `"`, `\`, "a\"b\\c", "<&>", "\x00\x1f\x7f", "a\nb\r\t", "\u0085\u009b31m", "é", "日本", "😀", "\u2028\u2029\u202e\ufeff", "\U000e0001",
	"\xff", "a\xc3", "\xed\xa0\x80", "\ufffd",
}

func TestAppendStringWritesWhatEncodingJSONDoes(t *testing.T) {
	t.Parallel()
	for _, text := range texts {
		wantAppended(t, text)
	}
}

func TestAppendValue(t *testing.T) {
	t.Parallel()
	b, err := jsondoc.AppendValue([]byte("x"), map[string]any{"<a>": []int{1}, "b": "\u202e\n"})
	if want := `x{"<a>":[1],"b":"\u202e\n"}`; err != nil || string(b) != want {
		t.Errorf("appends %s, %v, want %s", b, err, want)
	}
	if b, err = jsondoc.AppendValue([]byte("x"), []any{"y", func() {}}); err == nil || string(b) != "x" {
		t.Errorf("of what has no JSON text it appends %q, error %v", b, err)
	}
}

func FuzzAppendString(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(wantAppended)
}
