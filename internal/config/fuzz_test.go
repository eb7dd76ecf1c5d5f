package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

func FuzzParse(f *testing.F) {
	addFiles(f, "testdata/*.json")
	for _, seed := range []string{
		``, `null`, `{"policies": [{"policy": {"rules": [{}]}}, 1, null]}`, `{"limits": {"maxDeletions": 1e999}}`,
		"{\"a\nb\": \"\xff\"}", `{"repositories": {"include": [""], "include": []}}`, `{"report": {"s3": "\n\u2028"}}`,
		`{"targets": [` + target + `, "limits": {"maxDeletions": 1}, "policies": []}, ` + organization + `, "units": ["r-ab12"], "exclude": []}, "protect": {"inUse": []}}], "fleet": {"maxRounds": 2}}`,
	} {
		f.Add([]byte(seed))
	}
	schema := newValidator(f, "")
	f.Fuzz(func(t *testing.T, text []byte) {
		c, problems := config.Parse(text)
		checkProblems(t, problems)
		if problems.Err() != nil {
			return
		}
		if !schema.accepts(jsondoc.WithoutComments(text)) {
			t.Error("the schema refuses what the parser accepts")
		}
		if again, _ := config.Parse(text); hash(t, again) != hash(t, c) {
			t.Error("the same text has two hashes")
		}
		if document, err := c.Document(); err != nil || len(document) <= config.MaxBytes && hash(t, mustParse(t, string(document))) != hash(t, c) {
			t.Errorf("printed as another configuration: %s, %v", document, err)
		}
		if c.Mode == "" || c.Repositories.Include == nil || c.Orphans == "" || c.OnExpire == "" || c.Limits.MaxDeletedPercent > 100 {
			t.Errorf("a default is missing or a range is exceeded: %+v", c)
		}
		for i := range c.Policies {
			e := &c.Policies[i]
			if e.Name == "" || len(e.Repositories) == 0 || (e.Source == config.Inline) != (len(e.Policy.Rules) > 0) {
				t.Errorf("entry %d is not complete: %+v", i, e)
			}
		}
		c.Unsupported()
	})
}

// A comment after any token changes neither the configuration nor the problems, except for
// their lines.
func FuzzComments(f *testing.F) {
	addFiles(f, "testdata/*.json")
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(jsondoc.WithoutComments(text)) != len(text) || strings.Contains(string(text), "//") {
			return // it has comments already
		}
		plain, problems := config.Parse(text)
		decoder, at := json.NewDecoder(bytes.NewReader(text)), 0
		var commented []byte
		for range 1000 {
			if _, err := decoder.Token(); err != nil {
				break
			}
			next := int(decoder.InputOffset())
			commented = append(append(commented, text[at:next]...), " // größe \" { //\n"...)
			at = next
		}
		commented = append(commented, text[at:]...)
		again, others := config.Parse(commented)
		if len(commented) > config.MaxBytes || len(text) > config.MaxBytes {
			return
		}
		equal(t, "number of problems", len(problems), len(others))
		for i := range problems {
			equal(t, "problem", problems[i].Message, others[i].Message)
		}
		if hash(t, plain) != hash(t, again) {
			t.Error("comments change the hash")
		}
	})
}

func FuzzParseRequest(f *testing.F) {
	addFiles(f, "../../events/*.json")
	for _, seed := range []string{
		``, `null`, `[]`, `{"detail-type": null}`, `{"detail-type": 1, "detail": "null"}`, `{"detail-type": 1, "detail": "\n{\"\n\": 1}"}`,
		`{"repositories": [], "repositories": [1]}`, `{"policy": {"rules": 1}, "maxDeletions": -0}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, event []byte) {
		r, problems := config.ParseRequest(event)
		checkProblems(t, problems)
		if problems.Err() != nil {
			return
		}
		if r.Repositories != nil && len(r.Repositories) == 0 {
			t.Error("an empty selection is not a problem")
		}
		c, err := config.Default().Narrow(r)
		if err != nil {
			return
		}
		limits, most := c.Policies[0].Limits, config.Default().Limits
		if limits.MaxDeletionsPerRepository > most.MaxDeletionsPerRepository || limits.MaxDeletedPercent > most.MaxDeletedPercent {
			t.Errorf("the request %s widens the limits to %+v", event, limits)
		}
	})
}

func addFiles(f *testing.F, pattern string) {
	f.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		f.Fatalf("%s: %d files, %v", pattern, len(names), err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
}

// checkProblems checks what holds for the problems of any text: each has a place and is one line.
func checkProblems(t *testing.T, problems jsondoc.Problems) {
	t.Helper()
	for _, p := range problems {
		if p.Line < 1 || p.Column < 1 || p.Message == "" || strings.ContainsAny(p.String(), "\n\r\u2028") {
			t.Errorf("problem %q at %d:%d", p.String(), p.Line, p.Column)
		}
	}
}

// large returns 10,000 names and 200 entries of several patterns, of which the
// last decides about most names.
func large(tb testing.TB) (config.Config, []string) {
	tb.Helper()
	var entries []string
	for i := range 200 {
		entries = append(entries, fmt.Sprintf(
			`{"repositories": ["team-%d/*", "*/service-%d", "base-%d", "*-%d-*-nightly"], "policy": "none"}`, i, i, i, i))
	}
	entries = append(entries[:199], `{}`)
	c, problems := config.Parse([]byte(`{"policies": [` + strings.Join(entries, ",") + `]}`))
	if len(problems) > 0 {
		tb.Fatal(problems)
	}
	names := make([]string, 10_000)
	for i := range names {
		names[i] = fmt.Sprintf("division-%d/product-%d/component-%d", i%7, i%300, i)
	}
	return c, names
}

func noTags() (map[string]string, error) { return nil, nil }

func selectAll(tb testing.TB, c *config.Config, names []string) {
	tb.Helper()
	for _, name := range names {
		if entry, err := c.Entry(name, noTags); entry == nil || err != nil {
			tb.Fatalf("Entry(%s) = %v, %v", name, entry, err)
		}
	}
}

func BenchmarkEntry(b *testing.B) {
	c, names := large(b)
	b.ReportAllocs()
	for b.Loop() {
		selectAll(b, &c, names)
	}
}

// A linear scan is fast enough; ten times as long, under whatever load, is not.
func TestSelectionIsNoBurden(t *testing.T) {
	t.Parallel()
	c, names := large(t)
	best := time.Hour
	for range 5 {
		start := time.Now()
		selectAll(t, &c, names)
		best = min(best, time.Since(start))
	}
	if best > time.Second {
		t.Errorf("10,000 repositories and 200 entries take %v", best)
	}
}
