package removal

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/render"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

const someImages = "images: REPOSITORY:TAG, REPOSITORY@DIGEST, or a repository and its tags or digests"

// Delete returns the command delete.
func Delete(f *session.Flags) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "delete [REPOSITORY] IMAGE...",
		Short: "Delete chosen images, each named by tag or digest",
		Long: `Delete chosen images of one repository, each named by tag or digest, after asking.

An image is deleted with all its tags. Before delete deletes anything, it prints the
other tags of each named image. With --yes, name all tags of an image or its digest.
If you name only some of the tags, nothing is deleted.

Policies are not evaluated. Protection, limits and the re-check before the removal are
those of apply. If a named image was not deleted, the exit status is 3, and the standard
error stream has the reason. An image that somebody else has deleted in the meantime
counts as deleted.

` + session.ImageNames,
		Args: session.Args(1, math.MaxInt, someImages),
		RunE: f.InSession(config.Apply, func(ctx context.Context, s *session.Session, args []string) error {
			images, err := s.Images(args, math.MaxInt, someImages)
			if err != nil {
				return err
			}
			d := deletion{Session: s, names: images.Names, yes: yes}
			s.Approve = d.approve
			run := func(ctx context.Context) (report.Report, error) {
				result, err := s.RunNamed(ctx, images.Repository, d.names)
				return result, images.Hint(err)
			}
			r := removal{Session: s, run: run, status: d.status}
			return r.apply(ctx, yes)
		}),
	}
	f.AddReport(c)
	f.AddExec(c)
	f.AddRemoval(c)
	c.Flags().BoolVar(&yes, "yes", false, "do not ask; every image must be named by its digest or by all its tags")
	return c
}

type deletion struct {
	*session.Session
	names []string
	yes   bool
}

// approve prints the other tags of each named image on the standard error stream. With
// --yes it refuses to delete an image if only some of its tags were named.
func (d *deletion) approve(plan *plan.Plan) error {
	if d.Saved != nil {
		return nil // the user has seen the plan and agreed
	}
	var refused []string
	for _, im := range plan.Images {
		named, other := d.split(im.Tags)
		if im.Action != evaluator.Expire || len(other) == 0 {
			continue // the image was not named, or nothing else is lost
		}
		digest, others := text.ShortDigest(im.Digest), strings.Join(other, ", ")
		line := fmt.Sprintf("%s is %s, which is also called %s", strings.Join(named, ", "), digest, others)
		if byDigest := slices.Contains(d.names, im.Digest); byDigest {
			line = fmt.Sprintf("%s is called %s", digest, strings.Join(im.Tags, ", "))
		} else if !im.Protected() {
			refused = append(refused, fmt.Sprintf("%s has other tags than the named ones: %s", digest, others))
		}
		d.Notef("%s; delete removes the image with all its tags", line)
	}
	if !d.yes || len(refused) == 0 {
		return nil
	}
	return exit.Incompletef("nothing was removed: %s; name all tags of an image or its digest, or leave out --yes to be asked",
		strings.Join(refused, "; "))
}

func (d *deletion) split(tags []string) (named, other []string) {
	for _, tag := range tags {
		if slices.Contains(d.names, tag) {
			named = append(named, tag)
		} else {
			other = append(other, tag)
		}
	}
	return named, other
}

// status returns the error that ends the command, or nil. It prints why a named image was
// not deleted, and what to do, on the standard error stream.
func (d *deletion) status(r *report.Report) error {
	not, all := 0, 0
	for _, repository := range r.Repositories {
		if repository.Skipped != "" {
			d.Notef("not deleted: %s: %s", repository.Name, whySkipped(r, &repository))
			break // delete is about one repository
		}
		for _, im := range repository.Images {
			if im.Verdict != evaluator.Expire {
				continue // it was not named
			}
			all++
			if im.Outcome == plan.Deleted || im.Outcome == plan.Gone {
				continue
			}
			not++
			name := text.ShortDigest(im.ImageDigest)
			if named, _ := d.split(im.ImageTags); len(named) > 0 {
				name += " (" + strings.Join(named, ", ") + ")"
			}
			d.Notef("not deleted: %s %s: %s", repository.Name, name, whyNotDeleted(im))
		}
	}
	if not > 0 {
		return exit.Incompletef("not deleted: %d of %s; see above", not, text.Count(all, "named image"))
	}
	return session.Status(r)
}

func whySkipped(r *report.Report, repository *report.Repository) string {
	if repository.Skipped == plan.SkipLimit {
		return render.WhySkipped(r, repository)
	}
	return fmt.Sprintf("%s: %s", repository.Skipped, repository.Message)
}

func whyNotDeleted(im report.Image) string {
	if len(im.ProtectedBy) == 0 {
		outcome := cmp.Or(im.Outcome, plan.NotAttempted)
		why := strings.TrimSuffix(fmt.Sprintf("%s: %s", outcome, text.ShortDigests(im.Message)), ": ")
		return why + "; " + cmp.Or(outcomeRemedies[outcome], "run again")
	}
	reasons := make([]string, len(im.ProtectedBy))
	for i, p := range im.ProtectedBy {
		reasons[i] = "protected by " + text.ShortDigests(p.String()) + "; " + cmp.Or(protectionRemedies[p.Kind], "see ecrclean explain")
	}
	return strings.Join(reasons, "; ")
}

var outcomeRemedies = map[plan.Outcome]string{
	plan.Blocked: "delete the index or image that it belongs to first",
	plan.Changed: "look at the image, and run again",
}

var protectionRemedies = map[plan.ProtectionKind]string{
	plan.ByInUse:             "stop using it there, or change protect.inUse and protect.references in the configuration",
	plan.ByTagPattern:        "change protect.tagPatterns in the configuration, or remove the tag",
	plan.ByKeepNewest:        "lower protect.keepNewest in the configuration",
	plan.ByPulledWithinDays:  "lower protect.pulledWithinDays in the configuration, or wait",
	plan.ByPushedWithinHours: "lower protect.pushedWithinHours in the configuration, or wait",
	plan.ByChild:             "delete that index too",
	plan.BySubject:           "delete that image too",
	plan.ByOrphan:            "set orphans to " + string(config.DeleteOrphans) + " in the configuration",
	plan.ByUnreadableIndex:   "run again when its manifest can be read, or delete that index first",
}
