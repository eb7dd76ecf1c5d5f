// Package terminal describes the terminals that ecrclean writes to: their width, and whether
// to print colours. A pipe or a file has neither.
package terminal

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/term"
)

// A Terminal is a stream that a person may read. The zero value is a pipe or a file.
type Terminal struct {
	Width  int // in cells; 0 if the stream is no terminal and lines may have any length
	Colour bool
}

// Streams are the standard output and the standard error stream.
type Streams struct{ Out, Err Terminal }

// Open examines the streams. The environment variable COLUMNS precedes the
// width that a terminal has. NO_COLOR and TERM=dumb turn colours off.
func Open(out, err *os.File, getenv func(string) string) Streams {
	return Streams{open(out, getenv), open(err, getenv)}
}

func open(f *os.File, getenv func(string) string) Terminal {
	fd := int(f.Fd()) //nolint:gosec // a file descriptor is small
	if !term.IsTerminal(fd) {
		return Terminal{}
	}
	t := Terminal{Width: 80, Colour: getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"}
	if width, _, err := term.GetSize(fd); err == nil && width > 0 {
		t.Width = width
	}
	if columns, err := strconv.Atoi(getenv("COLUMNS")); err == nil && columns > 0 {
		t.Width = columns
	}
	return t
}

// When is the value of the flag --color.
type When string

// The values of --color. Auto means colours on a terminal only.
const (
	Auto   When = "auto"
	Always When = "always"
	Never  When = "never"
)

func (w *When) String() string { return string(*w) }

// Type returns the name of the values in the help.
func (*When) Type() string { return "when" }

// Set reads the value of the flag.
func (w *When) Set(s string) error {
	switch When(s) {
	case Auto, Always, Never:
		*w = When(s)
		return nil
	}
	return errors.New("must be auto, always or never")
}

// Coloured returns the streams with colours or without them.
func (s Streams) Coloured(when When) Streams {
	if when != Auto {
		s.Out.Colour, s.Err.Colour = when == Always, when == Always
	}
	return s
}

// A Style is a way to print a text on a terminal with colours.
type Style string

// The styles.
const (
	Plain Style = ""
	Bold  Style = "1"
	Red   Style = "31" // deletions and failures
	Green Style = "32" // protected images
)

// Paint returns the text in the style, or as it is without colours.
func (t Terminal) Paint(style Style, text string) string {
	if !t.Colour || style == Plain {
		return text
	}
	return "\x1b[" + string(style) + "m" + text + "\x1b[0m"
}
