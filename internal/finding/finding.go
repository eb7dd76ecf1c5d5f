package finding

// A Finding is something that a person should know and that is no failure.
type Finding struct {
	Kind       Kind   `json:"kind"`
	Repository string `json:"repository"`
	Message    string `json:"message"`
}

// Kind tells findings apart.
type Kind string

// The kinds of findings.
const (
	// UnlistedReference: something references an image that is not listed.
	UnlistedReference Kind = "unlistedReference"
	// UnresolvedDigest: ECS has no digest for a running container, so its tag decides
	// which image is in use.
	UnresolvedDigest Kind = "unresolvedDigest"
	// MovedTag: a running image was named by a tag that is on another image now.
	MovedTag Kind = "movedTag"
	// UnknownRegistryHost: references name no host, or a host that is no ECR registry.
	// They protect images of the repositories that their path may mean.
	UnknownRegistryHost Kind = "unknownRegistryHost"
	// UnreadableReference: a container uses an image whose name cannot be read.
	UnreadableReference Kind = "unreadableReference"
	// NothingReferences: nothing that was asked references the repository.
	NothingReferences Kind = "nothingReferences"
	// SharedRepository: other accounts may pull from the repository, and no
	// list says what they use.
	SharedRepository Kind = "sharedRepository"
	// ScanFailed: a source that the repositories rely upon did not say what is
	// in use. It is a failure, also of a run that has nothing to remove.
	ScanFailed Kind = "inUseScanFailed"
	// ManifestUnreadable: the manifest of an index could not be read, so images that the
	// index may list are kept. It is a failure.
	ManifestUnreadable Kind = "manifestUnreadable"
	// ManifestIsNoIndex: ECR lists an image as an index, and its manifest is not one. It
	// is no failure of a run, since it lasts until somebody deletes the image.
	ManifestIsNoIndex Kind = "manifestIsNoIndex"
	// IndexGone: an index was deleted between the listing and the reading of its
	// manifest.
	IndexGone Kind = "indexGone"
	// OwnPullsCount: indexes are kept because ECR records the reading of their
	// manifests as pulls.
	OwnPullsCount Kind = "ownPullsCount"
	// OwnPullsUnknown: the cleaner could not find out whether ECR records the reading of
	// manifests as pulls, and assumes that it does.
	OwnPullsUnknown Kind = "ownPullsUnknown"
	// ProgramFault: the report contradicts itself. It is a failure.
	ProgramFault Kind = "programFault"
	// AttachedMarksInUse: an attached policy, which ECR applies by itself,
	// marks an image that is in use.
	AttachedMarksInUse Kind = "attachedPolicyMarksInUse"
	// ConfiguredOtherwise: a person attaches a policy where the configuration
	// says none, or has one of its own.
	ConfiguredOtherwise Kind = "configuredOtherwise"
)

// Failure returns the name of such findings in the list of a run's failures, or "" if
// the finding is no failure.
func (k Kind) Failure() string {
	switch k { //nolint:exhaustive // the others are no failures
	case ScanFailed:
		return "in-use sources"
	case ManifestUnreadable:
		return "manifests not read"
	case ProgramFault:
		return "faults of the program"
	}
	return ""
}
