package text

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
)

// A Column of a table.
type Column struct {
	Name   string
	Number bool // aligned right, and never shortened
	Middle bool // shortened in the middle, because names often differ at the end
	Whole  bool // shortened only after other columns have few letters left
	// Cut says which columns a narrow terminal loses first: those with the greatest number.
	// A column with 0 stays.
	Cut int
	// Readable is a width. To make the column narrower, Fit first leaves out all columns with
	// Cut, and shortens the others to their Readable. With 0 it is 32.
	Readable int
	Short    func(string) string // shortens cells if the table is wider than the terminal; optional
	Style    terminal.Style      // of cells other than "0" and "-"
}

// A Table aligns the cells of its rows in columns.
type Table struct {
	columns []Column
	cells   []string // row by row
}

// NewTable returns an empty table. The names of the columns are printed above the first row,
// unless they are empty.
func NewTable(columns ...Column) *Table { return &Table{columns: columns} }

// Row adds a row with a cell for each column. The cells are made printable.
func (t *Table) Row(cells ...string) {
	for i := range t.columns {
		t.cells = append(t.cells, Printable(cells[i]))
	}
}

// Fit returns the table, or "" if it has no row. On a terminal no line is wider than the
// terminal: Fit uses Short, then it leaves out columns, and then it shortens other cells. A line
// below the table names these columns, and option, such as "-o json", which prints them.
func (t *Table) Fit(on terminal.Terminal, option string) string {
	if len(t.cells) == 0 {
		return ""
	}
	natural := t.widths()
	if on.Width > 0 && lineWidth(natural) > on.Width {
		t.abbreviate()
		natural = t.widths()
	}
	shown, widths := t.choose(natural, on.Width)
	var b strings.Builder
	if slices.ContainsFunc(t.columns, func(c Column) bool { return c.Name != "" }) {
		names := make([]string, len(t.columns))
		for i, c := range t.columns {
			names[i] = c.Name
		}
		var header strings.Builder
		t.line(&header, names, shown, widths, terminal.Terminal{})
		b.WriteString(on.Paint(terminal.Bold, strings.TrimSuffix(header.String(), "\n")) + "\n")
	}
	for row := range slices.Chunk(t.cells, len(t.columns)) {
		t.line(&b, row, shown, widths, on)
	}
	b.WriteString(Fold(t.missing(natural, shown, widths, option), on.Width))
	return b.String()
}

// widths returns the width of each column.
func (t *Table) widths() []int {
	widths := make([]int, len(t.columns))
	for i, c := range t.columns {
		widths[i] = Width(c.Name)
	}
	for i, cell := range t.cells {
		column := i % len(t.columns)
		widths[column] = max(widths[column], Width(cell))
	}
	return widths
}

// abbreviate shortens the cells of columns with Short.
func (t *Table) abbreviate() {
	for i, cell := range t.cells {
		if short := t.columns[i%len(t.columns)].Short; short != nil {
			t.cells[i] = short(cell)
		}
	}
}

// lineWidth returns the width of a line with all columns.
func lineWidth(widths []int) int {
	sum := 2 * (len(widths) - 1)
	for _, w := range widths {
		sum += w
	}
	return sum
}

func (c Column) readable() int { return cmp.Or(c.Readable, 32) }

// fewLetters is the width to which columns shrink before one that stays whole does.
const fewLetters = 10

// choose returns which columns to show, and the width of each column on a terminal.
func (t *Table) choose(natural []int, width int) (shown []bool, widths []int) {
	shown, widths = make([]bool, len(natural)), slices.Clone(natural)
	for i := range shown {
		shown[i] = true
	}
	if width <= 0 {
		return shown, widths
	}
	over := func() int {
		sum := -2 - width
		for i, w := range natural {
			if shown[i] {
				if !t.columns[i].Number {
					w = min(w, t.columns[i].readable())
				}
				sum += w + 2
			}
		}
		return sum
	}
	for over() > 0 {
		last := -1
		for i, c := range t.columns {
			if shown[i] && c.Cut > 0 && (last < 0 || c.Cut > t.columns[last].Cut) {
				last = i
			}
		}
		if last < 0 {
			break
		}
		shown[last] = false
	}
	for cut := range len(t.columns) + 1 { // a narrow column may fit in place of a wide one
		for i, c := range t.columns {
			if c.Cut == cut && !shown[i] {
				shown[i] = true
				shown[i] = over() <= 0
			}
		}
	}
	t.narrow(widths, shown, width, func(c Column) bool { return !c.Number && !c.Whole }, Column.readable)
	t.narrow(widths, shown, width, func(c Column) bool { return !c.Number && !c.Whole }, func(Column) int { return fewLetters })
	t.narrow(widths, shown, width, func(c Column) bool { return !c.Number }, func(Column) int { return 1 })
	return shown, widths
}

// narrow takes cells from the widest of the columns while the line is wider than width, but
// leaves at least the least.
func (t *Table) narrow(widths []int, shown []bool, width int, may func(Column) bool, least func(Column) int) {
	for {
		widest, sum := -1, -2
		for i, w := range widths {
			if !shown[i] {
				continue
			}
			sum += w + 2
			if may(t.columns[i]) && w > least(t.columns[i]) && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 || sum <= width {
			return
		}
		widths[widest]--
	}
}

func (t *Table) line(b *strings.Builder, row []string, shown []bool, widths []int, on terminal.Terminal) {
	pending := 0 // spaces, which no line ends with
	for i, c := range t.columns {
		if !shown[i] {
			continue
		}
		cell := Shorten(row[i], widths[i])
		if end := widths[i] / 2; c.Middle && cell != row[i] && Width(row[i]) == len(row[i]) {
			cell = Shorten(row[i], widths[i]-end) + row[i][len(row[i])-end:]
		}
		space := widths[i] - Width(cell)
		if c.Number {
			pending, space = pending+space, 0
		}
		if cell != "" {
			b.WriteString(strings.Repeat(" ", pending))
			pending = 0
			style := c.Style
			if cell == "0" || cell == "-" {
				style = terminal.Plain
			}
			b.WriteString(on.Paint(style, cell))
		}
		pending += space + 2
	}
	b.WriteByte('\n')
}

func (t *Table) missing(natural []int, shown []bool, widths []int, option string) string {
	var cut []string
	shortened := false
	for i, c := range t.columns {
		if !shown[i] {
			cut = append(cut, c.Name)
		} else {
			shortened = shortened || widths[i] < natural[i]
		}
	}
	what := ""
	if len(cut) > 0 {
		what = "not shown: " + strings.Join(cut, ", ")
	} else if shortened {
		what = "some cells are shortened"
	}
	if what == "" {
		return ""
	}
	return fmt.Sprintf("(%s; a wider terminal or %s shows all)\n", what, option)
}
