package render

import (
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// written is the screen for a report of the mode references.
func (s Screen) written(r *report.Report) string {
	var out text.Lines
	s.notes(&out, r, nil)
	if list := r.References; list != nil {
		out.Addf("account %s, %s: wrote a list with %s to %s", r.Account, r.Region, count(list.Count, "reference"), list.Location)
	} else {
		out.Addf("account %s, %s: no list was written; next: see the messages above, and run again", r.Account, r.Region)
	}
	return text.Fold(out.String(), s.On.Width)
}
