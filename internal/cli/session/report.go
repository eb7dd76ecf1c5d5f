package session

import (
	"cmp"
	"io"
	"path/filepath"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/render"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// Screen returns the screen for reports of this command.
func (f *Flags) Screen(on terminal.Terminal) render.Screen {
	return render.Screen{On: on, Account: f.account, Configuration: f.used(), Price: f.price, Limits: f.running}
}

// used names the policy or the configuration that the user gave to a command that has --config.
func (f *Flags) used() string {
	location := strings.TrimSpace(f.Configuration)
	switch {
	case !f.configured:
		return ""
	case f.Policy == "-":
		return "policy of the standard input"
	case f.Policy != "":
		return "policy " + filepath.Base(f.Policy)
	case location == "" && f.NoPolicies:
		return "no configuration"
	case location == "":
		return "no configuration: attached policies"
	case strings.HasPrefix(location, "{"), strings.HasPrefix(location, "//"):
		return "configuration of the command line"
	}
	return "configuration " + location
}

// Use sets the configuration that the screens name, for a command without --config.
func (f *Flags) Use(configuration string) { f.Configuration, f.configured = configuration, true }

// PrintReport prints a report. After an error the user still learns the totals.
func (f *Flags) PrintReport(r *report.Report) error {
	write := r.WriteJSON
	if f.Output == CSV {
		write = func(w io.Writer) error { return render.CSV(w, r) }
	}
	err := f.Print("report", write, func(on terminal.Terminal) string {
		if f.Output == Wide {
			return f.Screen(on).Images(r)
		}
		return f.Screen(on).Report(r)
	})
	if err != nil && r.Mode == config.Apply {
		f.Notef("%s", render.Totals(r))
	}
	return err
}

// Conclude prints a report and returns its Status.
func (f *Flags) Conclude(r *report.Report) error { return cmp.Or(f.PrintReport(r), Status(r)) }

// Status returns the error that ends the program after a report, or nil.
func Status(r *report.Report) error {
	if r.Handled() {
		return nil
	}
	return exit.Incompletef("%s", render.Incomplete(r))
}
