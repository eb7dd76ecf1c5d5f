package main

import (
	"io"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/env"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// The help fits the terminal, and 80 columns without one.
func TestTheHelpFits(t *testing.T) {
	t.Parallel()
	for _, width := range []int{0, 80, 120} {
		names := []string{""}
		for name := range eachCommand() {
			names = append(names, name)
		}
		for _, name := range names {
			var out strings.Builder
			e := env.Env{Stdout: &out, Stderr: io.Discard, Getenv: func(string) string { return "" }}
			e.Terminal.Out = terminal.Terminal{Width: width}
			awstest.NoError(t, root(e, strings.Fields(name+" --help")).Execute())
			for line := range strings.SplitSeq(out.String(), "\n") {
				if most := max(width, 80); text.Width(line) > most {
					t.Errorf("%s --help at %d columns has a line of %d: %s", name, width, text.Width(line), line)
				}
			}
		}
	}
}
