package removal

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// noteEmpty says that the registry has no repositories. The first line of the screen then has
// the account, so noteEmpty comes before the screen.
func noteEmpty(ctx context.Context, s *session.Session, r *report.Report) {
	if isEmpty(r) {
		s.Notef("%s", s.Empty(ctx))
	}
}

func isEmpty(r *report.Report) bool { return len(r.Repositories) == 0 && r.Account == "" }

// adviseWithoutPolicy says what to do next if no repository of the report has a policy.
func adviseWithoutPolicy(s *session.Session, r *report.Report) {
	skipped := map[plan.SkipCode]int{}
	for i := range r.Repositories {
		skipped[r.Repositories[i].Skipped]++
	}
	all, n := len(r.Repositories), text.Count(len(r.Repositories), "repository")
	switch {
	case s.Saved != nil || isEmpty(r):
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
	policy, isFile := session.SavedPolicy(saved)
	switch same := policy != "" && filepath.Base(policy) == filepath.Base(f.Policy); {
	case isFile && !same:
		return f.LineToApply(session.Except("policy"), name, saved)
	case f.Policy != "" && !same:
		return f.Line(session.Except("policy"), "apply", name)
	case policy == string(config.Attached) && f.Configuration != "":
		return f.Line(session.Except("config"), "apply", name)
	}
	return f.Line(session.Except("yes", "log", "max-plan-age"), "plan", "--out", name)
}
