package repo_test

import (
	"go/ast"
	"go/token"
	"regexp"
	"strings"
	"testing"
)

// Words that meant something only to their authors. docs/glossary.md has the terms that
// replaced them.
var retiredWords = regexp.MustCompile(`(?i)\b(` + strings.Join([]string{
	`shield(s|ed|ing)?`, `claim(s|ed|ing)?`, `fates?`, `wish(es)?`, `tenants?`, `strikes?`, `spoil(s|ed)?`, `bearers?`,
	`worlds?`, `stir(s|red)?`, `room`, `goes along`, `go along`, `(is|are|was|were) left alone`, `nobody`, `so lately`,
}, `|`) + `)\b`)

func TestRetiredWordsStayOutOfThePages(t *testing.T) {
	t.Parallel()
	for _, name := range files(t) {
		if !strings.HasSuffix(name, ".md") {
			continue
		}
		for i, line := range strings.Split(read(t, name), "\n") {
			if word := retiredWords.FindString(line); word != "" {
				t.Errorf("%s:%d has the retired word %q", name, i+1, word)
			}
		}
	}
}

// Help texts, errors and all other messages are string literals.
func TestRetiredWordsStayOutOfTheMessages(t *testing.T) {
	t.Parallel()
	found := 0
	for _, s := range sources(t) {
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			found++
			const scheme = `"Bearer "` // in the header Authorization: https://www.rfc-editor.org/rfc/rfc6750
			if word := retiredWords.FindString(literal.Value); word != "" && literal.Value != scheme {
				t.Errorf("%s has the retired word %q in the message %s", s.path, word, literal.Value)
			}
			return true
		})
	}
	if found < 1000 {
		t.Errorf("found %d string literals; are all sources read?", found)
	}
}

func TestTheGlossaryIsShort(t *testing.T) {
	t.Parallel()
	terms := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| \*?\*?([^|*]+?)\*?\*? \| `).FindAllStringSubmatch(read(t, "docs/glossary.md"), -1) {
		if terms[row[1]] {
			t.Errorf("docs/glossary.md defines %q twice", row[1])
		}
		terms[row[1]] = true
	}
	delete(terms, "term")
	if len(terms) == 0 || len(terms) > 15 {
		t.Errorf("docs/glossary.md defines %d terms, want 1 to 15", len(terms))
	}
}
