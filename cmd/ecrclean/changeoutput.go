package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/ecr-cleaner/ecr-cleaner/internal/attach"
)

// show writes the plan to the standard error stream: the standard output is for
// what was done.
func (c *change) show() error {
	var b strings.Builder
	r := c.report()
	for i := range r.Repositories {
		showChange(&b, &r.Repositories[i])
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "note: %s: %s\n", printable(f.Repository), printable(f.Message))
	}
	fmt.Fprintf(&b, "%d repositories, %d to change", r.Totals.Repositories, r.Totals.Changes)
	if c.command == "attach" {
		b.WriteString(": " + countsText(r.Totals.Counts))
	}
	if _, err := fmt.Fprintln(c.stderr, b.String()); err != nil {
		return failure(fmt.Errorf("write the plan: %w", err))
	}
	return nil
}

// showChange writes one repository: what is done about it, the rules that come
// and go, and the images in use that ECR would take.
func showChange(w io.Writer, r *changedRepository) {
	line := fmt.Sprintf("%s: %s", r.Name, r.Change)
	switch {
	case r.Message != "":
		line += ": " + r.Message
	case r.Change == attach.Attach || r.Change == attach.Replace:
		line += "; " + countsText(r.Counts)
	}
	fmt.Fprintln(w, printable(line))
	for _, d := range r.Difference {
		fmt.Fprintln(w, printable(fmt.Sprintf("  %s %s", d.Sign, d.Rule)))
	}
	if r.InUseUnknown != "" {
		fmt.Fprintln(w, printable("  what is in use is not known: "+r.InUseUnknown))
	}
	for _, im := range r.Images {
		if len(im.UsedBy) > 0 && im.BlockedBy == "" {
			fmt.Fprintln(w, printable(fmt.Sprintf("  in use: %s %s, %s by rule %d: %s",
				shortDigest(im.ImageDigest), tagsCell(im.ImageTags), im.Verdict, im.AppliedRulePriority, strings.Join(im.UsedBy, ", "))))
		}
	}
}

// countsText says what ECR would do.
func countsText(n attach.Counts) string {
	text := fmt.Sprintf("of %d images ECR would delete %d and archive %d", n.Evaluated, n.Expired, n.Transitioned)
	if n.Blocked > 0 {
		text += fmt.Sprintf(", and keep %d for the indexes that list them", n.Blocked)
	}
	if n.InUse > 0 {
		text += fmt.Sprintf("; in use: %d", n.InUse)
	}
	return text
}

// printResult writes what was done to the standard output, in the chosen format.
func (c *change) printResult() error {
	asJSON, err := c.json()
	if err != nil {
		return err
	}
	r := c.report()
	if asJSON {
		err = printJSON(c.stdout, r)
	} else {
		err = printChanges(c.stdout, &r)
	}
	if err != nil {
		fmt.Fprintln(c.stderr, "ecrclean:", changesLine(&r)) // what was done does not stay unsaid
		return failure(fmt.Errorf("write the report: %w", err))
	}
	return nil
}

// printJSONResult writes the report of what was not carried out: a person has seen
// it in words.
func (c *change) printJSONResult() error {
	if asJSON, err := c.json(); err != nil || !asJSON {
		return err
	}
	return c.printResult()
}

func printChanges(w io.Writer, r *changeReport) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i := range r.Repositories {
		repository := &r.Repositories[i]
		what := string(repository.Outcome)
		if what == "" {
			what = string(repository.Change)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", printable(repository.Name), what, printable(repository.Message))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, changesLine(r))
	return err
}

func changesLine(r *changeReport) string {
	t := r.Totals
	return fmt.Sprintf("%d repositories: %d attached, %d detached, %d failed", t.Repositories, t.Attached, t.Detached, t.Failed)
}
