package plan

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/graph"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// A Protection is one reason why an image is kept although its policy would act on it.
type Protection struct {
	Kind ProtectionKind `json:"kind"`
	// By is the user of the image, the pattern that a tag matches, the setting in words, or
	// the digest of a related image.
	By string `json:"by"`
}

func (p Protection) String() string { return string(p.Kind) + " " + p.By }

// ProtectionKind is the field of the configuration that protects an image, or its
// relation to a kept image.
type ProtectionKind string

// The kinds of protection.
const (
	ByInUse             ProtectionKind = "inUse"
	ByTagPattern        ProtectionKind = "tagPatterns"
	ByKeepNewest        ProtectionKind = "keepNewest"
	ByPulledWithinDays  ProtectionKind = "pulledWithinDays"
	ByPushedWithinHours ProtectionKind = "pushedWithinHours"
	// These are the blockers of package graph.
	ByChild           = ProtectionKind(graph.Child)
	BySubject         = ProtectionKind(graph.Subject)
	ByOrphan          = ProtectionKind(graph.Orphan)
	ByUnreadableIndex = ProtectionKind(graph.Unreadable)
)

// A protector applies the settings that protect images to one repository.
type protector struct {
	used     *imagesInUse
	settings config.Protect
	// A pull or a push at or after these times protects an image.
	pulledSince, pushedSince evaluator.Instant
	newest                   map[string]bool // the digests that keepNewest protects
}

func newProtector(used *imagesInUse, settings config.Protect) protector {
	return protector{
		used:        used,
		settings:    settings,
		pulledSince: hoursBefore(used.Now, 24*settings.PulledWithinDays),
		pushedSince: hoursBefore(used.Now, settings.PushedWithinHours),
		newest:      used.newest(settings.KeepNewest, nil),
	}
}

// hoursBefore avoids time.Duration, which is limited to 292 years.
func hoursBefore(now time.Time, hours int) evaluator.Instant {
	return evaluator.At(time.Unix(now.Unix()-int64(hours)*3600, int64(now.Nanosecond())))
}

func (p *protector) protections(im *evaluator.Image) []Protection {
	by := inUseBy(p.used.by[im.Digest])
	for _, pattern := range p.settings.TagPatterns {
		if slices.ContainsFunc(im.Tags, pattern.Match) {
			by = append(by, Protection{ByTagPattern, pattern.String()})
		}
	}
	if p.newest[im.Digest] {
		by = append(by, Protection{ByKeepNewest, words.Count(p.settings.KeepNewest, "newest image", "newest images")})
	}
	pulled := im.LastRecordedPullTime
	if p.settings.PulledWithinDays > 0 && !pulled.IsZero() && !pulled.Before(p.pulledSince) {
		by = append(by, Protection{ByPulledWithinDays, words.Count(p.settings.PulledWithinDays, "day", "days")})
	}
	if p.settings.PushedWithinHours > 0 && !im.EffectivePushTime().Before(p.pushedSince) {
		by = append(by, Protection{ByPushedWithinHours, words.Count(p.settings.PushedWithinHours, "hour", "hours")})
	}
	return by
}

func inUseBy(users []string) []Protection {
	var protections []Protection
	for _, user := range words.Few(users) {
		protections = append(protections, Protection{ByInUse, user})
	}
	return protections
}

// newest returns the digests that keepNewest protects: the n newest images and the n newest
// active ones. Referrers and children do not count. With digests it knows only these images.
//
// An index is as new as its newest child. Otherwise that child would count after its
// deletion, and another image would lose its protection. An untagged image that may be the
// child of an unread index is protected, but does not count.
func (c *contents) newest(n int, digests map[string]bool) map[string]bool {
	if n == 0 {
		return nil
	}
	protected := map[string]bool{}
	listing, unread := c.indexes()
	all, activeOnes := 0, 0
	for im := range c.newestFirst {
		active := im.Status == evaluator.Active
		if all >= n && activeOnes >= n {
			break
		}
		if all >= n && !active || digests != nil && !digests[im.Digest] {
			continue
		}
		for _, index := range listing[im.Digest] {
			protected[index] = true
		}
		if len(listing[im.Digest]) > 0 || len(graph.Subjects(*im)) > 0 {
			continue
		}
		protected[im.Digest] = true
		mayBeChild := false
		for _, index := range unread {
			if len(im.Tags) == 0 && !graph.IsIndex(*im) && graph.MayList(index, im) {
				mayBeChild = true
				protected[index.Digest] = protected[index.Digest] || index.Status == evaluator.Archived
			}
		}
		if !mayBeChild {
			all++
			if active {
				activeOnes++
			}
		}
	}
	return protected
}

// newestFirst yields the images by push time, the newest first, and then by digest, the
// greatest first. It sorts only as far as the caller iterates.
func (c *contents) newestFirst(yield func(*evaluator.Image) bool) {
	rest := make(byAge, len(c.images))
	for i := range c.images {
		rest[i] = &c.images[i]
	}
	heap.Init(&rest)
	for len(rest) > 0 && yield(heap.Pop(&rest).(*evaluator.Image)) {
	}
}

// byAge is a heap with the newest image on top.
type byAge []*evaluator.Image

func (h byAge) Len() int      { return len(h) }
func (h byAge) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h byAge) Less(i, j int) bool {
	return cmp.Or(h[i].EffectivePushTime().Compare(h[j].EffectivePushTime()), cmp.Compare(h[i].Digest, h[j].Digest)) > 0
}

func (*byAge) Push(any) {} // never called

func (h *byAge) Pop() any {
	last := len(*h) - 1
	im := (*h)[last]
	*h = (*h)[:last]
	return im
}
