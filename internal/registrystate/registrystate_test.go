package registrystate_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/registrystate"
)

// A state is what a registry answers.
type state struct {
	rules              []registrystate.Rule
	backfills          []string
	never              []string
	rulesErr, fillsErr error
}

func (s state) ReplicationRules(context.Context) ([]registrystate.Rule, error) {
	return s.rules, s.rulesErr
}

func (s state) Backfills(context.Context) ([]string, error) { return s.backfills, s.fillsErr }

func (s state) NeverEvaluated() []string { return slices.Clone(s.never) }

func denied(operation string) error {
	return &smithy.OperationError{ServiceID: "ECR", OperationName: operation, Err: &smithy.GenericAPIError{Code: "AccessDeniedException"}}
}

func TestFindings(t *testing.T) {
	t.Parallel()
	all, team := registrystate.Rule{Destinations: []string{"eu-north-1"}}, registrystate.Rule{Prefixes: []string{"team/"}, Destinations: []string{"333333333333/eu-west-1"}}
	deletes := team
	deletes.Deletes = true
	replicated := "ECR replicates 2 repositories (app, team/a) to eu-north-1; what is deleted here stays there; run the cleaner there, too"
	for name, test := range map[string]struct {
		state    state
		kinds    []finding.Kind
		messages []string // the first ones, in whole or in part
	}{
		"nothing":              {state{}, nil, nil},
		"no rule matches":      {state{rules: []registrystate.Rule{{Prefixes: []string{"other/"}, Destinations: []string{"eu-north-1"}}}}, nil, nil},
		"replicas stay":        {state{rules: []registrystate.Rule{all}}, []finding.Kind{finding.Replicated}, []string{replicated}},
		"replicas are deleted": {state{rules: []registrystate.Rule{deletes}}, []finding.Kind{finding.DeletionsReplicated}, []string{"ECR replicates 1 repository (team/a) to 333333333333/eu-west-1, and deletes there"}},
		"both, and a backfill": {
			state{rules: []registrystate.Rule{all, deletes}, backfills: []string{"eu-north-1"}},
			[]finding.Kind{finding.Replicated, finding.DeletionsReplicated, finding.ReplicationBackfill},
			[]string{replicated, "deletes there", "a replication backfill to eu-north-1 runs"},
		},
		"never evaluated":        {state{never: []string{"app", "elsewhere"}}, []finding.Kind{finding.PolicyNeverEvaluated}, []string{"attached to 1 repository: app;"}},
		"rules are denied":       {state{rulesErr: denied("DescribeRegistry")}, []finding.Kind{finding.ReplicationUnknown}, []string{"allow the action ecr:DescribeRegistry"}},
		"backfills are denied":   {state{rules: []registrystate.Rule{all}, fillsErr: denied("ListReplicationBackfills")}, []finding.Kind{finding.Replicated, finding.ReplicationUnknown}, []string{replicated, "allow the action ecr:ListReplicationBackfills"}},
		"rules cannot be read":   {state{rulesErr: errors.New("cut off")}, []finding.Kind{finding.ReplicationUnknown}, []string{"cut off; run again"}},
		"no such operation here": {state{rulesErr: &smithy.GenericAPIError{Code: "UnknownOperationException"}}, nil, nil},
	} {
		var kinds []finding.Kind
		got := registrystate.Findings(t.Context(), test.state, []string{"app", "team/a"}, []string{"app", "team/a"})
		for i, f := range got {
			kinds = append(kinds, f.Kind)
			awstest.Contains(t, f.Message, test.messages[min(i, len(test.messages)-1)])
		}
		awstest.Equal(t, name, test.kinds, kinds)
	}
}

// Replicas matter only to a run that removes something.
func TestNothingIsAskedWithoutARemoval(t *testing.T) {
	t.Parallel()
	s := state{rulesErr: errors.New("asked")}
	awstest.Empty(t, "findings", registrystate.Findings(t.Context(), s, []string{"app"}, nil))
	awstest.Empty(t, "findings without a reader", registrystate.Findings(t.Context(), nil, []string{"app"}, []string{"app"}))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	awstest.Empty(t, "findings after the end", registrystate.Findings(ended, s, []string{"app"}, []string{"app"}))
}
