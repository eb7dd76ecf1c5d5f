package cleaner

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
)

// A Protection is one thing that keeps an image although its policy would have
// it removed.
type Protection struct {
	Kind ProtectionKind `json:"kind"`
	// By is what protects: the pattern that a tag matches, or the words of the
	// setting.
	By string `json:"by"`
}

// String returns "kind by".
func (p Protection) String() string { return string(p.Kind) + " " + p.By }

// ProtectionKind is the field of the configuration that protects.
type ProtectionKind string

// The kinds of protection.
const (
	ByTagPattern        ProtectionKind = "tagPatterns"
	ByKeepNewest        ProtectionKind = "keepNewest"
	ByPulledWithinDays  ProtectionKind = "pulledWithinDays"
	ByPushedWithinHours ProtectionKind = "pushedWithinHours"
)

// A protector knows what protects the images of one repository.
type protector struct {
	settings config.Protect
	// pulledSince and pushedSince are the instants from which on a pull or a
	// push protects.
	pulledSince, pushedSince time.Time
	// newest are the digests that keepNewest protects.
	newest map[string]bool
}

func newProtector(images []evaluator.Image, settings config.Protect, now time.Time) protector {
	return protector{
		settings:    settings,
		pulledSince: hoursBefore(now, 24*settings.PulledWithinDays),
		pushedSince: hoursBefore(now, settings.PushedWithinHours),
		newest:      newest(images, settings.KeepNewest),
	}
}

// hoursBefore does not go through a time.Duration, which holds 292 years only.
func hoursBefore(now time.Time, hours int) time.Time {
	return time.Unix(now.Unix()-int64(hours)*3600, int64(now.Nanosecond()))
}

func protect(images []PlannedImage, p protector) {
	for i := range images {
		images[i].ProtectedBy = p.protections(images[i].Image)
	}
}

// protections returns everything that protects the image.
func (p protector) protections(im evaluator.Image) []Protection {
	var by []Protection
	for _, pattern := range p.settings.TagPatterns {
		if slices.ContainsFunc(im.Tags, pattern.Match) {
			by = append(by, Protection{ByTagPattern, pattern.String()})
		}
	}
	if p.newest[im.Digest] {
		by = append(by, Protection{ByKeepNewest, plural(p.settings.KeepNewest, "newest image", "newest images")})
	}
	pulled := im.LastRecordedPullTime
	if p.settings.PulledWithinDays > 0 && !pulled.IsZero() && !pulled.Before(p.pulledSince) {
		by = append(by, Protection{ByPulledWithinDays, plural(p.settings.PulledWithinDays, "day", "days")})
	}
	if p.settings.PushedWithinHours > 0 && !im.EffectivePushTime().Before(p.pushedSince) {
		by = append(by, Protection{ByPushedWithinHours, plural(p.settings.PushedWithinHours, "hour", "hours")})
	}
	return by
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// newest returns the digests of the n newest images, and of the n newest that
// can be pulled, should archived ones be among the former. Referrers do not
// count, nor do untagged images beside an index, which may be its children;
// the latter are protected when they are as new.
func newest(images []evaluator.Image, n int) map[string]bool {
	if n == 0 {
		return nil
	}
	order := make([]*evaluator.Image, len(images))
	for i := range images {
		order[i] = &images[i]
	}
	slices.SortFunc(order, func(a, b *evaluator.Image) int {
		return cmp.Or(b.EffectivePushTime().Compare(a.EffectivePushTime()), cmp.Compare(b.Digest, a.Digest))
	})
	hasIndex := slices.ContainsFunc(images, isIndex)
	protected := map[string]bool{}
	all, pullable := 0, 0
	for _, im := range order {
		archived := im.Status == evaluator.Archived
		if all >= n && (archived || pullable >= n) {
			continue
		}
		switch {
		case isReferrer(*im):
			continue
		case hasIndex && len(im.Tags) == 0 && !isIndex(*im):
		default:
			all++
			if !archived {
				pullable++
			}
		}
		protected[im.Digest] = true
	}
	return protected
}

// isIndex reports whether the image is a manifest list.
func isIndex(im evaluator.Image) bool {
	return im.ManifestMediaType == "application/vnd.oci.image.index.v1+json" ||
		im.ManifestMediaType == "application/vnd.docker.distribution.manifest.list.v2+json"
}

// referrerTag is the tag under which cosign and the referrers fallback of OCI
// 1.1 store what belongs to the image of that digest.
var referrerTag = regexp.MustCompile(`^sha256-[0-9a-f]{64}(\.sig|\.att|\.sbom)?$`)

// isReferrer reports whether the image is a signature, an SBOM or another
// artifact that belongs to a subject.
func isReferrer(im evaluator.Image) bool {
	return im.SubjectDigest != "" || slices.ContainsFunc(im.Tags, referrerTag.MatchString)
}
