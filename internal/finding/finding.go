// Package finding defines the findings of a run: its messages about repositories and
// their kinds. Other packages add findings, and package report counts those that are
// failures.
package finding

// A Finding is a message about a repository that a person should read. Most kinds of
// findings are no failure of the run: see Kind.Failure.
type Finding struct {
	Kind       Kind   `json:"kind"`
	Repository string `json:"repository"`
	Message    string `json:"message"`
}

// Kind is the kind of a finding.
type Kind string

// The kinds of findings.
const (
	// UnlistedReference: a reference is to an image that ECR does not list.
	UnlistedReference Kind = "unlistedReference"
	// UnresolvedDigest: ECS has no digest for a running container, so its tag decides
	// which image is in use.
	UnresolvedDigest Kind = "unresolvedDigest"
	// MovedTag: the tag of a running image is on another image now.
	MovedTag Kind = "movedTag"
	// UnknownRegistryHost: references name no host, or a host that is no ECR registry.
	// They protect images of the repositories that their path may mean.
	UnknownRegistryHost Kind = "unknownRegistryHost"
	// UnreadableReference: a container has an image name that cannot be parsed.
	UnreadableReference Kind = "unreadableReference"
	// NothingReferences: no in-use source references the repository.
	NothingReferences Kind = "nothingReferences"
	// SharedRepository: other accounts may pull from the repository, and no list of
	// references has their uses.
	SharedRepository Kind = "sharedRepository"
	// ScanFailed: an in-use source of the repositories did not answer. It is a failure,
	// even if the run has nothing to remove.
	ScanFailed Kind = "inUseScanFailed"
	// ManifestUnreadable: the manifest of an index could not be read, so images that the
	// index may list are kept. It is a failure.
	ManifestUnreadable Kind = "manifestUnreadable"
	// ManifestIsNoIndex: ECR lists an image as an index, but its manifest is not one.
	// This is true until the image is deleted, so it is no failure of a run.
	ManifestIsNoIndex Kind = "manifestIsNoIndex"
	// IndexGone: an index was deleted after the listing and before the cleaner read its
	// manifest.
	IndexGone Kind = "indexGone"
	// OwnPullsCount: indexes are kept because ECR records the reading of their manifests
	// as pulls.
	OwnPullsCount Kind = "ownPullsCount"
	// OwnPullsUnknown: the cleaner could not find out whether ECR records the reading of
	// manifests as pulls, and assumes that it does.
	OwnPullsUnknown Kind = "ownPullsUnknown"
	// ProgramFault: the report contradicts itself. It is a failure.
	ProgramFault Kind = "programFault"
	// AttachedMarksInUse: an attached policy, which ECR applies, marks an image in use.
	AttachedMarksInUse Kind = "attachedPolicyMarksInUse"
	// ConfiguredOtherwise: a person attaches a policy to a repository for which the
	// configuration has policy none or another policy.
	ConfiguredOtherwise Kind = "configuredOtherwise"
)

// Failure returns the name of these findings in the list of a run's failures, or "" if
// the kind is no failure.
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
