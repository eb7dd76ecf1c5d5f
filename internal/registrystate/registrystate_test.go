package registrystate_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

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
		got := registrystate.Of(t.Context(), test.state).Findings(t.Context(), []string{"app", "team/a"}, []string{"app", "team/a"})
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
	awstest.Empty(t, "findings", registrystate.Of(t.Context(), s).Findings(t.Context(), []string{"app"}, nil))
	awstest.Empty(t, "findings without a reader", registrystate.Of(t.Context(), nil).Findings(t.Context(), []string{"app"}, []string{"app"}))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	awstest.Empty(t, "findings after the end", registrystate.Of(ended, s).Findings(ended, []string{"app"}, []string{"app"}))
}

// gated answers when its channel is closed, and counts its calls.
type gated struct {
	state
	answer chan struct{}
	calls  *atomic.Int64
}

func (g gated) ReplicationRules(ctx context.Context) ([]registrystate.Rule, error) {
	g.calls.Add(1)
	select {
	case <-g.answer:
		return g.rules, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (g gated) Backfills(context.Context) ([]string, error) {
	g.calls.Add(1)
	return g.backfills, nil
}

// The calls go on while the run does, and Findings needs no others.
func TestTheCallsBeginBeforeTheFindings(t *testing.T) {
	t.Parallel()
	all := registrystate.Rule{Destinations: []string{"eu-north-1"}}
	for rule, want := range map[string]int64{"": 2, "other/": 1} {
		synctest.Test(t, func(t *testing.T) {
			all := all
			if rule != "" {
				all.Prefixes = []string{rule}
			}
			g := gated{state{rules: []registrystate.Rule{all}}, make(chan struct{}), new(atomic.Int64)}
			s := registrystate.Of(t.Context(), g)
			for range 3 {
				s.Begin("app")
			}
			synctest.Wait()
			awstest.Equal(t, "calls before an answer", int64(1), g.calls.Load())
			close(g.answer)
			synctest.Wait()
			awstest.Equal(t, "calls before the findings", want, g.calls.Load())
			awstest.Equal(t, "findings", int(want)-1, len(s.Findings(t.Context(), []string{"app"}, []string{"app"})))
			awstest.Equal(t, "calls", want, g.calls.Load())
		})
	}
}

// A run that its time ends waits for the calls, which end with it, and has no findings of them.
func TestTheEndOfTheRunEndsTheCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		g := gated{answer: make(chan struct{}), calls: new(atomic.Int64)}
		s := registrystate.Of(ctx, g)
		s.Begin("app")
		synctest.Wait()
		cancel()
		awstest.Empty(t, "findings", s.Findings(ctx, []string{"app"}, []string{"app"}))
	})
}
