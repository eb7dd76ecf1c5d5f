package text

import (
	"strings"
	"text/tabwriter"
)

// A Table aligns the cells of its rows in columns.
type Table struct {
	header []string
	b      strings.Builder
	w      *tabwriter.Writer
}

// NewTable returns a table without rows. The header, if any, is printed above the first
// row.
func NewTable(header ...string) *Table {
	t := &Table{header: header}
	t.w = tabwriter.NewWriter(&t.b, 0, 0, 2, ' ', 0)
	return t
}

// Row adds a row. The cells are made printable.
func (t *Table) Row(cells ...string) {
	if t.header != nil {
		header := t.header
		t.header = nil
		t.Row(header...)
	}
	line := ""
	for i, cell := range cells {
		if i > 0 {
			line += "\t"
		}
		line += Printable(cell)
	}
	_, _ = t.w.Write([]byte(line + "\n")) // a strings.Builder returns no error
}

// String returns the table, or "" if it has no row. It must be called once, last.
func (t *Table) String() string {
	_ = t.w.Flush() // a strings.Builder returns no error
	return t.b.String()
}
