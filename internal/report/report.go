package report

import (
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/evaluator"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// Version is the version of the shape of a report. It changes when a
// field changes its meaning or goes.
const Version = 1

// A Report is what a run found and did. It is the function's answer, the
// tool's JSON output and the form of a saved plan.
type Report struct {
	Version int         `json:"version"`
	RunID   string      `json:"runId"`
	Mode    config.Mode `json:"mode"`
	// Account is the registry's; it is empty when the registry is.
	Account string    `json:"account"`
	Region  string    `json:"region"`
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"`
	// Incomplete is true when something that was to be handled was not:
	// because a call failed, the time ran out or the run was stopped.
	Incomplete bool `json:"incomplete"`
	// Configuration is the hash of the configuration the plan was made with.
	Configuration string       `json:"configuration"`
	Totals        Totals       `json:"totals"`
	Repositories  []Repository `json:"repositories"`
	// InUse counts the uses that each in-use source named; nil when none was
	// asked.
	InUse map[string]int `json:"inUse,omitempty"`
	// Findings are what a person should know and is no failure.
	Findings []finding.Finding `json:"findings,omitempty"`
	// Omitted says what was left out to keep the answer small; nil when
	// nothing was.
	Omitted *Omitted `json:"omitted,omitempty"`
	// Calls counts the API calls by operation, retries included.
	Calls map[string]int `json:"calls"`
}

// Totals are the sums over all repositories.
type Totals struct {
	Repositories int `json:"repositories"`
	// Skipped counts the repositories that were left alone as a whole.
	Skipped int `json:"skipped"`
	// AttachedPolicies counts the repositories that are known to have a
	// lifecycle policy attached, which ECR applies by itself.
	AttachedPolicies int `json:"attachedPolicies"`
	Counts
}

// A Repository is the part of the report about one repository.
type Repository struct {
	Name string `json:"name"`
	// Policy is the name of the entry that decides; empty when none does.
	Policy string `json:"policy"`
	// AttachedPolicy is true when a lifecycle policy is known to be attached.
	AttachedPolicy bool `json:"attachedPolicy,omitempty"`
	Counts
	// Skipped is why the repository was left alone, or empty. Message says
	// more.
	Skipped plan.SkipCode `json:"skipped,omitempty"`
	Message string        `json:"message,omitempty"`
	// Findings go into the report's.
	Findings []finding.Finding `json:"-"`
	// Images are those with a verdict to act on, the oldest push first.
	Images []Image `json:"images"`
}

// An Image is the part of the report about one image.
type Image struct {
	ImageDigest string           `json:"imageDigest"`
	ImageTags   []string         `json:"imageTags"`
	Verdict     evaluator.Action `json:"verdict"`
	// AppliedRulePriority is absent when a person named the image.
	AppliedRulePriority int               `json:"appliedRulePriority,omitempty"`
	Reason              string            `json:"reason"`
	ProtectedBy         []plan.Protection `json:"protectedBy,omitempty"`
	// OnExpire is "archive" when the image expires and would be moved to the
	// archive class, not deleted; absent otherwise.
	OnExpire config.OnExpire `json:"onExpire,omitempty"`
	// Untag are the tags that would be removed; absent for any other verdict.
	Untag []string `json:"untag,omitempty"`
	// Outcome is absent when nothing was tried.
	Outcome plan.Outcome `json:"outcome,omitempty"`
	Message string       `json:"message,omitempty"`
	// The rest is what a saved plan is compared with when it is applied.
	ImageStatus          evaluator.ImageStatus `json:"imageStatus"`
	ImagePushedAt        time.Time             `json:"imagePushedAt"`
	LastRecordedPullTime time.Time             `json:"lastRecordedPullTime,omitzero"`
	LastActivatedAt      time.Time             `json:"lastActivatedAt,omitzero"`
	// ChildrenPulledAt is the latest pull of what is below an index.
	ChildrenPulledAt time.Time `json:"childrenPulledAt,omitzero"`
	// ManifestReadFrom and ManifestReadTo bound the time, in ECR's clock and to the
	// second, at which ECR may have recorded the reading of the index's manifest as a
	// pull.
	ManifestReadFrom time.Time `json:"manifestReadFrom,omitzero"`
	ManifestReadTo   time.Time `json:"manifestReadTo,omitzero"`
	ImageSizeInBytes int64     `json:"imageSizeInBytes"`
}

// Archives reports whether the image would move to the archive class.
func (im *Image) Archives() bool { return plan.Archives(im.Verdict, im.OnExpire) }

// Undone counts the causes that make the run incomplete: repositories by their
// [SkipCode], "images failed", "images unknown", "images not attempted", "in-use
// sources" that did not answer, "manifests not read" and "faults of the program". It is
// empty if and only if the run is complete. It counts only images and findings that are
// in the report, so call it before Fit.
func (r *Report) Undone() map[string]int {
	undone := map[string]int{}
	count := func(reason string, n int) {
		if n > 0 {
			undone[reason] += n
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
		if name := r.Findings[i].Kind.Failure(); name != "" {
			count(name, 1)
		}
	}
	return undone
}

// Handled reports whether everything was handled: nothing failed, nothing ran
// out of time, and, where images were to be removed, no limit stood in the way.
func (r *Report) Handled() bool {
	if r.Incomplete {
		return false
	}
	for i := range r.Repositories {
		if r.Mode == config.Apply && r.Repositories[i].Skipped == plan.SkipLimit {
			return false
		}
	}
	return true
}

// Removals is the number of images that the plan would remove, and their bytes:
// of the repositories that no limit and nothing else leaves alone.
func (r *Report) Removals() (images int, bytes int64) {
	for i := range r.Repositories {
		if rr := &r.Repositories[i]; rr.Skipped == "" {
			images += rr.Expired + rr.Transitioned + rr.Untagged + rr.Followed
			bytes += rr.ReclaimableBytes
		}
	}
	return images, bytes
}

// Of puts a plan, applied or not, into its report, with its images or
// without.
func Of(p *plan.Plan, detailed bool) Repository {
	r := Repository{Name: p.Repository, Images: []Image{}, Findings: p.Findings}
	r.Evaluated, r.AttachedPolicy = p.Listed, p.Attached
	if p.Entry != nil {
		r.Policy = p.Entry.Name
	}
	if p.Skip != nil {
		r.Skipped, r.Message = p.Skip.Code, p.Skip.Message
	}
	for i := range p.Images {
		r.Counts.plan(&p.Images[i])
		r.settle(p.Images[i].Outcome)
		if p.Images[i].Outcome == plan.Deleted {
			r.DeletedBytes += p.Images[i].OwnBytes()
		}
	}
	if detailed {
		r.Images = make([]Image, 0, len(p.Images))
		for i := range p.Images {
			r.Images = append(r.Images, OfImage(&p.Images[i]))
		}
	}
	return r
}

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

// Add appends the report on one repository and sums it up.
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
