package fakeecr

import (
	"fmt"
	"net/http"
)

// A fault is an error answer.
type fault struct {
	code, message string
	status        int // of HTTP; 0 means the status of the code
}

func (f *fault) Error() string { return f.code + ": " + f.message }

func (f *fault) httpStatus() int {
	if f.status != 0 {
		return f.status
	}
	switch f.code {
	case "ServerException", "InternalFailure":
		return http.StatusInternalServerError
	case "ServiceUnavailable", "ServiceUnavailableException":
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

func invalid(parameter, constraint string) error {
	return &fault{
		code:    "InvalidParameterException",
		message: fmt.Sprintf("Invalid parameter at '%s' failed to satisfy constraint: '%s'", parameter, constraint),
	}
}

func unserializable(format string, args ...any) error {
	return &fault{code: "SerializationException", message: fmt.Sprintf(format, args...)}
}

func (s *Server) repositoryNotFound(name string) error {
	return &fault{
		code: "RepositoryNotFoundException",
		message: fmt.Sprintf("The repository with name '%s' does not exist in the registry with id '%s'",
			name, s.account),
	}
}

func (s *Server) imageNotFound(id imageID, repo string) error {
	return &fault{
		code: "ImageNotFoundException",
		message: fmt.Sprintf("The image with imageId %s does not exist within the repository with name '%s' "+
			"in the registry with id '%s'", id, repo, s.account),
	}
}

func (s *Server) lifecyclePolicyNotFound(repo string) error {
	return &fault{
		code: "LifecyclePolicyNotFoundException",
		message: fmt.Sprintf("Lifecycle policy does not exist for the repository with name '%s' "+
			"in the registry with id '%s'", repo, s.account),
	}
}

func storageClassUpdateNotSupported(reason string) error {
	return &fault{code: "ImageStorageClassUpdateNotSupportedException", message: reason}
}

// refusal returns the error of a denied, throttled or failed call.
func (s *Server) refusal(code, operation, repo string) error {
	message := "The call is made to fail"
	switch code {
	case "AccessDeniedException":
		message = s.denial(operation, repo)
	case "ThrottlingException":
		message = "Rate exceeded"
	}
	return &fault{code: code, message: message}
}

// denial is the message of IAM. Its action is the operation, except for
// ListImageReferrers.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
func (s *Server) denial(operation, repo string) string {
	action := "ecr:" + operation
	if operation == "ListImageReferrers" {
		action = "ecr:BatchGetImage"
	}
	resource := s.arn("*")
	if repo != "" {
		resource = s.arn(repo)
	}
	return fmt.Sprintf("User: %s is not authorized to perform: %s "+
		"on resource: %s because no identity-based policy allows the %s action", s.sessionARN(), action, resource, action)
}

func (s *Server) arn(repo string) string {
	return fmt.Sprintf("arn:aws:ecr:%s:%s:repository/%s", s.region, s.account, repo)
}
