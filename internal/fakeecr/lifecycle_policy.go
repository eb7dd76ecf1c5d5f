package fakeecr

import (
	"cmp"
	"time"
	"unicode/utf8"
)

type lifecyclePolicyRequest struct {
	repositoryRef
}

type putLifecyclePolicyRequest struct {
	repositoryRef
	LifecyclePolicyText string `json:"lifecyclePolicyText"`
}

type lifecyclePolicyResponse struct {
	RegistryID          string `json:"registryId"`
	RepositoryName      string `json:"repositoryName"`
	LifecyclePolicyText string `json:"lifecyclePolicyText"`
	LastEvaluatedAt     *epoch `json:"lastEvaluatedAt,omitempty"`
}

// neverEvaluated is the time in ECR's answers before the first run of a policy.
var neverEvaluated = epoch(time.Unix(0, 0))

func (s *Server) getLifecyclePolicy(in *lifecyclePolicyRequest) (any, error) {
	r, err := s.attached("GetLifecyclePolicy", in.repositoryRef)
	if err != nil {
		return nil, err
	}
	return lifecyclePolicyResponse{s.account, r.name, r.policy, &neverEvaluated}, nil
}

func (s *Server) deleteLifecyclePolicy(in *lifecyclePolicyRequest) (any, error) {
	r, err := s.attached("DeleteLifecyclePolicy", in.repositoryRef)
	if err != nil {
		return nil, err
	}
	text := r.policy
	r.policy = ""
	return lifecyclePolicyResponse{s.account, r.name, text, &neverEvaluated}, nil
}

// attached returns a repository that has a policy.
func (s *Server) attached(operation string, ref repositoryRef) (*repository, error) {
	if err := ref.check(); err != nil {
		return nil, err
	}
	r, err := s.find(operation, ref)
	if err != nil {
		return nil, err
	}
	if r.policy == "" {
		return nil, s.lifecyclePolicyNotFound(r.name)
	}
	return r, nil
}

// putLifecyclePolicy replaces the policy. It checks the length of the text, then the
// repository, then the text.
func (s *Server) putLifecyclePolicy(in *putLifecyclePolicyRequest) (any, error) {
	length := utf8.RuneCountInString(in.LifecyclePolicyText)
	err := cmp.Or(in.check(), checkLength("lifecyclePolicyText", length, minPolicyText, maxPolicyText))
	if err != nil {
		return nil, err
	}
	r, err := s.find("PutLifecyclePolicy", in.repositoryRef)
	if err != nil {
		return nil, err
	}
	if err := checkPolicyText(in.LifecyclePolicyText); err != nil {
		return nil, err
	}
	r.policy = in.LifecyclePolicyText
	return lifecyclePolicyResponse{RegistryID: s.account, RepositoryName: r.name, LifecyclePolicyText: r.policy}, nil
}
