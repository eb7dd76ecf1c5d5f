package removal

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// adviseWithoutPolicy says what to do next if no repository of the report has a policy.
func adviseWithoutPolicy(ctx context.Context, s *session.Session, r *report.Report) {
	skipped := map[plan.SkipCode]int{}
	for i := range r.Repositories {
		skipped[r.Repositories[i].Skipped]++
	}
	all, n := len(r.Repositories), text.Count(len(r.Repositories), "repository")
	switch {
	case s.Saved != nil:
	case all == 0 && r.Account == "":
		s.Notef("%s", s.Empty(ctx))
	case all == 0:
		s.Notef("the configuration excludes all repositories; to see it, run: %s", s.Line(session.Only("config", "profile", "region"), "policies"))
	case all == skipped[plan.SkipNotConfigured]:
		s.Notef("no entry of the configuration selects a repository (%s); to see why, run: %s", n,
			s.Line(session.Only("config", "profile", "region"), "policies"))
	case all == skipped[plan.SkipNotConfigured]+skipped[plan.SkipNoPolicy]:
		same := session.Only("profile", "region", "repositories", "exclude")
		s.Notef("no repository has a policy (%s), so nothing was evaluated. Next:", n)
		fmt.Fprintf(s.Stderr, "  %s\n      writes a first configuration, and shows what it would delete\n", s.Line(same, "init"))
		fmt.Fprintf(s.Stderr, "  %s\n      shows what the lifecycle policy in FILE would delete\n", s.Line(same, "plan", "--policy", "FILE"))
	}
}

// lineForSaved returns a command line for a saved plan of another configuration or policy. It
// applies the plan if the plan shows how it was made. Otherwise it makes a new plan.
func lineForSaved(f *session.Flags, name string, saved *report.Report) string {
	var policies []string
	for i := range saved.Repositories {
		if policy := saved.Repositories[i].Policy; policy != "" {
			policies = append(policies, policy)
		}
	}
	slices.Sort(policies)
	policies = append(slices.Compact(policies), "")
	policy, one := policies[0], len(policies) == 2
	_, missing := os.Stat(policy)
	switch isFile := missing == nil || filepath.Ext(policy) == ".json"; {
	case one && isFile && policy != filepath.Base(f.Policy):
		return f.Line(session.Except("policy"), "apply", name, "--policy", policy)
	case f.Policy != "" && (!one || policy != filepath.Base(f.Policy)):
		return f.Line(session.Except("policy"), "apply", name)
	case one && policy == "attached" && f.Configuration != "":
		return f.Line(session.Except("config"), "apply", name)
	}
	return f.Line(session.Except("yes", "log", "max-plan-age"), "plan", "--out", name)
}
