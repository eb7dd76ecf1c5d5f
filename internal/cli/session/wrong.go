package session

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/doctype"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// Wrong returns an error if the content has another kind of document than the wanted one, or
// nil. Name is its file or location. See [Flags.Instead].
func (f *Flags) Wrong(name string, content []byte, wanted doctype.Kind) error {
	instead := f.Instead(name, content, wanted)
	if instead == "" {
		return nil
	}
	switch name = strings.TrimSpace(name); {
	case name == "-":
		name = "the standard input"
	case config.IsText(name):
		name = "the text of the configuration"
	}
	return exit.Usagef("%s %s", name, instead)
}

// isFile reports whether a location is that of a file.
func isFile(name string) bool {
	return name != "-" && !config.IsText(name) && !strings.HasPrefix(name, "s3://") && !strings.HasPrefix(name, "ssm:")
}

// Instead says which kind of document the content is instead of the wanted one, and gives the
// command that takes it. The sentence continues one that begins with the name. It is "" if
// the kind is the wanted one or unknown.
func (f *Flags) Instead(name string, content []byte, wanted doctype.Kind) string {
	kind := doctype.Of(content)
	if policyFile := f.Command.Name() == "check" && wanted == doctype.Policy; kind == "" && !policyFile {
		kind = terraform(name)
	}
	if kind == "" || kind == wanted {
		return ""
	}
	run := "run: "
	if name = strings.TrimSpace(name); !isFile(name) {
		run, name = "save it to a file and run: ", "FILE"
	}
	if wanted == doctype.Configuration && !f.Command.Flags().Changed("config") {
		run += "CLEANER_CONFIG= "
	}
	return fmt.Sprintf("is %s, not %s; %s%s", kind, wanted, run, f.lineFor(content, kind, wanted, name))
}

// terraform returns the kind of a file that only its name shows, or "".
func terraform(name string) doctype.Kind {
	if ext := filepath.Ext(strings.TrimSuffix(name, ".json")); ext == ".tf" || ext == ".tofu" {
		return doctype.Terraform
	}
	return ""
}

// lineFor returns the command line that takes the file, whose kind is not the wanted one.
func (f *Flags) lineFor(content []byte, kind, wanted doctype.Kind, name string) string {
	command, flags := f.Command.Name(), f.Command.Flags()
	args := slices.Concat([]string{command}, flags.Args())
	if wanted == doctype.Report || command == "check" {
		args = args[:1] // the file was an argument
	}
	keep := Except("config", "policy", "dialect")
	switch {
	case kind == doctype.Images:
		return f.Line(Only(), "preview", "--policy", "policy.json", "--images", name)
	case kind == doctype.Terraform || kind == doctype.Template:
		return f.Line(Only(), "check", name)
	case kind == doctype.Log:
		return f.Line(Only(), "show", name)
	case kind == doctype.Report && command == "apply":
		keep = Except("policy", "yes")
		if wanted == doctype.Configuration {
			keep = Except("config", "policy", "yes")
		}
		saved, err := report.ReadPlan(content)
		if err != nil {
			return f.Line(keep, command, name)
		}
		return f.LineToApply(keep, name, saved)
	case kind == doctype.Report:
		return f.Line(Only(), "show", name)
	case kind == doctype.Configuration && flags.Lookup("config") != nil:
		return f.Line(keep, append(args, "--config", name)...)
	case kind == doctype.Configuration:
		return f.Line(Only(), "check", "--config", name)
	case command == "check":
		return f.Line(keep, command, name)
	case flags.Lookup("policy") == nil:
		return f.Line(Only("profile", "region"), "plan", "--policy", name)
	case wanted == doctype.Report: // the configuration stays
		keep = Except("policy")
	}
	return f.Line(keep, append(args, "--policy", name)...)
}
