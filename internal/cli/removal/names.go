package removal

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// A deletion is the command delete on the images that the user named.
type deletion struct {
	*session.Session
	names []string
	yes   bool // the tool does not ask
}

// approve prints the other tags of each named image on the standard error stream. With
// --yes it refuses a plan that deletes an image of which only some tags were named: the
// other tags may still be needed.
func (d *deletion) approve(plan *cleaner.RepositoryPlan) error {
	if d.Saved != nil {
		return nil // the user has seen the plan and agreed
	}
	var refused []string
	for i := range plan.Images {
		im := &plan.Images[i]
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

// split returns the tags by which an image was named, and the others.
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

// status returns the error that ends delete, or nil. For each named image that was not
// deleted it prints the reason and the remedy on the standard error stream.
func (d *deletion) status(r *cleaner.Report) error {
	not, all := 0, 0
	for i := range r.Repositories {
		repository := &r.Repositories[i]
		if repository.Skipped != "" {
			d.Notef("not deleted: %s: %s", repository.Name, whySkipped(repository))
			break // delete is about one repository
		}
		for j := range repository.Images {
			im := &repository.Images[j]
			if im.Verdict != evaluator.Expire {
				continue // it was not named
			}
			all++
			if im.Outcome == cleaner.Deleted || im.Outcome == cleaner.Gone {
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

// whySkipped says why a repository was skipped, and what to do.
func whySkipped(r *cleaner.RepositoryReport) string {
	if r.Skipped == cleaner.SkipLimit {
		return r.Message + "; raise the limit in the configuration or with --max-deletions, --max-deletions-per-repository or --max-deleted-percent"
	}
	return fmt.Sprintf("%s: %s", r.Skipped, r.Message)
}

// whyNotDeleted says why an image was not deleted, and what to do.
func whyNotDeleted(im *cleaner.ImageReport) string {
	if len(im.ProtectedBy) == 0 {
		outcome := cmp.Or(im.Outcome, cleaner.NotAttempted)
		why := strings.TrimSuffix(fmt.Sprintf("%s: %s", outcome, text.ShortDigests(im.Message)), ": ")
		return why + "; " + cmp.Or(outcomeRemedies[outcome], "run again")
	}
	reasons := make([]string, len(im.ProtectedBy))
	for i, p := range im.ProtectedBy {
		reasons[i] = "protected by " + text.ShortDigests(p.String()) + "; " + cmp.Or(protectionRemedies[p.Kind], "see ecrclean explain")
	}
	return strings.Join(reasons, "; ")
}

// outcomeRemedies say what to do about an outcome, unless it is only to run again.
var outcomeRemedies = map[cleaner.Outcome]string{
	cleaner.Blocked: "delete the index or image that it belongs to first",
	cleaner.Changed: "look at the image, and run again",
}

// protectionRemedies say what to do about a protection.
var protectionRemedies = map[cleaner.ProtectionKind]string{
	cleaner.ByInUse:             "stop using it there, or change protect.inUse and protect.references in the configuration",
	cleaner.ByTagPattern:        "change protect.tagPatterns in the configuration, or remove the tag",
	cleaner.ByKeepNewest:        "lower protect.keepNewest in the configuration",
	cleaner.ByPulledWithinDays:  "lower protect.pulledWithinDays in the configuration, or wait",
	cleaner.ByPushedWithinHours: "lower protect.pushedWithinHours in the configuration, or wait",
	cleaner.ByChild:             "delete that index too",
	cleaner.BySubject:           "delete that image too",
	cleaner.ByOrphan:            "set orphans to " + string(config.DeleteOrphans) + " in the configuration",
	cleaner.ByUnreadableIndex:   "run again when its manifest can be read, or delete that index first",
}
