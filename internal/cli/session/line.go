package session

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Line returns a command line for a message: ecrclean, the words, and those of the given flags
// whose names keep accepts.
func (f *Flags) Line(keep func(name string) bool, words ...string) string {
	words = slices.Insert(words, 0, "ecrclean")
	for i, word := range words {
		words[i] = Quoted(word)
	}
	f.Command.Flags().Visit(func(flag *pflag.Flag) {
		if keep(flag.Name) {
			words = append(words, Typed(flag))
		}
	})
	return strings.Join(words, " ")
}

// Typed returns a flag with its value as a person types it.
func Typed(f *pflag.Flag) string {
	name, value := "--"+f.Name, f.Value.String()
	if list, isList := f.Value.(pflag.SliceValue); isList {
		value = strings.Join(list.GetSlice(), ",")
	}
	switch {
	case f.NoOptDefVal == "": // a flag that needs a value
		return name + " " + Quoted(value)
	case value == "true":
		return name
	}
	return name + "=" + value
}

// Except accepts the names of all other flags.
func Except(names ...string) func(string) bool {
	return func(name string) bool { return !slices.Contains(names, name) }
}

// Only accepts the names.
func Only(names ...string) func(string) bool {
	return func(name string) bool { return slices.Contains(names, name) }
}

// Quoted quotes a word for a shell if it has other than plain characters.
func Quoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)
