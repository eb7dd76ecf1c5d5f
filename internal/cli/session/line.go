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
	f.Command.Flags().Visit(func(flag *pflag.Flag) {
		if !keep(flag.Name) {
			return
		}
		value := flag.Value.String()
		if list, isList := flag.Value.(pflag.SliceValue); isList {
			value = strings.Join(list.GetSlice(), ",")
		}
		if words = append(words, "--"+flag.Name); flag.NoOptDefVal == "" { // a flag that needs a value
			words = append(words, value)
		}
	})
	return shellLine(words)
}

// Except accepts the names of all other flags.
func Except(names ...string) func(string) bool {
	return func(name string) bool { return !slices.Contains(names, name) }
}

// Only accepts the names.
func Only(names ...string) func(string) bool {
	return func(name string) bool { return slices.Contains(names, name) }
}

// shellLine returns the words for a shell.
func shellLine(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = Quoted(word)
	}
	return strings.Join(quoted, " ")
}

// Quoted quotes a word for a shell if it has other than plain characters.
func Quoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)
