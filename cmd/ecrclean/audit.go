package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/audit"
)

func auditCommand(w world) *cobra.Command {
	s := setup{world: w}
	var run string
	c := &cobra.Command{
		Use:   "audit FILE",
		Short: "List what runs removed, from their log",
		Long: `List what runs removed, from the log in FILE, or - for the standard input: the log of
the function, or what apply and delete write with --log. No AWS call is made.

  deleted, archived, untagged    ECR confirmed it
  deleted, unconfirmed           no answer came, and then the image was not there
                                 any more; archived and untagged likewise
  unknown                        it may have been removed: the process ended during
                                 the call, or no answer came and the image was not
                                 found removed

Other images are counted. The log may be as CloudWatch Logs keeps or exports it:
with lines of other programs, text before the JSON, or inside the events that "aws
logs filter-log-events" prints. Give it in its order and each line once.`,
		Args: exactArgs(1, "a log file, or - for the standard input"),
		RunE: func(_ *cobra.Command, args []string) error { return s.audit(args[0], run) },
	}
	s.outputFlag(c)
	c.Flags().StringVar(&run, "run", "", "only the run of this id")
	return c
}

func (s *setup) audit(name, run string) error {
	asJSON, err := s.json()
	if err != nil {
		return err
	}
	a, err := s.readLog(name, run)
	if err != nil {
		return err
	}
	s.explainLines(&a.Lines)
	if len(a.Runs) == 0 && a.Lines.Unreadable == 0 {
		return usageError(noRun(name, run))
	}
	if asJSON {
		err = printJSON(s.stdout, a)
	} else {
		err = printAudit(s.stdout, &a)
	}
	switch {
	case err != nil:
		return failure(fmt.Errorf("write the audit: %w", err))
	case a.Lines.Unreadable > 0:
		return errUnhandled
	}
	return nil
}

func noRun(name, run string) error {
	if run == "" {
		return fmt.Errorf("%s holds no line of a run; give the log of the function, or what --log has written", name)
	}
	return fmt.Errorf("%s holds no line of the run %s; leave out --run to see which it holds", name, run)
}

// readLog reads a file of any length, or the standard input for "-".
func (w world) readLog(name, run string) (a audit.Audit, err error) {
	r := w.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return a, usageError(err)
		}
		defer func() { _ = f.Close() }() // it was only read
		r = f
	}
	if a, err = audit.Read(r, run); err != nil {
		err = usageError(fmt.Errorf("read %s: %w", name, err))
	}
	return a, err
}

// explainLines says on the standard error stream what could not be read, and what
// was passed over.
func (s *setup) explainLines(l *audit.Lines) {
	for _, f := range l.Faults {
		fmt.Fprintf(s.stderr, "ecrclean: line %d %s\n", f.Line, oneLine(errors.New(f.Message)))
	}
	if l.Unreadable > 0 {
		fmt.Fprintf(s.stderr, "ecrclean: %d lines cannot be read; the images that they name are missing here\n", l.Unreadable)
	}
	if l.Others > 0 {
		fmt.Fprintf(s.stderr, "ecrclean: passed over %d lines that are not of a run\n", l.Others)
	}
}
