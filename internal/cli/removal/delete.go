package removal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/imagename"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
	"github.com/ecr-cleaner/ecr-cleaner/internal/selection"
)

const (
	someImages = "images: REPOSITORY:TAG, REPOSITORY@DIGEST, or a repository and its tags or digests; " +
		"or a repository and a filter, such as ecrclean delete team/app --untagged --older-than 30d"
	oneRepository = "one repository without an image, because filters select the images, " +
		"such as ecrclean delete team/app --untagged"
)

// Delete returns the command delete.
func Delete(f *session.Flags) *cobra.Command {
	var d deletion
	f.NoPolicies = true
	c := &cobra.Command{
		Use:   "delete REPOSITORY [IMAGE...]",
		Short: "Delete images of one repository, named or selected by filters",
		Long: `Delete images of one repository after asking. Name each image by tag or digest, or select
images with the filters --untagged, --tags, --older-than and --keep-newest. An image must
meet all filters. Filters select no archived images.

If you name only some tags of an image, nothing is deleted: add --all-tags to delete the
image with all its tags, or --tag-only to remove just the tags. The last tag of an image
is never removed alone, because ECR would delete the image.

--keep-newest counts images that the other filters select. It does not count images that
belong to others, such as the platforms of a multi-platform image and its signatures.

Policies are not evaluated. Protection, limits and the re-check before the removal are
those of apply. If a named image was not deleted, the exit status is 3, and the standard
error stream has the reason. An image that somebody else has deleted in the meantime
counts as deleted. With filters, protection is no failure: protected images are kept, and
the standard error stream says why.

` + session.ImageNames,
		Args: func(_ *cobra.Command, args []string) error {
			return cmp.Or(d.check(args), checkOverridable(f.Unprotected))
		},
		RunE: f.InSession(config.Apply, func(ctx context.Context, s *session.Session, args []string) error {
			d.Session = s
			return d.run(ctx, args)
		}),
	}
	f.AddReport(c)
	f.AddExec(c)
	f.AddRemoval(c)
	d.add(c.Flags())
	c.Flags().BoolVar(&d.yes, "yes", false, "do not ask")
	c.Flags().Var(session.List(&f.Unprotected), "override-protection", "remove images in spite of this protection: "+
		english.WordSeries(overridable, "or")+" (repeatable, comma-separated)")
	return c
}

// A deletion is one run of the command.
type deletion struct {
	*session.Session
	filters
	images imagename.Images // without Names if there are filters
	seen   seen
	yes    bool
}

// check checks the command line before anything is read.
func (d *deletion) check(args []string) error {
	filtered := d.given() != nil
	if err := d.parse(); err != nil {
		return err
	}
	repository, _, _ := strings.Cut(strings.Join(args[:min(1, len(args))], ""), ":")
	switch {
	case strings.Contains(repository, "*"):
		return exit.Usagef("delete takes one repository, and %s is a pattern; run it for each, or let a policy delete: "+
			"ecrclean apply --policy FILE -r %s", repository, session.Quoted(repository))
	case !filtered && len(args) == 0:
		return exit.Usagef("expects %s", someImages)
	case filtered && len(args) != 1:
		return exit.Usagef("expects %s", oneRepository)
	}
	return nil
}

func (d *deletion) run(ctx context.Context, args []string) (err error) {
	choice := d.chooseByFilter
	if d.given() == nil {
		choice = d.chooseByName
		d.images, err = d.Images(args, math.MaxInt, someImages)
	} else {
		d.images, err = d.Repository(args[0], oneRepository)
	}
	if err != nil {
		return err
	}
	d.Approve = d.approve
	run := func(ctx context.Context) (report.Report, error) {
		result, err := d.RunChosen(ctx, d.images.Repository, choice())
		return result, d.explain(err)
	}
	r := removal{Session: d.Session, run: run, status: d.status}
	return r.apply(ctx, d.yes)
}

// byName reports whether the command line names the images.
func (d *deletion) byName() bool { return len(d.images.Names) > 0 }

func (d *deletion) chooseByName() selection.Choice {
	return selection.Named(d.images.Names, d.tagOnly)
}

// explain adds what to do to the error of a run.
func (d *deletion) explain(err error) error {
	if last, ok := errors.AsType[*selection.LastTagError](err); ok {
		return exit.Incompletef("%w; to delete the image: %s", err, d.with(last.Tags, ""))
	}
	return d.images.Hint(err)
}

// approve prints more about a plan on the standard error stream. It refuses to delete an image
// of which only some tags were named.
func (d *deletion) approve(plan *plan.Plan) error {
	switch {
	case d.Saved != nil:
		return nil // the user has seen the plan and agreed
	case !d.byName():
		d.noteSelected(plan)
		return nil
	}
	var refused, tags []string
	for _, im := range plan.Images {
		named, other := split(im.Tags, d.images.Names)
		if lost := len(im.Untag); lost > 0 && lost < len(named) {
			d.Notef("%s", moreTags(im.Digest, len(named)))
		}
		if im.Action != evaluator.Expire || im.Protected() || len(other) == 0 {
			continue // it was not named, or is kept, or nothing else is lost
		}
		digest, others := text.ShortDigest(im.Digest), strings.Join(other, ", ")
		called := digest + " is called " + others
		if len(named) > 0 {
			called = fmt.Sprintf("%s is %s, which is also called %s", strings.Join(named, ", "), digest, others)
		}
		if byDigest := slices.Contains(d.images.Names, im.Digest); byDigest || d.allTags {
			d.Notef("%s; delete removes the image with all its tags", called)
			continue
		}
		refused, tags = append(refused, called), append(tags, named...)
	}
	if len(refused) == 0 {
		return nil
	}
	return exit.Incompletef("nothing was removed: %s; to remove only what you named: %s; "+
		"to delete the image with all its tags: %s", strings.Join(refused, "; "),
		d.with(tags, "--tag-only"),
		d.with(d.images.Names, "--all-tags"))
}

// with returns a delete command for the images, with the given flags and another one in place
// of --all-tags and --tag-only.
func (d *deletion) with(names []string, flag string) string {
	words := []string{"delete", d.images.Repository}
	switch {
	case len(names) != 1:
		words = append(words, names...)
	case strings.Contains(names[0], ":"):
		words[1] += "@" + names[0]
	default:
		words[1] += ":" + names[0]
	}
	return strings.TrimSpace(d.Line(session.Except("all-tags", "tag-only"), words...) + " " + flag)
}

// split divides tags into those that were named and the others.
func split(tags, names []string) (named, other []string) {
	for _, tag := range tags {
		if slices.Contains(names, tag) {
			named = append(named, tag)
		} else {
			other = append(other, tag)
		}
	}
	return named, other
}
