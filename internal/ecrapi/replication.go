package ecrapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ecr-cleaner/ecr-cleaner/internal/registrystate"
)

var _ registrystate.Reader = Client{}

// ReplicationRules implements [registrystate.Reader]. The SDK's module does not know
// deleteReplication yet, so the answer's text is read.
func (c Client) ReplicationRules(ctx context.Context) ([]registrystate.Rule, error) {
	var text answerText
	_, err := c.api.DescribeRegistry(ctx, &ecr.DescribeRegistryInput{}, c.errorPageOnce, text.keep)
	if err != nil {
		return nil, fmt.Errorf("describe registry: %w", err)
	}
	var answer registryAnswer
	err = json.Unmarshal(text, &answer)
	if err == nil {
		err = present("replicationConfiguration.rules", answer.ReplicationConfiguration.Rules != nil)
	}
	if err != nil {
		return nil, fmt.Errorf("describe registry: %w", err)
	}
	rules := make([]registrystate.Rule, len(answer.ReplicationConfiguration.Rules))
	for i, rule := range answer.ReplicationConfiguration.Rules {
		rules[i] = rule.convert(answer.RegistryID)
	}
	return rules, nil
}

// A registryAnswer is the part of an answer of DescribeRegistry that is read.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeRegistry.html
type registryAnswer struct {
	RegistryID               string `json:"registryId"`
	ReplicationConfiguration struct {
		Rules []replicationRule `json:"rules"`
	} `json:"replicationConfiguration"`
}

type replicationRule struct {
	Destinations      []types.ReplicationDestination `json:"destinations"`
	RepositoryFilters []types.RepositoryFilter       `json:"repositoryFilters"`
	DeleteReplication struct {
		Enabled bool `json:"enabled"`
	} `json:"deleteReplication"`
}

// convert takes a filter of an unknown type for one that matches every repository.
func (r replicationRule) convert(account string) registrystate.Rule {
	rule := registrystate.Rule{Deletes: r.DeleteReplication.Enabled}
	for _, filter := range r.RepositoryFilters {
		prefix := ""
		if filter.FilterType == types.RepositoryFilterTypePrefixMatch {
			prefix = aws.ToString(filter.Filter)
		}
		rule.Prefixes = append(rule.Prefixes, prefix)
	}
	for _, d := range r.Destinations {
		rule.Destinations = append(rule.Destinations, destination(&d, account))
	}
	return rule
}

func destination(d *types.ReplicationDestination, account string) string {
	if id := aws.ToString(d.RegistryId); id != account {
		return id + "/" + aws.ToString(d.Region)
	}
	return aws.ToString(d.Region)
}

// Backfills implements [registrystate.Reader]. A backfill has ended if its status says so.
func (c Client) Backfills(ctx context.Context) ([]string, error) {
	var running []string
	ended := []types.ReplicationBackfillStatus{
		types.ReplicationBackfillStatusComplete, types.ReplicationBackfillStatusFailed, types.ReplicationBackfillStatusStopped,
	}
	key := func(b *types.ReplicationBackfillSummary) string { return aws.ToString(b.ReplicationBackfillId) }
	account := ""
	for page, err := range unique("list replication backfills", key, nil,
		func(token *string) (page[types.ReplicationBackfillSummary], error) {
			out, err := c.api.ListReplicationBackfills(ctx,
				&ecr.ListReplicationBackfillsInput{MaxResults: aws.Int32(50), NextToken: token}, c.errorPageOnce)
			if err != nil {
				return page[types.ReplicationBackfillSummary]{}, err
			}
			account = aws.ToString(out.RegistryId)
			return page[types.ReplicationBackfillSummary]{out.Backfills, aws.ToString(out.NextToken)},
				present("backfills", out.Backfills != nil)
		}) {
		if err != nil {
			return nil, err
		}
		for _, b := range page {
			if !slices.Contains(ended, b.Status) && b.Destination != nil {
				running = append(running, destination(b.Destination, account))
			}
		}
	}
	slices.Sort(running)
	return running, nil
}

// NeverEvaluated implements [registrystate.Reader].
func (c Client) NeverEvaluated() []string { return c.unevaluated.sorted() }

// An answerText is the text of the answer to a call.
type answerText []byte

// keep is an option of the call.
func (t *answerText) keep(o *ecr.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("KeepAnswer", t.read), middleware.After)
	})
}

func (t *answerText) read(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleDeserialize(ctx, in)
	response, ok := out.RawResponse.(*smithyhttp.Response)
	if err != nil || !ok {
		return out, metadata, err
	}
	*t, err = io.ReadAll(io.LimitReader(response.Body, maxPage))
	_ = response.Body.Close() // it was only read
	response.Body = io.NopCloser(bytes.NewReader(*t))
	return out, metadata, err
}
