package fakeecr

import (
	"iter"
	"slices"
)

type listPullTimeUpdateExclusionsRequest struct{ paging }

type listPullTimeUpdateExclusionsResponse struct {
	PullTimeUpdateExclusions []string `json:"pullTimeUpdateExclusions"`
	NextToken                *string  `json:"nextToken,omitempty"`
}

func (*listPullTimeUpdateExclusionsRequest) target() string { return "" }

// listPullTimeUpdateExclusions lists the caller's role if it is excluded. There are no
// other principals.
func (s *Server) listPullTimeUpdateExclusions(in *listPullTimeUpdateExclusionsRequest) (any, error) {
	if err := in.check(maxPage); err != nil {
		return nil, err
	}
	l := listing[string]{
		scope: "ListPullTimeUpdateExclusions",
		size:  in.size(defaultPage),
		key:   func(arn string) string { return arn },
	}
	var excluded []string
	if s.pullExcluded {
		excluded = []string{s.roleARN()}
	}
	page, next, err := l.page(s, &in.paging, func(string) iter.Seq[string] { return slices.Values(excluded) })
	return listPullTimeUpdateExclusionsResponse{page, next}, err
}
