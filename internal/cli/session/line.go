package session

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Line returns a command line for a message: that of the command with its flags, except those
// of without, and with other arguments. Add are flags to add, with their values.
func (f *Flags) Line(args, without []string, add ...string) string {
	words := slices.Concat(strings.Fields(f.Command.CommandPath()), args, add)
	f.Command.Flags().Visit(func(flag *pflag.Flag) {
		if slices.Contains(without, flag.Name) {
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
	return shellWords(words...)
}

// shellWords quotes the words for a shell where they need it.
func shellWords(words ...string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		if quoted[i] = word; !plainWord.MatchString(word) {
			quoted[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)
