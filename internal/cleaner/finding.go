package cleaner

// A Finding is something that a person should know and that is no failure.
type Finding struct {
	Kind       FindingKind `json:"kind"`
	Repository string      `json:"repository"`
	Message    string      `json:"message"`
}

// FindingKind tells findings apart.
type FindingKind string

// The kinds of findings.
const (
	// UnlistedReference: something references an image that is not listed.
	UnlistedReference FindingKind = "unlistedReference"
	// UnresolvedDigest: ECS has no digest for a running container, so its tag decides
	// which image is in use.
	UnresolvedDigest FindingKind = "unresolvedDigest"
	// MovedTag: a running image was named by a tag that is on another image now.
	MovedTag FindingKind = "movedTag"
	// UnknownRegistryHost: references name no host, or a host that is no ECR registry.
	// They protect images of the repositories that their path may mean.
	UnknownRegistryHost FindingKind = "unknownRegistryHost"
	// UnreadableReference: a container uses an image whose name cannot be read.
	UnreadableReference FindingKind = "unreadableReference"
	// NothingReferences: nothing that was asked references the repository.
	NothingReferences FindingKind = "nothingReferences"
	// SharedRepository: other accounts may pull from the repository, and no
	// list says what they use.
	SharedRepository FindingKind = "sharedRepository"
	// ScanFailed: a source that the repositories rely upon did not say what is
	// in use. It is a failure, also of a run that has nothing to remove.
	ScanFailed FindingKind = "inUseScanFailed"
	// ManifestUnreadable: the manifest of an index could not be read, so images that the
	// index may list are kept. It is a failure.
	ManifestUnreadable FindingKind = "manifestUnreadable"
	// ManifestIsNoIndex: ECR lists an image as an index, and its manifest is not one. It
	// is no failure of a run, since it lasts until somebody deletes the image.
	ManifestIsNoIndex FindingKind = "manifestIsNoIndex"
	// IndexGone: an index was deleted between the listing and the reading of its
	// manifest.
	IndexGone FindingKind = "indexGone"
	// OwnPullsCount: indexes are kept because ECR records the reading of their
	// manifests as pulls.
	OwnPullsCount FindingKind = "ownPullsCount"
	// OwnPullsUnknown: the cleaner could not find out whether ECR records the reading of
	// manifests as pulls, and assumes that it does.
	OwnPullsUnknown FindingKind = "ownPullsUnknown"
	// ProgramFault: the report contradicts itself. It is a failure.
	ProgramFault FindingKind = "programFault"
	// AttachedMarksInUse: an attached policy, which ECR applies by itself,
	// marks an image that is in use.
	AttachedMarksInUse FindingKind = "attachedPolicyMarksInUse"
	// ConfiguredOtherwise: a person attaches a policy where the configuration
	// says none, or has one of its own.
	ConfiguredOtherwise FindingKind = "configuredOtherwise"
)

// Failure returns the name of such findings in the list of a run's failures, or "" if
// the finding is no failure.
func (k FindingKind) Failure() string {
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
