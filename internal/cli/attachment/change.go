package attachment

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/ecr-cleaner/ecr-cleaner/internal/attach"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/render"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/ecrapi/policyapi"
	"github.com/ecr-cleaner/ecr-cleaner/internal/wildcard"
)

// A change is a plan to attach or detach policies, carried out or not.
type change struct {
	*session.Session
	plan      *attach.Plan
	command   string // attach, detach or adopt
	detaching bool
	calls     func() map[string]int
}

// adopting is the command adopt, and its action on a repository.
const adopting = "adopt"

func newChange(s *session.Session, command string, plan *attach.Plan) *change {
	return &change{Session: s, plan: plan, command: command, detaching: command == "detach", calls: s.Connection.Calls}
}

func (c *change) where() string {
	return fmt.Sprintf("%s of account %s in %s", text.Count(c.plan.Changes(), "repository"), c.plan.Account, c.Region)
}

// carryOut asks, unless yes is true or there is nothing to change, and makes the changes.
func (c *change) carryOut(ctx context.Context, yes bool, question string) error {
	if !yes && c.plan.Changes() > 0 {
		now := c.Flags.Now
		asked := now().Round(0) // the wall clock also runs while the machine is suspended
		agreed, err := c.Confirm(question, "Nothing was changed.", "give --yes to go on without asking")
		if agreed && now().Sub(asked) > cleaner.MaxScanAge {
			agreed, err = false, exit.Failuref("nothing was changed: the answer came after more than %s, and other images may be in use now; run again", cleaner.MaxScanAge)
		}
		if !agreed {
			return errors.Join(err, c.printJSON(), c.status())
		}
	}
	client, calls := policyapi.Connect(c.Connection.AWS)
	attach.Apply(ctx, &c.Runner, c.plan, client)
	before := c.calls()
	c.calls = func() map[string]int {
		maps.Copy(before, calls.Snapshot())
		return before
	}
	return c.conclude()
}

func (c *change) conclude() error {
	if err := c.print(); err != nil {
		return err
	}
	return c.status()
}

// status returns the error that ends the command, or nil. It names each repository with
// nothing to do that --repositories gives by name, not by a pattern.
func (c *change) status() error {
	var undone []string
	for i := range c.plan.Repositories {
		r, alone := &c.plan.Repositories[i], attach.Plan{Repositories: c.plan.Repositories[i : i+1]}
		named := slices.ContainsFunc(c.Config.Repositories.Requested, func(p wildcard.Pattern) bool { return p.String() == r.Name })
		switch {
		case !alone.Handled():
			undone = append(undone, r.Name)
		case named && r.Change == attach.LeftAlone:
			undone = append(undone, r.Name)
			c.Notef("%s: skipped, although --repositories names it: %s", r.Name, r.Message)
		case named && r.Change == attach.Unchanged && c.command == adopting:
			c.Notef("%s: nothing to adopt: no policy is attached", r.Name)
		}
	}
	if len(undone) == 0 {
		return nil
	}
	return exit.Incompletef("%s", render.IncompleteIn(undone))
}
