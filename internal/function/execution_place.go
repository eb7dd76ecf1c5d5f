package function

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet/lists"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
)

// place writes what one place uses. Whatever fails there is in its outcome object.
func (h *Handler) place(ctx context.Context, request config.Request, all config.Config) (fleet.PlaceAnswer, error) {
	t, err := fleet.ReadTargets(ctx, h.Fleet.Store, request.Execution)
	if err != nil {
		return fleet.PlaceAnswer{}, err
	}
	p := *request.Target
	if !slices.Contains(t.Places, p) {
		return fleet.PlaceAnswer{}, &RequestError{&config.TargetError{Place: p}}
	}
	used := fleet.Used{Execution: request.Execution, Cycle: request.Cycle, Place: p, At: h.Now().UTC()}
	uses, err := h.ask(ctx, &used, all)
	if err != nil {
		used.Problem = fleet.Shorten(err.Error(), fleet.MaxMessage)
	}
	return fleet.PlaceAnswer{Place: p, Problem: used.Problem}, lists.Write(ctx, h.Fleet.Store, used, uses)
}

// ask makes an in-use scan of the place alone, and sets its time. With an error, the uses are
// those that were found.
func (h *Handler) ask(ctx context.Context, used *fleet.Used, all config.Config) (uses []inuse.Use, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("the program is faulty: %v; please report it", cause)
		}
	}()
	asked, access, err := all.Asked(used.Place)
	if err != nil {
		return nil, err
	}
	registry, err := h.assume(ctx, Role{Place: used.Place, ARN: access.RoleARN, ExternalID: access.ExternalID, Session: h.RunID(ctx)})
	if err != nil {
		return nil, err
	}
	limited, _, cancel := Limit(ctx, h.Now())
	defer cancel()
	registry.RunID = h.RunID(ctx)
	l, err := registry.List(limited, asked, h.Now)
	if errors.Is(err, ErrNoSource) {
		return nil, nil // the configuration asks for nothing there
	}
	if !l.Scan.At.IsZero() {
		used.At = l.Scan.At.UTC()
	}
	switch {
	case len(l.Scan.Failed) > 0:
		failures := make([]string, len(l.Scan.Failed))
		for i, f := range l.Scan.Failed {
			failures[i] = f.String()
		}
		err = errors.New(strings.Join(failures, "; "))
	case err == nil && l.Account != used.Account:
		err = fmt.Errorf("the role %s is in account %s; correct roleArn in targets or protect.accounts", access.RoleARN, l.Account)
	}
	return l.Scan.Uses, err
}
