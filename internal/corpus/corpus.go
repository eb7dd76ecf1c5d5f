// Package corpus reads test data and compares results with it, for tests only. A pattern
// that matches no file, and an archive with other sections than expected, fail the test.
package corpus

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the expectations in the test data")

// File returns the content of a file.
func File(tb testing.TB, name string) []byte {
	tb.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

// Files returns the files that match the pattern, by name without folder and extension.
func Files(tb testing.TB, pattern string) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		tb.Fatalf("no file matches %s (%v)", pattern, err)
	}
	texts := map[string][]byte{}
	for _, file := range files {
		texts[strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))] = File(tb, file)
	}
	return texts
}

// Golden compares a file with the result of a test, or with -update rewrites it.
func Golden(tb testing.TB, file, got string) {
	tb.Helper()
	if *update && os.WriteFile(file, []byte(got), 0o644) != nil {
		tb.Fatalf("%s cannot be written", file)
	}
	if diff := cmp.Diff(string(File(tb, file)), got); diff != "" {
		tb.Errorf("%s mismatch (-want +got):\n%s", file, diff)
	}
}

// A Case is a txtar archive: a comment and sections.
type Case struct {
	*txtar.Archive
	Sections map[string]string
	file     string
}

// Parse reads an archive with exactly these sections, in this order.
func Parse(text []byte, sections ...string) (Case, error) {
	c := Case{Archive: txtar.Parse(text), Sections: map[string]string{}}
	var names []string
	for _, f := range c.Files {
		names = append(names, f.Name)
		c.Sections[f.Name] = string(f.Data)
	}
	if !slices.Equal(names, sections) {
		return c, fmt.Errorf("the sections are %q, want %q", names, sections)
	}
	return c, nil
}

// Read parses the archives of a folder, by name without extension.
func Read(tb testing.TB, folder string, sections ...string) map[string]Case {
	tb.Helper()
	cases := map[string]Case{}
	for name, text := range Files(tb, filepath.Join(folder, "*.txtar")) {
		c, err := Parse(text, sections...)
		if c.file = filepath.Join(folder, name+".txtar"); err != nil {
			tb.Fatalf("%s: %v", c.file, err)
		}
		cases[name] = c
	}
	return cases
}

// Want compares a section with the result of a test.
func (c Case) Want(tb testing.TB, section, got string) {
	tb.Helper()
	i := slices.IndexFunc(c.Files, func(f txtar.File) bool { return f.Name == section })
	c.Files[i].Data = []byte(got)
	Golden(tb, c.file, string(txtar.Format(c.Archive)))
}

// Lines returns the texts of the items, one on each line.
func Lines[E fmt.Stringer](items []E) (text string) {
	for _, item := range items {
		text += item.String() + "\n"
	}
	return text
}
