package removal

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/awserror"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/imagename"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

const imageOfRepository = "each of --images as REPOSITORY:TAG or REPOSITORY@DIGEST"

// planImages prints the part of the plan about the images, and the images that it keeps.
func planImages(ctx context.Context, s *session.Session, images []string) (*report.Report, error) {
	names, first, err := namesOf(s, images)
	if err != nil {
		return nil, err
	}
	var explained []plan.Explanation
	plan, err := s.Report(ctx, func(ctx context.Context) (r report.Report, err error) {
		r, explained, err = s.PlanImages(ctx, names)
		return r, first.Hint(err)
	})
	if err != nil {
		return nil, err
	}
	if s.Output == session.Table {
		s.Output = session.Wide // which lists the images
	}
	if err := s.PrintReport(plan); err != nil {
		return nil, err
	}
	out, on := s.Stderr, s.Terminal.Err
	if s.Output == session.Wide {
		out, on = s.Stdout, s.Terminal.Out
	}
	if _, err := fmt.Fprint(out, text.Fold(keptImages(explained), on.Width)); err != nil {
		return nil, exit.Failuref("write the images: %w", err)
	}
	return plan, session.Status(plan)
}

// namesOf returns the names by repository, in the order of the flag.
func namesOf(s *session.Session, images []string) (all []cleaner.Names, first imagename.Images, err error) {
	account := ""
	for i, image := range images {
		one, err := s.Images([]string{strings.TrimSpace(image)}, 1, imageOfRepository)
		switch {
		case err != nil:
			return nil, first, err
		case account != "" && s.Account != "" && account != s.Account:
			return nil, first, exit.Usagef("%s is in another registry than the images before it; plan one registry at a time", image)
		case i == 0:
			first = one
		}
		account = cmp.Or(s.Account, account)
		at := slices.IndexFunc(all, func(n cleaner.Names) bool { return n.Repository == one.Repository })
		if at < 0 {
			at, all = len(all), append(all, cleaner.Names{Repository: one.Repository})
		}
		all[at].Images = append(all[at].Images, one.Names...)
	}
	s.Account = account
	if len(images) == 0 {
		err = exit.Usagef("expects %s", imageOfRepository)
	}
	return all, first, err
}

// keptImages returns one line for each image that is not in the table of the report.
func keptImages(explained []plan.Explanation) string {
	var out text.Lines
	seen := map[string]bool{}
	for _, e := range explained {
		digest := text.ShortDigest(e.Image.Digest)
		name := e.Repository + e.Image.Digest
		if e.Planned != nil && e.Skip == nil || seen[name] {
			continue
		}
		seen[name] = true
		why := e.Verdict.Why()
		switch {
		case e.Skip != nil:
			why = fmt.Sprintf("its repository is skipped: %s: %s", e.Skip.Code, awserror.Clean(e.Skip.Message))
		case e.Verdict.Rule != nil:
			why = fmt.Sprintf("rule %d: %s", e.Verdict.Rule.RulePriority, why)
		}
		for _, p := range e.ProtectedBy {
			why += "; protected by " + text.ShortDigests(p.String())
		}
		out.Addf("kept: %s %s (%s): %s", e.Repository, digest, text.Tags(e.Image.Tags), text.Days(why))
	}
	return out.String()
}
