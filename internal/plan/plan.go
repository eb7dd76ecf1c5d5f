// Package plan decides which images of one repository are to be deleted, archived or
// untagged. It takes the entry of the configuration that selects the repository, a
// Registry with images and manifests, and a usage.Scanner with the images in use. It
// returns a Plan: the images with an action, the reasons, the protection, and findings.
//
// The package cannot remove anything: neither a Registry nor an imported package can.
package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/clock"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/usage"
)

// A Plan lists the images of one repository that a run would remove.
type Plan struct {
	Repository string
	Entry      *config.Entry // nil if no entry selects the repository
	Made       clock.Stamp   // when the plan was ready; zero if unknown
	Listed     int           // the number of listed images, of any status
	// Images are the images with an action, including protected ones, by push time, the
	// oldest first.
	Images []Image
	// Attached is true if a lifecycle policy is attached, which ECR applies. If the entry has
	// its own policy, Attached is set only if the entry has in-use sources, and images are in
	// use or would be removed.
	Attached bool
	scanned  clock.Stamp // when the in-use scan began; zero without a scan
	// KeptByOwnPulls is the number of indexes that are kept because of the cleaner's reads.
	KeptByOwnPulls int
	Attempts       map[string]int // the removing calls that were logged, by digest
	Skip           *Skip          // why the whole repository is skipped, or nil
	Findings       []finding.Finding
}

// Open returns the images in Images that are still to be removed.
func (plan *Plan) Open() []*Image {
	var open []*Image
	for i := range plan.Images {
		if plan.Images[i].Open() {
			open = append(open, &plan.Images[i])
		}
	}
	return open
}

// Removals returns the number of images that Open returns.
func (plan *Plan) Removals() int {
	n := 0
	for i := range plan.Images {
		if plan.Images[i].Open() {
			n++
		}
	}
	return n
}

// ApplyLimits skips the whole repository if the plan exceeds a limit of its entry.
func (plan *Plan) ApplyLimits() {
	if plan.Skip != nil || plan.Entry == nil {
		return
	}
	removals, limits := plan.Removals(), plan.Entry.Limits
	exceeds := func(name string, limit int) *Skip {
		return &Skip{SkipLimit, fmt.Sprintf("%d of %d images would be removed, %s is %d", removals, plan.Listed, name, limit)}
	}
	switch {
	case removals > limits.MaxDeletionsPerRepository:
		plan.Skip = exceeds("maxDeletionsPerRepository", limits.MaxDeletionsPerRepository)
	case removals*100 > limits.MaxDeletedPercent*plan.Listed:
		plan.Skip = exceeds("maxDeletedPercent", limits.MaxDeletedPercent)
	}
}

// Fresh reports whether neither the plan nor its in-use scan is older than
// usage.MaxScanAge. An unknown time counts as fresh. Only a fresh plan may be applied.
func (plan *Plan) Fresh(now clock.Stamp) bool {
	young := func(made clock.Stamp) bool { return !made.Known() || made.Age(now) <= usage.MaxScanAge }
	return young(plan.scanned) && young(plan.Made)
}

// released returns the reasons of the open images whose parents are all removed, by digest.
func (plan *Plan) released() map[string]string {
	outcomes := map[string]Outcome{}
	for i := range plan.Images {
		outcomes[plan.Images[i].Digest] = plan.Images[i].Outcome
	}
	released := map[string]string{}
	for _, im := range plan.Open() {
		kept := func(parent string) bool { return !im.RemovedFor(outcomes[parent]) }
		if im.Action == Follow && len(im.Parents) > 0 && !slices.ContainsFunc(im.Parents, kept) {
			released[im.Digest] = im.Reason
		}
	}
	return released
}

// SortImages sorts by push time, the oldest first, and then by digest.
func SortImages(images []Image) {
	slices.SortFunc(images, func(a, b Image) int { return byPush(&a.Image, &b.Image) })
}

func byPush(a, b *evaluator.Image) int {
	return cmp.Or(a.PushedAt.Compare(b.PushedAt), cmp.Compare(a.Digest, b.Digest))
}

// Digests returns the digests of the images in their order.
func Digests(images []*Image) []string {
	digests := make([]string, len(images))
	for i, im := range images {
		digests[i] = im.Digest
	}
	return digests
}
