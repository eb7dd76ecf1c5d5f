package session

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/doctype"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

// NoArgs is the check of a command with --repositories. Its error has the flag that takes what
// was given as an argument: a file or repositories.
func (f *Flags) NoArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	name := args[0]
	var content []byte
	var err error
	if name != "-" {
		content, err = f.ReadInput(name, config.MaxBytes)
	}
	switch kind := doctype.Of(content); {
	case err == nil && kind != "":
		return exit.Usagef("%s is %s, and %s expects no arguments; run: %s", name, kind, c.Name(), f.lineFor(content, kind, doctype.Report, name))
	case err != nil && filepath.Ext(name) == ".json":
		return err
	}
	for _, arg := range args {
		if !repositoryPattern.MatchString(arg) {
			return exit.Usagef("expects no arguments; name repositories with --repositories")
		}
	}
	return exit.Usagef("expects no arguments; run: %s", f.Line(Except("repositories"), c.Name(), "-r", strings.Join(slices.Concat(f.Repositories, args), ",")))
}

var repositoryPattern = regexp.MustCompile(`^[a-z0-9*]+([/._*-]+[a-z0-9*]+)*$`)
