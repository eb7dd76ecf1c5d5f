package cleaner

import "slices"

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
	// UnresolvedDigest: no digest is recorded for a running container, so that its
	// tag decides which image is in use.
	UnresolvedDigest FindingKind = "unresolvedDigest"
	// MovedTag: something runs an image by a tag that is on another image now.
	MovedTag FindingKind = "movedTag"
	// UnknownRegistryHost: references name a host that is no ECR registry, or none.
	// They protect by their path.
	UnknownRegistryHost FindingKind = "unknownRegistryHost"
	// UnreadableReference: something uses an image whose name cannot be read.
	UnreadableReference FindingKind = "unreadableReference"
	// NothingReferences: nothing that was asked references the repository.
	NothingReferences FindingKind = "nothingReferences"
	// SharedRepository: other accounts may pull from the repository, and no
	// list says what they use.
	SharedRepository FindingKind = "sharedRepository"
	// ScanFailed: a source that the repositories rely upon did not say what is
	// in use. It is a failure, also of a run that has nothing to remove.
	ScanFailed FindingKind = "inUseScanFailed"
	// AttachedMarksInUse: an attached policy, which ECR applies by itself,
	// marks an image that is in use.
	AttachedMarksInUse FindingKind = "attachedPolicyMarksInUse"
	// ConfiguredOtherwise: a person attaches a policy where the configuration
	// says none, or has one of its own.
	ConfiguredOtherwise FindingKind = "configuredOtherwise"
)

// endScan says what the in-use scan came to.
func (r *Report) endScan(s *scanner) {
	failed := s.failed()
	r.InUse = s.found()
	r.Findings = slices.Concat(failed, s.doubts(), r.Findings)
	r.Incomplete = r.Incomplete || len(failed) > 0
}
