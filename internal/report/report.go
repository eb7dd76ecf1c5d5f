// Package report builds the report of a run. It takes plans, applied or not, and returns
// the report with its totals. It writes the report as JSON, shortens a report that is
// too large, and reads a report that was saved as a plan.
package report

import (
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// Version is the version of the report format. It changes if a field is removed or
// changes its meaning.
const Version = 1

// A Report is the answer of the function, the JSON output of the command line, and the
// format of a saved plan.
type Report struct {
	Version int         `json:"version"`
	RunID   string      `json:"runId"`
	Mode    config.Mode `json:"mode"`
	// Account is the account of the registry, or empty if the registry is empty.
	Account string    `json:"account"`
	Region  string    `json:"region"`
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"`
	// Incomplete is true if Undone is not empty.
	Incomplete bool `json:"incomplete"`
	// Configuration is the hash of the configuration of the plan.
	Configuration string       `json:"configuration"`
	Totals        Totals       `json:"totals"`
	Repositories  []Repository `json:"repositories"`
	// InUse has the number of uses that each in-use source returned. It is nil if the
	// run scanned no source.
	InUse    map[string]int    `json:"inUse,omitempty"`
	Findings []finding.Finding `json:"findings,omitempty"`
	// Omitted is nil if the report is whole.
	Omitted *Omitted `json:"omitted,omitempty"`
	// Calls counts the API calls by operation, including retries.
	Calls map[string]int `json:"calls"`
}

// Totals are the sums over all repositories.
type Totals struct {
	Repositories int `json:"repositories"`
	// Skipped counts the repositories that were skipped.
	Skipped int `json:"skipped"`
	// AttachedPolicies counts the repositories that are known to have an attached
	// lifecycle policy, which ECR applies.
	AttachedPolicies int `json:"attachedPolicies"`
	Counts
}

// A Repository is the part of the report about one repository.
type Repository struct {
	Name string `json:"name"`
	// Policy is the name of the configuration entry that applies, or empty.
	Policy string `json:"policy"`
	// AttachedPolicy is true if the repository is known to have a lifecycle policy.
	AttachedPolicy bool `json:"attachedPolicy,omitempty"`
	Counts
	// Skipped is the reason why the repository was skipped, or empty. Message explains it.
	Skipped plan.SkipCode `json:"skipped,omitempty"`
	Message string        `json:"message,omitempty"`
	// Findings become findings of the report.
	Findings []finding.Finding `json:"-"`
	// Images are those with a verdict to act on, the oldest push first.
	Images []Image `json:"images"`
}

// An Image is the part of the report about one image.
type Image struct {
	ImageDigest string           `json:"imageDigest"`
	ImageTags   []string         `json:"imageTags"`
	Verdict     evaluator.Action `json:"verdict"`
	// AppliedRulePriority is 0 if no rule decided: the image follows another image, or a
	// person named it.
	AppliedRulePriority int               `json:"appliedRulePriority,omitempty"`
	Reason              string            `json:"reason"`
	ProtectedBy         []plan.Protection `json:"protectedBy,omitempty"`
	// OnExpire is "archive" if the image expires and would move to the archive class,
	// and otherwise empty.
	OnExpire config.OnExpire `json:"onExpire,omitempty"`
	// Untag has the tags that would be removed. It is empty for any other verdict.
	Untag []string `json:"untag,omitempty"`
	// Outcome is empty if the plan was not applied.
	Outcome plan.Outcome `json:"outcome,omitempty"`
	Message string       `json:"message,omitempty"`
	// The following fields describe the image when the plan was made. A saved plan is
	// applied only to images that still have them.
	ImageStatus          evaluator.ImageStatus `json:"imageStatus"`
	ImagePushedAt        time.Time             `json:"imagePushedAt"`
	LastRecordedPullTime time.Time             `json:"lastRecordedPullTime,omitzero"`
	LastActivatedAt      time.Time             `json:"lastActivatedAt,omitzero"`
	// ChildrenPulledAt is the latest pull of the children of an index.
	ChildrenPulledAt time.Time `json:"childrenPulledAt,omitzero"`
	// ManifestReadFrom and ManifestReadTo bound the time, by ECR's clock and to the
	// second, at which ECR may have recorded that the cleaner read the manifest.
	ManifestReadFrom time.Time `json:"manifestReadFrom,omitzero"`
	ManifestReadTo   time.Time `json:"manifestReadTo,omitzero"`
	ImageSizeInBytes int64     `json:"imageSizeInBytes"`
}

// Archives reports whether the image would move to the archive class.
func (im *Image) Archives() bool { return plan.Archives(im.Verdict, im.OnExpire) }

// Of returns the report on a plan, applied or not, with its images if detailed is true.
func Of(p *plan.Plan, detailed bool) Repository {
	r := Repository{Name: p.Repository, Images: []Image{}, Findings: p.Findings, AttachedPolicy: p.Attached}
	r.Evaluated = p.Listed
	if p.Entry != nil {
		r.Policy = p.Entry.Name
	}
	if p.Skip != nil {
		r.Skipped, r.Message = p.Skip.Code, p.Skip.Message
	}
	if detailed {
		r.Images = make([]Image, 0, len(p.Images))
	}
	for i := range p.Images {
		r.count(&p.Images[i])
		if detailed {
			r.Images = append(r.Images, OfImage(&p.Images[i]))
		}
	}
	return r
}

// OfImage returns the report on a planned image.
func OfImage(im *plan.Image) Image {
	tags := im.Tags
	if tags == nil {
		tags = []string{}
	}
	return Image{
		ImageDigest: im.Digest, ImageTags: tags,
		Verdict: im.Action, AppliedRulePriority: im.Rule, Reason: im.Reason,
		OnExpire: im.OnExpire, Untag: im.Untag, ProtectedBy: im.ProtectedBy, Outcome: im.Outcome, Message: im.Message,
		ImageStatus: im.Status, ImagePushedAt: im.PushedAt.Time(), LastRecordedPullTime: im.LastRecordedPullTime.Time(),
		LastActivatedAt: im.LastActivatedAt.Time(), ChildrenPulledAt: im.ChildrenPulledAt().Time(),
		ManifestReadFrom: im.Read.From, ManifestReadTo: im.Read.To, ImageSizeInBytes: im.SizeInBytes,
	}
}

// Add adds a repository to the report and to its totals.
func (r *Report) Add(repository Repository) {
	r.Repositories = append(r.Repositories, repository)
	r.Findings = append(r.Findings, repository.Findings...)
	r.Totals.Repositories++
	r.Totals.add(repository.Counts)
	if repository.Skipped != "" {
		r.Totals.Skipped++
	}
	if repository.AttachedPolicy {
		r.Totals.AttachedPolicies++
	}
	failed := func(f finding.Finding) bool { return f.Kind.Failure() != "" }
	if repository.NotDone() > 0 || repository.Skipped.IsFailure() || slices.ContainsFunc(repository.Findings, failed) {
		r.Incomplete = true
	}
}

// Undone counts the causes that make the run incomplete: repositories by their
// [plan.SkipCode], images by outcome, such as "images failed", and findings by
// [finding.Kind.Failure]. It is empty if and only if the run is complete. Call it before
// Fit, because it does not count omitted parts.
func (r *Report) Undone() map[string]int {
	undone := map[string]int{}
	count := func(cause string, n int) {
		if n > 0 {
			undone[cause] += n
		}
	}
	for i := range r.Repositories {
		if code := r.Repositories[i].Skipped; code.IsFailure() {
			count(string(code), 1)
		}
	}
	count("images failed", r.Totals.Failed)
	count("images unknown", r.Totals.Unknown)
	count("images not attempted", r.Totals.NotAttempted)
	for i := range r.Findings {
		if cause := r.Findings[i].Kind.Failure(); cause != "" {
			count(cause, 1)
		}
	}
	return undone
}

// Handled reports whether the run is complete and, in mode apply, no repository exceeded
// a limit.
func (r *Report) Handled() bool {
	limited := func(repository Repository) bool { return repository.Skipped == plan.SkipLimit }
	return !r.Incomplete && (r.Mode != config.Apply || !slices.ContainsFunc(r.Repositories, limited))
}

// Removals returns the number of images that the plan would remove, and the bytes of
// those that it would delete. It does not count repositories that are skipped.
func (r *Report) Removals() (images int, bytes int64) {
	for i := range r.Repositories {
		if repository := &r.Repositories[i]; repository.Skipped == "" {
			images += repository.Expired + repository.Transitioned + repository.Untagged + repository.Followed
			bytes += repository.ReclaimableBytes
		}
	}
	return images, bytes
}
