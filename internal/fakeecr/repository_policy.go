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
