// Package report turns plans, applied or not, into the report of a run with its totals. It
// writes the report as JSON, shortens a report that is too large, and reads saved plans.
package report

import (
	"maps"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// Version changes if a field of the report is removed or changes its meaning.
const Version = 1

// A Report is the function's answer, the command's JSON output, and a saved plan.
type Report struct {
	Version       int          `json:"version"`
	RunID         string       `json:"runId"`
	Mode          config.Mode  `json:"mode"`
	Account       string       `json:"account"` // empty if the registry is empty
	Region        string       `json:"region"`
	Start         time.Time    `json:"start"`
	End           time.Time    `json:"end"`
	Incomplete    bool         `json:"incomplete"`    // see Undone
	Configuration string       `json:"configuration"` // its hash
	Limits        *Limits      `json:"limits,omitempty"`
	Totals        Totals       `json:"totals"`
	Repositories  []Repository `json:"repositories"`
	// InUse counts the uses that each in-use source returned, and is nil without a scan.
	InUse map[string]int `json:"inUse,omitempty"`
	// References is the list that mode references wrote, or nil.
	References *References `json:"references,omitempty"`
	// Continuation says where the next run begins. It is nil if this run handled all
	// repositories, or if it cannot be continued. NotReached is the number of repositories
	// for the next run; they are not in the report, except those that are Partial.
	Continuation *config.Continuation `json:"continuation,omitempty"`
	NotReached   int                  `json:"notReached,omitempty"`
	Findings     []finding.Finding    `json:"findings,omitempty"`
	Omitted      *Omitted             `json:"omitted,omitempty"` // nil if the report is whole
	Calls        map[string]int       `json:"calls"`             // by operation, including retries
}

// Limits are the limits that a person typed for one run of the tool. They are not part of
// the hash of the configuration. A nil limit was not typed.
type Limits struct {
	MaxDeletions              *int `json:"maxDeletions,omitempty"`
	MaxDeletionsPerRepository *int `json:"maxDeletionsPerRepository,omitempty"`
	MaxDeletedPercent         *int `json:"maxDeletedPercent,omitempty"`
}

// References says where a list of references is, and how many it has.
type References struct {
	Location string `json:"location"`
	Count    int    `json:"count"`
}

// Totals are the sums over all repositories.
type Totals struct {
	Repositories     int `json:"repositories"`
	Skipped          int `json:"skipped"`
	AttachedPolicies int `json:"attachedPolicies"`
	Counts
}

// A Repository is the part of the report about one repository.
type Repository struct {
	Name   string `json:"name"`
	Policy string `json:"policy"` // name of the configuration entry, or empty
	// AttachedPolicy is true if the repository is known to have a lifecycle policy.
	AttachedPolicy bool `json:"attachedPolicy,omitempty"`
	// Partial is true if the run's end interrupted the repository. It then has only the images
	// that were removed or may have been. The run that ends it counts the repository.
	Partial bool `json:"partial,omitempty"`
	Counts
	Skipped  plan.SkipCode     `json:"skipped,omitempty"`
	Message  string            `json:"message,omitempty"`
	Findings []finding.Finding `json:"-"` // see Add
	// Images are those with a verdict to act on, the oldest push first.
	Images []Image `json:"images"`
}

// An Image is the part of the report about one image.
type Image struct {
	ImageDigest string           `json:"imageDigest"`
	ImageTags   []string         `json:"imageTags"`
	Verdict     evaluator.Action `json:"verdict"`
	// AppliedRulePriority is 0 if the image follows another, or a person named it.
	AppliedRulePriority int               `json:"appliedRulePriority,omitempty"`
	Reason              string            `json:"reason"`
	ProtectedBy         []plan.Protection `json:"protectedBy,omitempty"`
	// OnExpire is "archive" if an expired image would move to the archive class, or empty.
	OnExpire config.OnExpire `json:"onExpire,omitempty"`
	Untag    []string        `json:"untag,omitempty"`   // the tags that would be removed
	Outcome  plan.Outcome    `json:"outcome,omitempty"` // empty before the plan is applied
	Message  string          `json:"message,omitempty"`
	// A saved plan is applied only to images for which the following is still true.
	ImageStatus          evaluator.ImageStatus `json:"imageStatus"`
	ImagePushedAt        time.Time             `json:"imagePushedAt"`
	LastRecordedPullTime time.Time             `json:"lastRecordedPullTime,omitzero"`
	LastActivatedAt      time.Time             `json:"lastActivatedAt,omitzero"`
	ChildrenPulledAt     time.Time             `json:"childrenPulledAt,omitzero"`
	// ManifestReadFrom and ManifestReadTo bound the time, in whole seconds of ECR's clock,
	// at which ECR may have recorded a pull by the cleaner.
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
	r.Totals.add(repository.Counts)
	if !repository.Partial {
		r.Totals.Repositories++
	}
	if repository.Skipped != "" {
		r.Totals.Skipped++
	}
	if repository.AttachedPolicy {
		r.Totals.AttachedPolicies++
	}
	failed := func(f finding.Finding) bool { return f.Kind.Failure() != "" }
	incomplete := repository.NotDone() > 0 || repository.Skipped.IsFailure() || slices.ContainsFunc(repository.Findings, failed)
	r.Incomplete = r.Incomplete || incomplete
}

// Undone counts the repositories, images and findings that make the run incomplete, by
// cause. It is empty if and only if the run is complete. Call it before Fit.
func (r *Report) Undone() map[string]int {
	undone := map[string]int{
		NotReachedCause: r.NotReached, "images failed": r.Totals.Failed, "images unknown": r.Totals.Unknown, "images not attempted": r.Totals.NotAttempted,
	}
	for i := range r.Repositories {
		if code := r.Repositories[i].Skipped; code.IsFailure() {
			undone[string(code)]++
		}
	}
	for _, f := range r.Findings {
		undone[f.Kind.Failure()]++
	}
	maps.DeleteFunc(undone, func(cause string, n int) bool { return cause == "" || n == 0 })
	return undone
}

// Handled reports whether the run is complete and, in mode apply, no repository exceeded
// a limit.
func (r *Report) Handled() bool {
	limited := func(repository Repository) bool { return repository.Skipped == plan.SkipLimit }
	return !r.Incomplete && (r.Mode != config.Apply || !slices.ContainsFunc(r.Repositories, limited))
}

// Removals returns the images that the plan would remove and the bytes that it would
// delete, without skipped repositories.
func (r *Report) Removals() (images int, bytes int64) {
	for i := range r.Repositories {
		if repository := &r.Repositories[i]; repository.Skipped == "" {
			images += repository.Removals()
			bytes += repository.ReclaimableBytes
		}
	}
	return images, bytes
}
