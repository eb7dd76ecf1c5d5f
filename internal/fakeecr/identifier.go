package fakeecr

import (
	"cmp"
	"fmt"
)

// A repositoryRef names the repository that a request is about.
type repositoryRef struct {
	RegistryID     string `json:"registryId"`
	RepositoryName string `json:"repositoryName"`
}

func (ref *repositoryRef) target() string { return ref.RepositoryName }

func (ref *repositoryRef) ref() repositoryRef { return *ref }

func (ref *repositoryRef) check() error {
	if err := checkPresent("repositoryName", ref.RepositoryName != ""); err != nil {
		return err
	}
	return cmp.Or(checkRegistryID(ref.RegistryID), checkRepositoryName("repositoryName", ref.RepositoryName))
}

// find returns the repository. A request for the registry of another account is denied.
func (s *Server) find(operation string, ref repositoryRef) (*repository, error) {
	if err := s.checkRegistry(operation, ref.RegistryID); err != nil {
		return nil, err
	}
	r := s.repositories[ref.RepositoryName]
	if r == nil {
		return nil, s.repositoryNotFound(ref.RepositoryName)
	}
	return r, nil
}

func (s *Server) checkRegistry(operation, id string) error {
	if id != "" && id != s.account {
		return s.refusal("AccessDeniedException", operation, "")
	}
	return nil
}

// An imageID is ECR's ImageIdentifier. The empty string is an absent member.
type imageID struct {
	ImageDigest string `json:"imageDigest,omitempty"`
	ImageTag    string `json:"imageTag,omitempty"`
}

// String returns the identifier as in ECR's messages.
func (id imageID) String() string {
	return fmt.Sprintf("{imageDigest:'%s', imageTag:'%s'}", cmp.Or(id.ImageDigest, "null"), cmp.Or(id.ImageTag, "null"))
}

// A failure is ECR's ImageFailure.
type failure struct {
	ImageID       imageID `json:"imageId"`
	FailureCode   string  `json:"failureCode"`
	FailureReason string  `json:"failureReason"`
}

// failureReasons are ECR's messages for codes whose message is always the same.
var failureReasons = map[string]string{
	"MissingDigestAndTag":        "Invalid request parameters: both tag and digest cannot be null",
	"InvalidImageDigest":         "Invalid request parameters: image digest should satisfy the regex '" + digestRegex + "'",
	"ImageTagDoesNotMatchDigest": "Invalid request parameters: given tag does not map to the given digest",
	"ImageNotFound":              "Requested image not found",
}

func (id imageID) failure(code string) *failure {
	return &failure{id, code, cmp.Or(failureReasons[code], "Requested image refused")}
}

func (r *repository) resolve(id imageID) (*record, *failure) {
	if id == (imageID{}) {
		return nil, id.failure("MissingDigestAndTag")
	}
	if id.ImageDigest != "" && !digestPattern.MatchString(id.ImageDigest) {
		return nil, id.failure("InvalidImageDigest")
	}
	rec := r.images[id.ImageDigest]
	if id.ImageTag != "" {
		rec = r.byTag[id.ImageTag]
	}
	if rec == nil {
		return nil, id.failure("ImageNotFound")
	}
	if id.ImageDigest != "" && rec.Digest != id.ImageDigest {
		return nil, id.failure("ImageTagDoesNotMatchDigest")
	}
	return rec, nil
}

// lookUp is resolve for operations in which the failure of one image is the error of the
// call.
func (s *Server) lookUp(r *repository, id imageID) (*record, error) {
	rec, failed := r.resolve(id)
	if failed == nil {
		return rec, nil
	}
	switch failed.FailureCode {
	case "MissingDigestAndTag", "InvalidImageDigest":
		return nil, &fault{code: "InvalidParameterException", message: failed.FailureReason}
	}
	return nil, s.imageNotFound(id, r.name)
}

// identifiers returns an identifier for each tag of the image. If the image has no tag,
// the only identifier has the digest.
func (rec *record) identifiers() []imageID {
	if len(rec.Tags) == 0 {
		return []imageID{{ImageDigest: rec.Digest}}
	}
	ids := make([]imageID, len(rec.Tags))
	for i, tag := range rec.Tags {
		ids[i] = imageID{rec.Digest, tag}
	}
	return ids
}
