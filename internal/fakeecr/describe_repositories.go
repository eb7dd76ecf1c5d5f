package fakeecr

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
)

type describeRepositoriesRequest struct {
	RegistryID      string   `json:"registryId"`
	RepositoryNames []string `json:"repositoryNames"`
	paging
}

type describeRepositoriesResponse struct {
	Repositories []repositoryDetail `json:"repositories"`
	NextToken    *string            `json:"nextToken,omitempty"`
}

// A repositoryDetail is ECR's Repository.
type repositoryDetail struct {
	RepositoryArn              string                  `json:"repositoryArn"`
	RegistryID                 string                  `json:"registryId"`
	RepositoryName             string                  `json:"repositoryName"`
	RepositoryURI              string                  `json:"repositoryUri"`
	CreatedAt                  epoch                   `json:"createdAt"`
	ImageTagMutability         string                  `json:"imageTagMutability"`
	ImageScanningConfiguration scanningConfiguration   `json:"imageScanningConfiguration"`
	EncryptionConfiguration    encryptionConfiguration `json:"encryptionConfiguration"`
}

type scanningConfiguration struct {
	ScanOnPush bool `json:"scanOnPush"`
}

type encryptionConfiguration struct {
	EncryptionType string `json:"encryptionType"`
}

// target returns the repository if the request names exactly one.
func (in *describeRepositoriesRequest) target() string {
	if len(in.RepositoryNames) == 1 {
		return in.RepositoryNames[0]
	}
	return ""
}

func (in *describeRepositoriesRequest) check() error {
	if err := cmp.Or(checkRegistryID(in.RegistryID), in.paging.check(maxPage)); err != nil {
		return err
	}
	if in.RepositoryNames == nil {
		return nil
	}
	for _, name := range in.RepositoryNames {
		if err := checkRepositoryName("repositoryNames", name); err != nil {
			return err
		}
	}
	return cmp.Or(checkLength("repositoryNames", len(in.RepositoryNames), 1, maxBatch),
		in.checkAbsent("repositoryNames"))
}

func (s *Server) describeRepositories(in *describeRepositoriesRequest) (any, error) {
	if err := cmp.Or(in.check(), s.checkRegistry("DescribeRepositories", in.RegistryID)); err != nil {
		return nil, err
	}
	if in.RepositoryNames != nil {
		return s.namedRepositories(in.RepositoryNames)
	}
	if code := s.controls.fault("DescribeRepositories", AllRepositories); code != "" {
		return nil, s.refusal(code, "DescribeRepositories", "")
	}
	l := listing[*repository]{
		scope: "DescribeRepositories",
		size:  in.size(defaultPage),
		key:   func(r *repository) string { return r.name },
	}
	page, next, err := l.page(s, &in.paging, func(name string) iter.Seq[*repository] { return slices.Values(s.after(name)) })
	return describeRepositoriesResponse{s.details(page), next}, err
}

func (s *Server) namedRepositories(names []string) (any, error) {
	repositories := make([]*repository, len(names))
	for i, name := range names {
		if repositories[i] = s.repositories[name]; repositories[i] == nil {
			return nil, s.repositoryNotFound(name)
		}
	}
	return describeRepositoriesResponse{s.details(repositories), nil}, nil
}

// after returns the repositories after that name.
func (s *Server) after(name string) []*repository {
	all := s.sorted()
	i, found := slices.BinarySearchFunc(all, name, func(r *repository, name string) int {
		return strings.Compare(r.name, name)
	})
	if found {
		i++
	}
	return all[i:]
}

func (s *Server) details(repositories []*repository) []repositoryDetail {
	details := make([]repositoryDetail, len(repositories))
	for i, r := range repositories {
		details[i] = repositoryDetail{
			RepositoryArn:           s.arn(r.name),
			RegistryID:              s.account,
			RepositoryName:          r.name,
			RepositoryURI:           fmt.Sprintf("%s.dkr.ecr.%s.amazonaws.com/%s", s.account, s.region, r.name),
			CreatedAt:               epoch(r.createdAt),
			ImageTagMutability:      "MUTABLE",
			EncryptionConfiguration: encryptionConfiguration{"AES256"},
		}
	}
	return details
}
