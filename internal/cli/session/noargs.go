package session

import (
	"cmp"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/doctype"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// NoArgs is the check of a command with --repositories. Its error names the flag
// for the argument, which may be a file or a repository.
func (f *Flags) NoArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	name := args[0]
	switch kind, err := f.kindOf(name); {
	case kind != "":
		return exit.Usagef("%s is %s, and %s expects no arguments; run: %s", name, kind, c.Name(), f.lineFor(nil, kind, doctype.Report, name))
	case err == nil:
		return exit.Usagef("%s is a file of an unknown kind, and %s expects no arguments; name repositories with --repositories", name, c.Name())
	case filepath.Ext(name) == ".json":
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

// kindOf returns the kind of the document in a file, or "" if it is unknown.
func (f *Flags) kindOf(name string) (doctype.Kind, error) {
	if name == "-" {
		return "", os.ErrNotExist
	}
	file, err := f.OpenInput(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // it was only read
	const most = 1 << 20                // the first keys show the kind
	content, err := io.ReadAll(io.LimitReader(file, most))
	return cmp.Or(doctype.Of(jsondoc.UTF8(content)), terraform(name)), err
}
