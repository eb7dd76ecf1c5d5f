package main

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
)

// print writes a report in the chosen format.
func (s *setup) print(r *cleaner.Report) error {
	asJSON, err := s.json()
	if err != nil {
		return err
	}
	if asJSON {
		err = r.WriteJSON(s.stdout)
	} else {
		err = printTable(s.stdout, r)
	}
	if err == nil {
		return nil
	}
	if r.Mode == config.Apply { // what was done does not stay unsaid
		fmt.Fprintln(s.stderr, "ecrclean:", totalsLine(r))
	}
	return failure(fmt.Errorf("write the report: %w", err))
}

func printJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(jsondoc.Printable(w))
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// printTable writes one line per image with a verdict to act on, what was left
// alone and why, and the totals. Of repositories left alone it names no images;
// the JSON output does.
func printTable(w io.Writer, r *cleaner.Report) error {
	if err := printImages(w, r); err != nil {
		return err
	}
	if err := printSkipped(w, r); err != nil {
		return err
	}
	for _, f := range r.Findings {
		if f.Repository != "" {
			f.Message = f.Repository + ": " + f.Message
		}
		fmt.Fprintf(w, "note: %s\n", printable(f.Message))
	}
	_, err := fmt.Fprintln(w, totalsLine(r))
	return err
}

func printImages(w io.Writer, r *cleaner.Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	rows := 0
	for i := range r.Repositories {
		repository := &r.Repositories[i]
		if repository.Skipped != "" {
			continue
		}
		for j := range repository.Images {
			if rows++; rows == 1 {
				fmt.Fprintln(t, "REPOSITORY\tIMAGE\tTAGS\tVERDICT\tRULE\tWHY\tOUTCOME")
			}
			fmt.Fprintln(t, imageRow(repository.Name, &repository.Images[j]))
		}
	}
	if rows > 0 {
		fmt.Fprintln(t)
	}
	return t.Flush()
}

func imageRow(repository string, im *cleaner.ImageReport) string {
	rule := "-"
	if im.AppliedRulePriority > 0 {
		rule = fmt.Sprint(im.AppliedRulePriority)
	}
	return strings.Join([]string{
		printable(repository), shortDigest(im.ImageDigest), printable(tagsCell(im.ImageTags)),
		string(im.Verdict), rule, printable(shortDigests(im.Reason)), printable(shortDigests(outcomeCell(im))),
	}, "\t")
}

// shortDigest keeps as much of a digest as tells images apart.
func shortDigest(digest string) string {
	const length = len("sha256:") + 12
	if len(digest) <= length {
		return printable(digest)
	}
	return printable(digest[:length])
}

var digestPattern = regexp.MustCompile(`sha256:[0-9a-f]{64}`)

// shortDigests shortens the digests in a text.
func shortDigests(text string) string { return digestPattern.ReplaceAllStringFunc(text, shortDigest) }

// tagsCell names at most three tags.
func tagsCell(tags []string) string {
	const most = 3
	switch {
	case len(tags) == 0:
		return "-"
	case len(tags) > most:
		return fmt.Sprintf("%s +%d", strings.Join(tags[:most], ","), len(tags)-most)
	}
	return strings.Join(tags, ",")
}

func outcomeCell(im *cleaner.ImageReport) string {
	switch {
	case len(im.ProtectedBy) > 0:
		by := make([]string, len(im.ProtectedBy))
		for i, p := range im.ProtectedBy {
			by[i] = p.String()
		}
		return "protected by " + strings.Join(by, ", ")
	case im.Message != "":
		return string(im.Outcome) + ": " + clip(im.Message)
	case im.Outcome == cleaner.Untagged:
		return "lost " + tagsCell(im.Untag)
	case im.Outcome != "":
		return string(im.Outcome)
	case im.Verdict == evaluator.Untag:
		return "would lose " + tagsCell(im.Untag)
	case im.Archives():
		return "would be archived"
	}
	return "would be removed"
}

// printSkipped says which repositories were left alone and why.
func printSkipped(w io.Writer, r *cleaner.Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i := range r.Repositories {
		repository := &r.Repositories[i]
		if repository.Skipped != "" {
			fmt.Fprintf(t, "%s\tleft alone\t%s\t%s\n", printable(repository.Name), repository.Skipped, printable(repository.Message))
		}
	}
	return t.Flush()
}

func totalsLine(r *cleaner.Report) string {
	t := r.Totals
	removals, bytes := r.Removals()
	line := fmt.Sprintf("%d repositories (%d left alone), %d images: %d to remove, %d protected",
		t.Repositories, t.Skipped, t.Evaluated, removals, t.Protected)
	if stopped := t.Expired + t.Transitioned + t.Untagged + t.Followed - removals; stopped > 0 {
		line += fmt.Sprintf(", %d more in repositories left alone", stopped)
	}
	if r.Mode == config.Apply {
		bytes = t.DeletedBytes
		line += fmt.Sprintf("; %d deleted, %d archived, ", t.Deleted, t.Archived)
		if t.TagsRemoved > 0 {
			line += fmt.Sprintf("%d lost tags, ", t.TagsRemoved)
		}
		line += fmt.Sprintf("%d blocked, %d changed, %d gone, %d failed", t.Blocked, t.Changed, t.Gone, t.Failed)
		if t.Unknown > 0 {
			line += fmt.Sprintf(", %d unknown", t.Unknown)
		}
		if t.NotAttempted > 0 {
			line += fmt.Sprintf(", %d not attempted", t.NotAttempted)
		}
	}
	return line + fmt.Sprintf("; at most %s (images share layers)", bytesText(bytes))
}

func bytesText(n int64) string {
	const unit = 1000
	size, prefixes := float64(n), " kMGTPE"
	i := 0
	for size >= unit && i < len(prefixes)-1 {
		size /= unit
		i++
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %cB", size, prefixes[i])
}

// printable makes control characters harmless for a terminal: tags can come
// from anybody who may push.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}

// clip keeps a cell of a table, or a part of a message, to a readable length.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
