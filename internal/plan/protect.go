package plan

import (
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

// String returns "kind by".
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
	settings config.Protect
	// A pull or a push at or after these times protects an image.
	pulledSince, pushedSince evaluator.Instant
	newest                   map[string]bool // the digests that keepNewest protects
}

func newProtector(c *contents, settings config.Protect) protector {
	return protector{
		settings:    settings,
		pulledSince: hoursBefore(c.Now, 24*settings.PulledWithinDays),
		pushedSince: hoursBefore(c.Now, settings.PushedWithinHours),
		newest:      c.newest(settings.KeepNewest),
	}
}

// hoursBefore avoids time.Duration, which is limited to 292 years.
func hoursBefore(now time.Time, hours int) evaluator.Instant {
	return evaluator.At(time.Unix(now.Unix()-int64(hours)*3600, int64(now.Nanosecond())))
}

func (p *protector) protections(im *evaluator.Image) []Protection {
	var by []Protection
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
