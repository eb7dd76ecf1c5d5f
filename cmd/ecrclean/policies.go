package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
)

func policiesCommand(w world) *cobra.Command {
	s := setup{world: w}
	c := &cobra.Command{
		Use:   "policies",
		Short: "Say which repository gets which policy and why, and which get none",
		Long: `Say which repository gets which policy and why, and which get none. No image is
read: only the list of repositories, their tags if the configuration asks for
some, and the attached policies where these decide.`,
		Args: exactArgs(0, "no arguments; name repositories with --repositories"),
		RunE: func(c *cobra.Command, _ []string) error {
			session, err := s.open(c, config.Plan, limits{})
			if err != nil {
				return err
			}
			assignments, err := session.Assign(c.Context())
			if err != nil {
				return runError(err)
			}
			return s.printAssignments(assignments)
		},
	}
	s.flags(c)
	s.repositoriesFlag(c)
	return c
}

// assigned is the JSON form of an assignment.
type assigned struct {
	Repository string `json:"repository"`
	// Policy is the name of the entry that decides, Source where its policy
	// comes from, Why what selects the repository. They are empty when no
	// entry does.
	Policy string              `json:"policy"`
	Source config.PolicySource `json:"source"`
	Why    string              `json:"why"`
	// Rules is the number of rules that are evaluated.
	Rules int `json:"rules"`
	// Attached says, where that decides, whether a policy is attached.
	Attached *bool            `json:"attached,omitempty"`
	Skipped  cleaner.SkipCode `json:"skipped,omitempty"`
	Message  string           `json:"message,omitempty"`
}

func newAssigned(a cleaner.Assignment) assigned {
	out := assigned{Repository: a.Repository, Rules: len(a.Policy.Rules)}
	if a.Skip != nil {
		out.Skipped, out.Message = a.Skip.Code, a.Skip.Message
	}
	if a.Entry == nil {
		return out
	}
	out.Policy, out.Source, out.Why = a.Entry.Name, a.Entry.Source, a.Entry.Why(a.Repository)
	switch {
	case out.Source != config.Attached, out.Skipped == cleaner.SkipFailed, out.Skipped == cleaner.SkipGone:
	default:
		out.Attached = new(out.Skipped != cleaner.SkipNoPolicy)
	}
	return out
}

func (s *setup) printAssignments(assignments []cleaner.Assignment) error {
	rows, failed := make([]assigned, len(assignments)), false
	for i, a := range assignments {
		rows[i] = newAssigned(a)
		failed = failed || a.Failed()
	}
	var err error
	if s.output == "json" {
		err = printJSON(s.stdout, map[string]any{"repositories": rows})
	} else {
		err = printAssigned(s.stdout, rows)
	}
	switch {
	case err != nil:
		return failure(fmt.Errorf("write the policies: %w", err))
	case failed:
		return errUnhandled
	}
	return nil
}

// printAssigned writes one line per repository and their number.
func printAssigned(w io.Writer, rows []assigned) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	with := 0
	for i, row := range rows {
		if i == 0 {
			fmt.Fprintln(t, "REPOSITORY\tPOLICY\tRULES\tWHY")
		}
		policy, rules, why := row.Policy, "-", row.Why
		if policy == "" {
			policy = "-"
		}
		if row.Skipped == "" {
			rules = fmt.Sprint(row.Rules)
			with++
			if row.Source == config.Attached {
				why += "; its attached policy"
			}
		} else {
			why = strings.TrimPrefix(why+"; left alone: "+row.Message, "; ")
		}
		fmt.Fprintln(t, strings.Join([]string{printable(row.Repository), printable(policy), rules, printable(why)}, "\t"))
	}
	if len(rows) > 0 {
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d repositories: %d with a policy, %d left alone\n", len(rows), with, len(rows)-with)
	return err
}
