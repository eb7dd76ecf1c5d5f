package starter

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// header returns the comment at the beginning of the configuration.
func header(s *session.Session, r *report.Report, out string) []string {
	return []string{
		fmt.Sprintf("Configuration of the ECR cleaner for account %s in %s, written by ecrclean init on %s.", r.Account, r.Region, r.Start.Format(time.DateOnly)),
		fmt.Sprintf("It evaluates %s %s in %s.", humanize.Comma(int64(r.Totals.Evaluated)),
			english.PluralWord(r.Totals.Evaluated, "image", ""), text.Count(len(r.Repositories), "repository")),
		"",
		"Text from // to the end of the line is a comment. After a change run:",
		"  " + s.Line(session.Only("profile", "region"), "check", "-c", named(out)),
		"  " + s.Line(session.Only("profile", "region"), "plan", "-c", named(out)),
	}
}

// named returns the name of the file for a command line.
func named(out string) string {
	if out == "-" {
		return "FILE"
	}
	return out
}

// printNext prints the next commands.
func printNext(f *session.Flags, r *report.Report, out string) {
	file, same := named(out), session.Only("profile", "region")
	fmt.Fprintln(f.Stderr)
	if out != "-" {
		fmt.Fprintf(f.Stderr, "The configuration is in %s. Read its comments. Next:\n", text.Printable(out))
	}
	next := func(what string, words ...string) {
		fmt.Fprintf(f.Stderr, "  %s\n      %s\n", f.Line(same, words...), what)
	}
	if repository, image := example(r); image != "" {
		next("says why an image is deleted or kept", "explain", repository, image, "-c", file)
	}
	next("saves the plan", "plan", "-c", file, "--out", "plan.json")
	next("deletes the images of the saved plan, without a question", "apply", "plan.json", "-c", file)
}

// example returns an image of the report, one to delete if there is one.
func example(r *report.Report) (repository, image string) {
	for i := range r.Repositories {
		for _, im := range r.Repositories[i].Images {
			switch removed := len(im.ProtectedBy) == 0; {
			case removed:
				return r.Repositories[i].Name, text.ShortDigest(im.ImageDigest)
			case image == "":
				repository, image = r.Repositories[i].Name, text.ShortDigest(im.ImageDigest)
			}
		}
	}
	return repository, image
}
