// Package plan decides which images of one repository are to be deleted, archived or
// untagged. It takes the entry of the configuration that selects the repository, the
// images and manifests that a Registry reads, and the images in use that a usage.Scanner
// finds. It returns a Plan: the images with an action, the reason for each action,
// everything that protects an image, and findings.
//
// The package cannot remove anything. No method of a Registry removes an image, and no
// package that this one imports has a method that does.
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
	// Entry selects the repository; nil if no entry of the configuration does.
	Entry *config.Entry
	// Made is when the plan was ready; zero if unknown.
	Made clock.Stamp
	// Listed is the number of listed images, of any status.
	Listed int
	// Images are the images with an action, including protected ones. They are ordered by
	// push time, the oldest first.
	Images []Image
	// Attached is true if a lifecycle policy is attached to the repository, which ECR
	// applies by itself. If the entry has its own policy, Attached is known only if the
	// entry has in-use sources, and the repository is in use or images would be removed.
	Attached bool
	// scanned is when the in-use scan began; zero if the plan relies on no scan.
	scanned clock.Stamp
	// KeptByOwnPulls is the number of indexes that are kept because the read of their
	// manifests may count as a pull.
	KeptByOwnPulls int
	// Attempts is the number of removing calls that were logged for each image, by digest.
	Attempts map[string]int
	// Skip says why the whole repository is skipped, or is nil.
	Skip *Skip
	// Findings are messages about the repository, in a stable order.
	Findings []finding.Finding
}

// Open returns the images that are still to be removed. They point into Images.
func (plan *Plan) Open() []*Image {
	var open []*Image
	for i := range plan.Images {
		if plan.Images[i].Open() {
			open = append(open, &plan.Images[i])
		}
	}
	return open
}

// Removals returns the number of images that are still to be removed.
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
// usage.MaxScanAge. Only a fresh plan may be applied. An unknown time counts as fresh.
func (plan *Plan) Fresh(now clock.Stamp) bool {
	young := func(made clock.Stamp) bool { return !made.Known() || made.Age(now) <= usage.MaxScanAge }
	return young(plan.scanned) && young(plan.Made)
}

// SortImages sorts the images by push time, the oldest first. Images with the same push
// time are sorted by digest.
func SortImages(images []Image) {
	slices.SortFunc(images, func(a, b Image) int { return byPush(&a.Image, &b.Image) })
}

func byPush(a, b *evaluator.Image) int {
	return cmp.Or(a.PushedAt.Compare(b.PushedAt), cmp.Compare(a.Digest, b.Digest))
}

// Digests returns the digests of the images, in the same order.
func Digests(images []*Image) []string {
	digests := make([]string, len(images))
	for i, im := range images {
		digests[i] = im.Digest
	}
	return digests
}
