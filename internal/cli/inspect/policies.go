// Package inspect has the commands that only read. explain and policies explain decisions,
// references lists images in use, and audit reads the log of past runs.
package inspect

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/awserror"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/render"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/terminal"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
)

// Policies returns the command policies.
func Policies(f *session.Flags) *cobra.Command {
	c := &cobra.Command{
		Use:   "policies",
		Short: "Say which repository gets which policy, and why",
		Long: `Say which repository gets which policy and why, and which get none.

policies lists the repositories and their attached policies, which ECR applies itself. It
reads tags of repositories only if the configuration needs them, and no images.`,
		Args: f.NoArgs,
		RunE: f.InSession(config.Plan, func(ctx context.Context, s *session.Session, _ []string) error {
			assignments, whole, err := s.Assign(ctx)
			if err != nil {
				return session.Error(err)
			}
			if !whole {
				f.Notef("other repositories are not known, because the role may not list the registry; " +
					"allow it ecr:DescribeRepositories on all repositories to see them")
			}
			s.ReadAttached(ctx, assignments)
			return printAssignments(f, assignments, s.Findings(ctx, assignments))
		}),
	}
	f.AddRegistry(c)
	f.AddPolicy(c)
	f.AddRepositories(c)
	return c
}

type assigned struct {
	Repository string `json:"repository"`
	// Policy, Source and Why are empty if no entry of the configuration selects it.
	Policy   string              `json:"policy"`
	Source   config.PolicySource `json:"source"`
	Why      string              `json:"why"`
	Rules    int                 `json:"rules"`
	Attached *bool               `json:"attached,omitempty"` // whether a policy is attached; nil if unknown
	Skipped  plan.SkipCode       `json:"skipped,omitempty"`
	Message  string              `json:"message,omitempty"`
}

func newAssigned(a cleaner.Assignment) assigned {
	out := assigned{Repository: a.Repository, Rules: len(a.Policy.Rules)}
	if a.Skip != nil {
		out.Skipped, out.Message = a.Skip.Code, a.Skip.Message
	}
	if a.AttachedErr == nil && out.Skipped != plan.SkipGone {
		out.Attached = new(a.Attached)
	}
	if a.Entry != nil {
		out.Policy, out.Source, out.Why = a.Entry.Name, a.Entry.Source, a.Entry.Why(a.Repository)
	}
	return out
}

func printAssignments(f *session.Flags, assignments []cleaner.Assignment, findings []finding.Finding) error {
	rows, failed := make([]assigned, len(assignments)), []string{}
	var unknown error
	for i, a := range assignments {
		rows[i], unknown = newAssigned(a), cmp.Or(unknown, a.AttachedErr)
		if a.Failed() {
			failed = append(failed, a.Repository)
		}
	}
	if unknown != nil {
		f.Notef("it is not known whether ECR applies attached policies, too: %s", awserror.Clean(unknown.Error()))
	}
	err := f.Print("policies", text.JSON(struct {
		Repositories []assigned        `json:"repositories"`
		Findings     []finding.Finding `json:"findings,omitempty"`
	}{rows, findings}), func(on terminal.Terminal) string { return assignmentTable(rows, on) + notes(findings) })
	if err == nil && len(failed) > 0 {
		return exit.Incompletef("%s", render.IncompleteIn(failed))
	}
	return err
}

func notes(findings []finding.Finding) string {
	var lines strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&lines, "note: %s\n", awserror.Clean(f.Message))
	}
	return lines.String()
}

func assignmentTable(rows []assigned, on terminal.Terminal) string {
	t := text.NewTable(text.Column{Name: "REPOSITORY", Middle: true, Readable: 20}, text.Column{Name: "POLICY"}, text.Column{Name: "RULES", Number: true, Cut: 1}, text.Column{Name: "WHY"})
	skipped, attached := 0, 0
	for _, row := range rows {
		policy, rules, why := cmp.Or(row.Policy, "-"), fmt.Sprint(row.Rules), row.Why
		switch {
		case row.Skipped == plan.SkipNoPolicy:
			skipped++
			policy, rules = "none attached", "-"
		case row.Skipped != "":
			skipped++
			rules, why = "-", strings.TrimSuffix("skipped: "+awserror.Clean(row.Message)+"; "+why, "; ")
		case row.Source == config.Attached:
			why += "; its attached policy"
		}
		if row.Attached != nil && *row.Attached {
			attached++
			if row.Source != config.Attached {
				why += "; ECR applies its attached policy, too"
			}
		}
		t.Row(row.Repository, policy, rules, why)
	}
	table := t.Fit(on, "-o json")
	if table != "" {
		table += "\n"
	}
	table += fmt.Sprintf("%s: %d with a policy, %d skipped\n", text.Count(len(rows), "repository"), len(rows)-skipped, skipped)
	if note := render.AttachedPolicies(attached, ""); note != "" {
		table += note + "\n"
	}
	return table
}
