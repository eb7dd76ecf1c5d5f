package fakeecr

import "fmt"

type repositoryPolicyResponse struct {
	RegistryID     string `json:"registryId"`
	RepositoryName string `json:"repositoryName"`
	PolicyText     string `json:"policyText"`
}

// SetRepositoryPolicy sets the resource policy of a repository without validation; ""
// removes it. It panics if the repository does not exist.
func (s *Server) SetRepositoryPolicy(repo, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mustRepository(repo).resourcePolicy = text
}

func (s *Server) getRepositoryPolicy(r *repository, _ *repositoryRef) (any, error) {
	if r.resourcePolicy == "" {
		return nil, &fault{
			code: "RepositoryPolicyNotFoundException",
			message: fmt.Sprintf("Repository policy does not exist for the repository with name '%s' "+
				"in the registry with id '%s'", r.name, s.account),
		}
	}
	return repositoryPolicyResponse{s.account, r.name, r.resourcePolicy}, nil
}

type getRegistryPolicyRequest struct{}

func (*getRegistryPolicyRequest) target() string { return "" }

type registryPolicyResponse struct {
	RegistryID string `json:"registryId"`
	PolicyText string `json:"policyText"`
}

// SetRegistryPolicy sets the policy of the registry without validation; "" removes it.
func (s *Server) SetRegistryPolicy(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.registryPolicy = text
}

func (s *Server) getRegistryPolicy(*getRegistryPolicyRequest) (any, error) {
	if s.registryPolicy == "" {
		return nil, &fault{
			code:    "RegistryPolicyNotFoundException",
			message: fmt.Sprintf("Registry policy does not exist in the registry with id '%s'", s.account),
		}
	}
	return registryPolicyResponse{s.account, s.registryPolicy}, nil
}
