package plan

// Outcome is what became of a planned image.
type Outcome string

// The outcomes. Failed, Unknown and NotAttempted make a run incomplete; the others are
// normal in a registry in use.
const (
	Deleted Outcome = "deleted"
	// MovedToArchive: the image is in the archive class now.
	MovedToArchive Outcome = "archived"
	// Untagged: the image has lost the tags that were to be removed.
	Untagged Outcome = "untagged"
	// Blocked: the image belongs to one that was not removed, or ECR refused
	// because an index references it or its storage class cannot be changed.
	Blocked Outcome = "blocked"
	// Changed: the image is not as it was when the plan was made, and was left
	// alone.
	Changed Outcome = "changed"
	// Gone: the image was not there any more.
	Gone   Outcome = "gone"
	Failed Outcome = "failed"
	// Unknown: a removing call for the image had no answer or was carried out only in
	// part, and the image was not found removed since. ECR can carry out such a call
	// late, so the image may still be removed.
	Unknown Outcome = "unknown"
	// NotAttempted: the run was stopped before it came to the image.
	NotAttempted Outcome = "not attempted"
)

// Settle gives the image its outcome.
func (im *Image) Settle(o Outcome, message string) { im.Outcome, im.Message = o, message }

// Removed reports whether the outcome means that the removal took place.
func (o Outcome) Removed() bool { return o == Deleted || o == MovedToArchive || o == Untagged }

// RemovedFor reports whether a parent with that outcome is gone far enough for
// what is to become of the image.
func (im *Image) RemovedFor(parent Outcome) bool {
	return parent == Deleted || parent == Gone || parent == MovedToArchive && im.Archives()
}

// RepositoryGone is the message of images whose repository no longer exists.
const RepositoryGone = "the repository is not there any more"
