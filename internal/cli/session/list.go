package session

import (
	"strings"

	"github.com/spf13/pflag"
)

// List returns the value of a flag that is a list, repeatable, and with commas or line ends
// between its elements. No value is dropped: an empty one is an element. A list of package
// pflag would read only the first of several lines.
func List(elements *[]string) pflag.Value { return (*list)(elements) }

type list []string

func (l *list) String() string {
	if len(*l) == 0 {
		return ""
	}
	return "[" + strings.Join(*l, ",") + "]"
}

func (*list) Type() string { return "strings" }

func (l *list) Set(text string) error {
	for element := range strings.SplitSeq(strings.ReplaceAll(text, "\n", ","), ",") {
		*l = append(*l, strings.TrimSpace(element))
	}
	return nil
}

// Append, GetSlice and Replace make it a [pflag.SliceValue].
func (l *list) Append(element string) error { *l = append(*l, element); return nil }

func (l *list) GetSlice() []string { return *l }

func (l *list) Replace(elements []string) error { *l = elements; return nil }
