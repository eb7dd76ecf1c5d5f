package fakeecr

import (
	"maps"
	"slices"
	"strings"
)

type listTagsRequest struct {
	ResourceArn string `json:"resourceArn"`
}

type listTagsResponse struct {
	Tags []resourceTag `json:"tags"`
}

type resourceTag struct {
	Key   string `json:"Key"`
	Value string `json:"Value"`
}

func (in *listTagsRequest) target() string {
	_, name, _ := strings.Cut(in.ResourceArn, ":repository/")
	return name
}

// listTagsForResource lists the tags ordered by key.
func (s *Server) listTagsForResource(in *listTagsRequest) (any, error) {
	if err := checkPresent("resourceArn", in.ResourceArn != ""); err != nil {
		return nil, err
	}
	name := in.target()
	if name == "" || in.ResourceArn != s.arn(name) {
		return nil, invalid("resourceArn", "Invalid ARN")
	}
	r, err := s.find("ListTagsForResource", repositoryRef{RepositoryName: name})
	if err != nil {
		return nil, err
	}
	tags := []resourceTag{}
	for _, key := range slices.Sorted(maps.Keys(r.tags)) {
		tags = append(tags, resourceTag{key, r.tags[key]})
	}
	return listTagsResponse{tags}, nil
}
