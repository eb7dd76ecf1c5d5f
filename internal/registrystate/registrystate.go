// Package registrystate has findings about a registry for people who delete images there:
// about replicas, replication backfills, and policies that ECR has never evaluated. They
// protect nothing, so a call that fails is no failure of the run.
package registrystate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// A Reader reads the settings of one registry.
type Reader interface {
	// ReplicationRules returns the rules of the registry's replication configuration.
	ReplicationRules(ctx context.Context) ([]Rule, error)
	// Backfills returns the destinations of the replication backfills in progress.
	Backfills(ctx context.Context) ([]string, error)
	// NeverEvaluated returns, sorted, the repositories whose attached policy was read, and
	// that ECR had never evaluated then: its lastEvaluatedAt was the time 0. It makes no call.
	// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetLifecyclePolicy.html
	NeverEvaluated() []string
}

// A Rule is a rule of a replication configuration.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ReplicationRule.html
type Rule struct {
	Prefixes     []string // of the names of repositories; empty for all repositories
	Destinations []string // as REGION in the same account, or ACCOUNT/REGION
	// Deletes is true if ECR also deletes the replicas of an image that is deleted here.
	Deletes bool
}

func (r Rule) matches(repository string) bool {
	return len(r.Prefixes) == 0 ||
		slices.ContainsFunc(r.Prefixes, func(prefix string) bool { return strings.HasPrefix(repository, prefix) })
}

// maxWait limits the time of each call.
const maxWait = 10 * time.Second

// Settings are read while a run goes on, so that its end waits for no call. Each is read at
// most once, and only after Begin or by Findings.
type Settings struct {
	reader    Reader
	rules     func() ([]Rule, error)
	backfills func() ([]string, error)
	begun     sync.WaitGroup
}

// Of returns the settings of the reader's registry. The context is that of all calls. A nil
// Reader has no findings.
func Of(ctx context.Context, reader Reader) *Settings {
	s := &Settings{reader: reader}
	if reader != nil {
		s.rules, s.backfills = once(ctx, reader.ReplicationRules), once(ctx, reader.Backfills)
	}
	return s
}

// once returns a function that reads at most once, and whose other callers wait for that.
func once[T any](ctx context.Context, read func(context.Context) (T, error)) func() (T, error) {
	var (
		begun  atomic.Bool
		result T
		err    error
	)
	ended := make(chan struct{})
	return func() (T, error) {
		if begun.CompareAndSwap(false, true) {
			defer close(ended)
			limited, cancel := context.WithTimeout(ctx, maxWait)
			defer cancel()
			result, err = read(limited)
			return result, err
		}
		<-ended
		return result, err
	}
}

// Begin begins the calls that Findings needs if it gets this repository in removedFrom. It
// does not wait, and is safe for concurrent use. Findings must follow.
func (s *Settings) Begin(repository string) {
	if s.reader == nil {
		return
	}
	s.begun.Go(func() {
		rules, err := s.rules()
		replicates := func(rule Rule) bool { return len(rule.Destinations) > 0 && rule.matches(repository) }
		if err == nil && slices.ContainsFunc(rules, replicates) {
			_, _ = s.backfills() // Findings reports the error
		}
	})
}

// Findings returns the findings about the repositories, and about replicas of those among
// them in which images are removed. If there are none of these, it makes no call. It waits
// for the calls that Begin began.
func (s *Settings) Findings(ctx context.Context, repositories, removedFrom []string) []finding.Finding {
	s.begun.Wait()
	if s.reader == nil {
		return nil
	}
	findings := neverEvaluated(s.reader.NeverEvaluated(), repositories)
	if len(removedFrom) > 0 && ctx.Err() == nil {
		findings = append(findings, s.replication(removedFrom)...)
	}
	return findings
}

func (s *Settings) replication(repositories []string) []finding.Finding {
	rules, err := s.rules()
	if err != nil {
		return unknown("whether ECR replicates these repositories", err)
	}
	findings := slices.Concat(
		replicated(rules, repositories, false).finding(finding.Replicated,
			"; what is deleted here stays there; run the cleaner there, too"),
		replicated(rules, repositories, true).finding(finding.DeletionsReplicated,
			", and deletes there what is deleted here, also images in use there; turn off deleteReplication in the replication rule, "+
				"or list the images in use there in protect.references, without a host"))
	if len(findings) == 0 {
		return nil
	}
	running, err := s.backfills()
	switch {
	case err != nil:
		return append(findings, unknown("whether a replication backfill runs", err)...)
	case len(running) > 0:
		findings = append(findings, finding.Finding{Kind: finding.ReplicationBackfill, Message: fmt.Sprintf(
			"a replication backfill to %s runs, and images that are deleted here may come back there; wait until "+
				"aws ecr list-replication-backfills shows its end, then run the cleaner there", words.And(running))})
	}
	return findings
}

// replicas are repositories, and the destinations of some or all of them.
type replicas struct{ repositories, destinations []string }

// replicated returns the repositories of the rules that replicate deletions, or of the others.
func replicated(rules []Rule, repositories []string, deletes bool) (r replicas) {
	for _, rule := range rules {
		matched := slices.DeleteFunc(slices.Clone(repositories), func(name string) bool { return !rule.matches(name) })
		if rule.Deletes == deletes && len(matched) > 0 {
			r.repositories = append(r.repositories, matched...)
			r.destinations = append(r.destinations, rule.Destinations...)
		}
	}
	return replicas{sorted(r.repositories), sorted(r.destinations)}
}

func (r replicas) finding(kind finding.Kind, consequence string) []finding.Finding {
	if len(r.destinations) == 0 {
		return nil
	}
	return []finding.Finding{{Kind: kind, Message: fmt.Sprintf("ECR replicates %s (%s) to %s%s",
		words.Count(len(r.repositories), "repository", "repositories"), strings.Join(words.Few(r.repositories), ", "),
		words.And(r.destinations), consequence)}}
}

func sorted(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// unknown returns a finding unless the endpoint does not offer the operation, as emulators
// and some Regions do not.
func unknown(what string, err error) []finding.Finding {
	if query.NotKnown(err) || awsclient.IsErrorPage(err) {
		return nil
	}
	advice := "run again"
	if action, denied := query.Denied(err); denied {
		advice = "allow " + action
	}
	return []finding.Finding{{Kind: finding.ReplicationUnknown, Message: fmt.Sprintf("it is not known %s: %v; %s", what, err, advice)}}
}

func neverEvaluated(names, repositories []string) []finding.Finding {
	names = slices.DeleteFunc(names, func(name string) bool { return !slices.Contains(repositories, name) })
	if len(names) == 0 {
		return nil
	}
	return []finding.Finding{{Kind: finding.PolicyNeverEvaluated, Message: fmt.Sprintf(
		"ECR has never evaluated the policy attached to %s: %s; ECR does so within a day of attaching it; "+
			"if it is older, ECR itself removes nothing there, so let the cleaner apply it (\"policy\": \"attached\")",
		words.Count(len(names), "repository", "repositories"), strings.Join(words.Few(names), ", "))}}
}
