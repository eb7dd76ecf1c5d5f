package fakeecr

import (
	"iter"
	"slices"
)

// A ReplicationRule is a rule of the replication configuration.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ReplicationRule.html
type ReplicationRule struct {
	Destinations      []ReplicationDestination `json:"destinations"`
	RepositoryFilters []RepositoryFilter       `json:"repositoryFilters,omitempty"`
	DeleteReplication DeleteReplication        `json:"deleteReplication,omitzero"`
}

// A ReplicationDestination is a registry that gets replicas.
type ReplicationDestination struct {
	Region     string `json:"region"`
	RegistryID string `json:"registryId"`
}

// A RepositoryFilter selects repositories. ECR has the type PREFIX_MATCH only.
type RepositoryFilter struct {
	Filter     string `json:"filter"`
	FilterType string `json:"filterType"`
}

// DeleteReplication says whether ECR replicates deletions.
type DeleteReplication struct {
	Enabled bool `json:"enabled"`
}

// A ReplicationBackfill is a replication of existing images. It lacks startedAt.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ReplicationBackfillSummary.html
type ReplicationBackfill struct {
	ID          string                 `json:"replicationBackfillId"`
	Destination ReplicationDestination `json:"destination"`
	Status      string                 `json:"status"`
}

// SetReplication sets the replication configuration. The server replicates nothing.
func (s *Server) SetReplication(rules ...ReplicationRule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replication = rules
}

// SetBackfills sets the replication backfills, in the order of their IDs.
func (s *Server) SetBackfills(backfills ...ReplicationBackfill) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.backfills = backfills
}

type describeRegistryRequest struct{}

func (*describeRegistryRequest) target() string { return "" }

type replicationConfiguration struct {
	Rules []ReplicationRule `json:"rules"`
}

type describeRegistryResponse struct {
	RegistryID               string                   `json:"registryId"`
	ReplicationConfiguration replicationConfiguration `json:"replicationConfiguration"`
}

func (s *Server) describeRegistry(*describeRegistryRequest) (any, error) {
	rules := append([]ReplicationRule{}, s.replication...) // not null
	return describeRegistryResponse{s.account, replicationConfiguration{rules}}, nil
}

type listReplicationBackfillsRequest struct {
	paging
	RegistryID *string `json:"registryId"`
}

func (*listReplicationBackfillsRequest) target() string { return "" }

type listReplicationBackfillsResponse struct {
	RegistryID string                `json:"registryId"`
	Backfills  []ReplicationBackfill `json:"backfills"`
	NextToken  *string               `json:"nextToken,omitempty"`
}

const (
	defaultBackfillsPage = 25
	maxBackfillsPage     = 50
)

func (s *Server) listReplicationBackfills(in *listReplicationBackfillsRequest) (any, error) {
	if err := in.check(maxBackfillsPage); err != nil {
		return nil, err
	}
	l := listing[ReplicationBackfill]{
		scope: "ListReplicationBackfills",
		size:  in.size(defaultBackfillsPage),
		key:   func(b ReplicationBackfill) string { return b.ID },
	}
	page, next, err := l.page(s, &in.paging, func(after string) iter.Seq[ReplicationBackfill] {
		return slices.Values(slices.DeleteFunc(slices.Clone(s.backfills), func(b ReplicationBackfill) bool { return b.ID <= after }))
	})
	return listReplicationBackfillsResponse{s.account, page, next}, err
}
