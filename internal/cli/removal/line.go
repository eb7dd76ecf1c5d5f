package removal

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
)

// A commandLine makes whole command lines for messages, with the flags that were given.
type commandLine struct{ flags *pflag.FlagSet }

// with returns a delete command for the images, with the given flags and another one in place
// of --all-tags and --tag-only.
func (l commandLine) with(repository string, names []string, flag string) string {
	words := []string{"ecrclean", "delete"}
	switch {
	case len(names) != 1:
		words = append(append(words, repository), names...)
	case strings.Contains(names[0], ":"):
		words = append(words, repository+"@"+names[0])
	default:
		words = append(words, repository+":"+names[0])
	}
	for i, word := range words {
		words[i] = session.Quoted(word)
	}
	l.flags.Visit(func(f *pflag.Flag) {
		if f.Name != "all-tags" && f.Name != "tag-only" {
			words = append(words, typed(f))
		}
	})
	if flag != "" {
		words = append(words, flag)
	}
	return strings.Join(words, " ")
}

// typed returns a flag with its value as a person types it.
func typed(f *pflag.Flag) string {
	name, value := "--"+f.Name, f.Value.String()
	if list, ok := f.Value.(pflag.SliceValue); ok {
		value = strings.Join(list.GetSlice(), ",")
	}
	switch {
	case f.Value.Type() != "bool":
		return name + " " + session.Quoted(value)
	case value == "true":
		return name
	}
	return name + "=" + value
}
