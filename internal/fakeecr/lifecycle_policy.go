package fakeecr

import (
	"cmp"
	"time"
	"unicode/utf8"
)

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
var neverEvaluated = time.Unix(0, 0)

// NeverEvaluate makes the attached policy of the repository one that ECR has not evaluated
// yet. It panics if the repository does not exist.
func (s *Server) NeverEvaluate(repo string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mustRepository(repo).evaluatedAt = neverEvaluated
}

func (in *putLifecyclePolicyRequest) check() error {
	length := utf8.RuneCountInString(in.LifecyclePolicyText)
	return cmp.Or(in.repositoryRef.check(), checkLength("lifecyclePolicyText", length, minPolicyText, maxPolicyText))
}

func (s *Server) getLifecyclePolicy(r *repository, _ *repositoryRef) (any, error) {
	if r.policy == "" {
		return nil, s.lifecyclePolicyNotFound(r.name)
	}
	evaluatedAt := epoch(r.evaluatedAt)
	return lifecyclePolicyResponse{s.account, r.name, r.policy, &evaluatedAt}, nil
}

func (s *Server) deleteLifecyclePolicy(r *repository, in *repositoryRef) (any, error) {
	deleted, err := s.getLifecyclePolicy(r, in)
	r.policy = ""
	return deleted, err
}

func (s *Server) putLifecyclePolicy(r *repository, in *putLifecyclePolicyRequest) (any, error) {
	if err := checkPolicyText(in.LifecyclePolicyText); err != nil {
		return nil, err
	}
	r.policy, r.evaluatedAt = in.LifecyclePolicyText, neverEvaluated
	return lifecyclePolicyResponse{RegistryID: s.account, RepositoryName: r.name, LifecyclePolicyText: r.policy}, nil
}
