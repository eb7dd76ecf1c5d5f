package removal

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/awserror"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/render"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/nearest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// status returns the error that ends the command, or nil. It prints why images were kept, and
// what to do, on the standard error stream.
func (d *deletion) status(r *report.Report) error {
	for _, repository := range r.Repositories { // there is one
		if repository.Skipped != "" {
			d.Notef("not deleted: %s: %s", repository.Name, whySkipped(r, &repository))
			return session.Status(r)
		}
		if !d.byName() {
			d.noteProtected(repository.Images)
			return session.Status(r)
		}
		if err := d.namedKept(repository); err != nil {
			return err
		}
	}
	return session.Status(r)
}

// namedKept returns an error if a named image was not deleted.
func (d *deletion) namedKept(repository report.Repository) error {
	not, all := 0, 0
	for _, im := range repository.Images {
		if im.Verdict == plan.Follow {
			continue // it was not named
		}
		all++
		if im.Outcome.Removed() || im.Outcome == plan.Gone {
			continue
		}
		not++
		name := text.ShortDigest(im.ImageDigest)
		if named, _ := split(im.ImageTags, d.images.Names); len(named) > 0 {
			name += " (" + strings.Join(named, ", ") + ")"
		}
		d.Notef("not deleted: %s %s: %s", repository.Name, name, d.whyNotDeleted(im))
	}
	if not == 0 {
		return nil
	}
	return exit.Incompletef("not deleted: %d of %s; see above", not, text.Count(all, "named image"))
}

// noteProtected counts the protected images by the kinds of protection.
func (d *deletion) noteProtected(images []report.Image) {
	counts := map[plan.ProtectionKind]int{}
	for _, im := range images {
		for i, p := range im.ProtectedBy {
			if i == 0 || im.ProtectedBy[i-1].Kind != p.Kind { // those of a kind are together
				counts[p.Kind]++
			}
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		d.Notef("kept: %s protected by %s; %s", text.Count(counts[kind], "selected image"), kind, d.remedy(kind, "them"))
	}
}

func whySkipped(r *report.Report, repository *report.Repository) string {
	if repository.Skipped == plan.SkipLimit {
		return render.WhySkipped(r, repository)
	}
	return fmt.Sprintf("%s: %s", repository.Skipped, awserror.Clean(repository.Message))
}

func (d *deletion) whyNotDeleted(im report.Image) string {
	if len(im.ProtectedBy) == 0 {
		outcome := cmp.Or(im.Outcome, plan.NotAttempted)
		why := strings.TrimSuffix(fmt.Sprintf("%s: %s", outcome, text.ShortDigests(im.Message)), ": ")
		return why + "; " + cmp.Or(outcomeRemedies[outcome], "run again")
	}
	reasons := make([]string, len(im.ProtectedBy))
	for i, p := range im.ProtectedBy {
		reasons[i] = fmt.Sprintf("protected by %s: %s; %s", p.Kind, text.ShortDigests(p.By), d.remedy(p.Kind, "it"))
	}
	return strings.Join(reasons, "; ")
}

var outcomeRemedies = map[plan.Outcome]string{
	plan.Blocked: "delete the index or image that it belongs to first",
	plan.Changed: "look at the image, and run again",
}

// overridable are the protections that --override-protection takes.
var overridable = []string{
	config.TagPatterns, config.KeepNewest, config.PulledWithinDays, config.PushedWithinHours, config.Orphan,
}

// checkOverridable returns an error for protections that cannot be overridden.
func checkOverridable(protections []string) error {
	for _, protection := range protections {
		if slices.Contains(overridable, protection) {
			continue
		}
		if remedy := remedies[plan.ProtectionKind(protection)]; remedy != "" {
			return exit.Usagef("--override-protection %s: this protection cannot be overridden; %s", protection, remedy)
		}
		return exit.Usagef("--override-protection %s: no such protection%s; the protections are %s",
			protection, nearest.Hint(protection, overridable), english.WordSeries(overridable, "and"))
	}
	return nil
}

// remedy says what to do about a protection of it or them.
func (d *deletion) remedy(kind plan.ProtectionKind, them string) string {
	switch {
	case kind == plan.ByOrphan && (d.byName() || slices.Contains(d.Unprotected, config.Orphan)):
		return fmt.Sprintf("the repository has only images that refer to others, which are elsewhere; "+
			"delete %s with aws ecr batch-delete-image", them)
	case slices.Contains(overridable, string(kind)):
		return fmt.Sprintf("add --override-protection %s to delete %s", kind, them)
	}
	return cmp.Or(remedies[kind], "see ecrclean explain")
}

// remedies are for the protections that cannot be overridden.
var remedies = map[plan.ProtectionKind]string{
	plan.ByInUse:           "stop using the image there, or change protect.inUse and protect.references in the configuration",
	plan.ByChild:           "such an image is deleted with the index that lists it",
	plan.BySubject:         "such an image is deleted with the image that it refers to",
	plan.ByUnreadableIndex: "run again when the manifest of the index can be read, or delete the index first",
}
