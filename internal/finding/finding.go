// Package finding defines the findings of a run and their kinds. Package report lists them.
package finding

// A Finding is a message about a repository. Most kinds are no failure of the run.
type Finding struct {
	Kind       Kind   `json:"kind"`
	Repository string `json:"repository"`
	Message    string `json:"message"`
}

// Kind is the kind of a finding.
type Kind string

// The kinds of findings.
const (
	// UnlistedReference: ECR does not list an image in use.
	UnlistedReference Kind = "unlistedReference"
	// UnresolvedDigest: ECS has no digest for a running container, so its tag counts.
	UnresolvedDigest Kind = "unresolvedDigest"
	// MovedTag: the tag of a running image is on another image now.
	MovedTag Kind = "movedTag"
	// UnknownRegistryHost: references without an ECR host protect images of the
	// repositories that their path may mean.
	UnknownRegistryHost Kind = "unknownRegistryHost"
	// UnreadableReference: the image name of a container cannot be parsed.
	UnreadableReference Kind = "unreadableReference"
	// NothingReferences: no in-use source references the repository.
	NothingReferences Kind = "nothingReferences"
	// SharedRepository: other accounts may pull, and no list of references has their uses.
	SharedRepository Kind = "sharedRepository"
	// NotListed: a Kubernetes cluster has objects that may name images and that the cleaner
	// may not list.
	NotListed Kind = "kubernetesNotListed"
	// ClusterNotReady: an EKS cluster was skipped because it is being created or deleted.
	ClusterNotReady Kind = "clusterNotReady"
	// ManagedRuntime: a Lambda function has a runtime whose image the cleaner cannot query.
	ManagedRuntime Kind = "customerManagedRuntime"
	// IdleFamily: images are in use only by task definition families that nothing names.
	IdleFamily Kind = "idleTaskDefinitionFamily"
	// NoEffect: a field of the configuration has no effect.
	NoEffect Kind = "noEffect"
	// ScanFailed: an in-use source did not answer. It is a failure.
	ScanFailed Kind = "inUseScanFailed"
	// ListNotWritten: mode references wrote no list of references. It is a failure.
	ListNotWritten Kind = "referencesNotWritten"
	// ManifestUnreadable: images that an unreadable index may list are kept. It is a failure.
	ManifestUnreadable Kind = "manifestUnreadable"
	// ManifestIsNoIndex: the manifest of an index is not one. It is no failure, since it
	// lasts until the image is deleted.
	ManifestIsNoIndex Kind = "manifestIsNoIndex"
	// IndexGone: an index was deleted before the cleaner read its manifest.
	IndexGone Kind = "indexGone"
	// OwnPullsCount: indexes are kept because ECR records manifest reads as pulls.
	OwnPullsCount Kind = "ownPullsCount"
	// OwnPullsUnknown: the cleaner does not know whether ECR records manifest reads as
	// pulls, and assumes that it does.
	OwnPullsUnknown Kind = "ownPullsUnknown"
	// ProgramFault: the report contradicts itself. It is a failure.
	ProgramFault Kind = "programFault"
	// AttachedMarksInUse: an attached policy, which ECR applies, marks an image in use.
	AttachedMarksInUse Kind = "attachedPolicyMarksInUse"
	// Replicated: ECR keeps the replicas of removed images in other registries.
	Replicated Kind = "replicated"
	// DeletionsReplicated: ECR also deletes the replicas of deleted images in other registries.
	DeletionsReplicated Kind = "deletionsReplicated"
	// ReplicationBackfill: ECR is replicating existing images, also deleted ones.
	ReplicationBackfill Kind = "replicationBackfill"
	// ReplicationUnknown: the cleaner could not read the replication settings.
	ReplicationUnknown Kind = "replicationUnknown"
	// PolicyNeverEvaluated: ECR has never evaluated attached policies.
	PolicyNeverEvaluated Kind = "attachedPolicyNeverEvaluated"
	// ConfiguredOtherwise: the configuration has another policy than the one to attach.
	ConfiguredOtherwise Kind = "configuredOtherwise"
)

// Failure returns the cause for Undone in package report, or "" if the kind is no failure.
func (k Kind) Failure() string { return failures[k] }

var failures = map[Kind]string{
	ScanFailed: "in-use sources", ListNotWritten: "lists not written", ManifestUnreadable: "manifests not read", ProgramFault: "faults of the program",
}
