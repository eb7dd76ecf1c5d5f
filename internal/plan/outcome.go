package plan

// Outcome is what happened to a planned image when the plan was applied.
type Outcome string

// The outcomes. Failed, Unknown and NotAttempted make a run incomplete.
const (
	Deleted        Outcome = "deleted"
	MovedToArchive Outcome = "archived"
	Untagged       Outcome = "untagged"
	// Blocked: a parent of the image was not removed, or ECR refused the call because an
	// index references the image or its storage class cannot be changed.
	Blocked Outcome = "blocked"
	Changed Outcome = "changed" // since the plan; the image was kept
	Gone    Outcome = "gone"    // the image no longer existed
	Failed  Outcome = "failed"
	// Unknown: ECR did not answer a removing call or carried it out in part. It may still
	// remove the image.
	Unknown      Outcome = "unknown"
	NotAttempted Outcome = "not attempted" // the run stopped first
)

// Removed reports whether the outcome is that the action was carried out.
func (o Outcome) Removed() bool { return o == Deleted || o == MovedToArchive || o == Untagged }

// RepositoryGone is the message of images whose repository no longer exists.
const RepositoryGone = "the repository no longer exists"

// A Skip says why a repository is skipped.
type Skip struct {
	Code    SkipCode
	Message string // one line for a person
}

// SkipCode is the kind of reason for which a repository is skipped.
type SkipCode string

// The codes of skips. The last five are failures.
const (
	SkipNotConfigured SkipCode = "not configured" // no entry selects the repository
	SkipNone          SkipCode = "policy none"
	SkipNoPolicy      SkipCode = "no policy" // no lifecycle policy is attached
	SkipGone          SkipCode = "gone"      // it was deleted during the run
	SkipLimit         SkipCode = "limit"
	// SkipUnlistedAccount: an account may pull, and no list has the images that it uses.
	SkipUnlistedAccount SkipCode = "unlistedAccount"
	SkipInvalidPolicy   SkipCode = "invalid policy" // the attached policy cannot be read
	SkipFailed          SkipCode = "failed"
	SkipScanFailed      SkipCode = "in-use scan" // the images in use are not known
	SkipDeadline        SkipCode = "deadline"
	SkipInterrupted     SkipCode = "interrupted" // stopped, by no deadline
)

// IsFailure reports whether the skip is a failure.
func (c SkipCode) IsFailure() bool {
	switch c {
	case SkipFailed, SkipScanFailed, SkipDeadline, SkipInterrupted, SkipInvalidPolicy:
		return true
	case SkipNotConfigured, SkipNone, SkipNoPolicy, SkipGone, SkipLimit, SkipUnlistedAccount:
	}
	return false
}
