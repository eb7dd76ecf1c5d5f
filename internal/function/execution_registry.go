package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet/lists"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// registry carries out one run for a registry of an execution. Before it removes anything, its
// outcome object says that the run has begun. A request for a run that has begun is an error,
// because nothing says how much that run removed. Whatever else fails is in the object.
func (h *Handler) registry(ctx context.Context, request config.Request, all config.Config, hash string) (fleet.RegistryAnswer, error) {
	u, err := h.newUnit(ctx, request, hash)
	if err != nil {
		return fleet.RegistryAnswer{}, err
	}
	if until, err := u.begin(ctx, all); err != nil || !until.After(h.Now()) {
		return u.end(ctx, err, false)
	} else if err := u.record(ctx); err != nil {
		return fleet.RegistryAnswer{}, err
	} else {
		result, err := u.clean(ctx, all, until)
		u.Round = u.Begun
		if err == nil {
			err = u.add(ctx, result, until)
		}
		return u.end(ctx, err, until.After(h.Now()))
	}
}

// A unit is a registry in an execution.
type unit struct {
	fleet.Outcome
	handler *Handler
	request config.Request
	hash    string
	targets fleet.Targets
	barrier fleet.Barrier
}

// newUnit reads the outcome object of the registry. The error says that the request does not
// suit the execution.
func (h *Handler) newUnit(ctx context.Context, request config.Request, hash string) (*unit, error) {
	u := &unit{handler: h, request: request, hash: hash}
	t, err := fleet.ReadTargets(ctx, h.Fleet.Store, request.Execution)
	u.targets = t
	switch {
	case err != nil:
		return nil, err
	case !slices.Contains(t.Registries, *request.Target):
		return nil, &RequestError{&config.TargetError{Place: *request.Target}}
	case t.Suits(request.Mode) != nil:
		return nil, &RequestError{t.Suits(request.Mode)}
	}
	u.Outcome, err = fleet.ReadOutcome(ctx, h.Fleet.Store, request.Execution, *request.Target)
	if errors.Is(err, fleet.ErrMissing) {
		u.Outcome, err = fleet.Outcome{
			Execution: request.Execution, Place: *request.Target, Start: h.Now().UTC(), Calls: map[string]int{}, Reports: []string{},
		}, nil
	}
	switch {
	case err != nil:
		return nil, err
	case u.Failed != "" || u.Begun != u.Round || u.Round > 0 && u.Continuation == nil:
		return nil, u.repeated()
	case !reflect.DeepEqual(u.Continuation, request.Continuation):
		return nil, &RequestError{fmt.Errorf("the continuation is not that of run %d for %s; start a new execution", u.Round, u.Place)}
	}
	if hash != t.Configuration {
		u.Failed = "the configuration has changed since the execution began; start a new execution"
	}
	return u, nil
}

// begin returns when the lists become too old. It changes the outcome for the next run, unless
// they are too old now. The error says why there is no next run.
func (u *unit) begin(ctx context.Context, all config.Config) (until time.Time, err error) {
	if u.Failed != "" {
		return until, errors.New(u.Failed)
	}
	if u.barrier, err = fleet.ReadBarrier(ctx, u.handler.Fleet.Store, u.Execution, u.request.Cycle); err != nil {
		return until, err
	}
	u.listedHere(all)
	until = u.barrier.Until(listsMaxAge(all))
	next := 1
	if u.Continuation != nil {
		next = u.Continuation.Round
	}
	switch {
	case !until.After(u.handler.Now()):
		return until, nil
	case next > all.Fleet.MaxRounds:
		return until, fmt.Errorf("it needs more than %d runs; raise fleet.maxRounds, or Timeout of the function", all.Fleet.MaxRounds)
	}
	u.Begun, u.RunID = next, u.handler.RunID(ctx)
	return until, nil
}

// listedHere removes from the barrier each account that was not asked in the Region of the
// registry: its workloads there may use images. A disabled Region has no workloads.
func (u *unit) listedHere(all config.Config) {
	u.barrier.Accounts = slices.DeleteFunc(u.barrier.Accounts, func(account string) bool {
		p := config.Place{Account: account, Region: u.Region}
		return !slices.Contains(u.targets.Places, p) && !slices.ContainsFunc(u.targets.Skipped, func(s fleet.Skipped) bool {
			return s.Account == p.Account && s.Region == p.Region
		})
	})
	if t, found := all.OrganizationTarget(); found && !slices.Contains(t.AskedRegions(), u.Region) {
		u.barrier.Organization = ""
	}
}

// record makes sure that no other request carries out the run, and writes that it has begun.
func (u *unit) record(ctx context.Context) error {
	err := fleet.CreateRun(ctx, u.handler.Fleet.Store, u.Outcome)
	switch {
	case errors.Is(err, fleet.ErrExists):
		return u.repeated()
	case err != nil:
		return err
	}
	return u.write(ctx)
}

func (u *unit) repeated() error {
	return &RequestError{fmt.Errorf("run %d for %s has begun already, and is not repeated; start a new execution", u.Begun, u.Place)}
}

func (u *unit) write(ctx context.Context) error {
	return fleet.WriteOutcome(ctx, u.handler.Fleet.Store, u.Outcome)
}

// clean carries out the run.
func (u *unit) clean(ctx context.Context, all config.Config, until time.Time) (result *report.Report, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("the program is faulty: %v; please report it", cause)
		}
	}()
	target, access, err := all.ForTarget(u.Place)
	if err != nil {
		return nil, err
	}
	j := job{hash: u.hash, account: u.Account, from: u.Continuation, until: until}
	if j.from == nil {
		j.from = &config.Continuation{}
	}
	if j.run, err = u.handler.narrow(target.WithFleetLists(), u.request); err != nil {
		return nil, err
	}
	if j.registry, err = u.handler.targetAs(ctx, u.Place, j.run.Mode, access); err != nil {
		return nil, err
	}
	j.registry.RunID = u.RunID
	others := j.registry.Sources
	j.registry.Sources = func(c config.Config, session string) []inuse.Source {
		all := others(c, session)
		if c.InUse().FleetLists {
			all = append(all, u.source(listsMaxAge(c)))
		}
		return all
	}
	return u.handler.clean(ctx, j)
}

func (u *unit) source(maxAge time.Duration) inuse.Source {
	return lists.Source{
		Store: u.handler.Fleet.Store, Execution: u.Execution, Cycle: u.request.Cycle, Registry: u.Place,
		Barrier: u.barrier, Now: u.handler.Now(), MaxAge: maxAge,
	}
}

// add adds the report of a run to the outcome, and writes the report. The run stopped at until.
func (u *unit) add(ctx context.Context, r *report.Report, until time.Time) error {
	progressed := r.Progressed(u.Continuation)
	u.Totals.AddRound(r.Totals)
	if u.Undone == nil {
		u.Undone = map[string]int{}
	}
	for cause, n := range undone(r) {
		u.Undone[cause] += n
	}
	for operation, n := range r.Calls {
		u.Calls[operation] += n
	}
	u.Continuation, u.End = r.Continuation, r.End.UTC()
	text, err := json.Marshal(u.handler.answer(ctx, r))
	name := fleet.ReportName(u.Execution, u.Place, u.Round)
	if err == nil {
		err = u.handler.Fleet.Store.Put(ctx, name, text)
	}
	switch {
	case err != nil:
		return fmt.Errorf("the report of run %d was not written: %w", u.Round, err)
	case !progressed && until.After(u.handler.Now()): // otherwise the age of the lists stopped it
		return fmt.Errorf("run %d reached no further repository and removed no image; raise Timeout of the function, or clean its largest repository with ecrclean", u.Round)
	}
	u.Reports = append(u.Reports, u.handler.Fleet.Store.Location(name))
	return nil
}

// undone returns Undone of the report without the repositories that a next run handles. A
// failed place whose account uses nothing here is not counted: the judge names the place. A
// repository that was skipped because of the place is counted.
func undone(r *report.Report) map[string]int {
	all := r.Undone()
	delete(all, report.NotReachedCause)
	for _, f := range r.Findings {
		if f.Kind == finding.ScanFailed && strings.HasPrefix(f.Message, "in-use scan: "+config.FleetSource+": ") {
			all[finding.ScanFailed.Failure()]--
		}
	}
	for i := range r.Repositories {
		if r.Mode == config.Apply && r.Repositories[i].Skipped == plan.SkipLimit {
			all[string(plan.SkipLimit)]++
		}
	}
	maps.DeleteFunc(all, func(_ string, n int) bool { return n == 0 })
	return all
}

// end writes the outcome, and returns the answer. The error ends the registry as failed. Fresh
// is true if the lists are not too old for another run.
func (u *unit) end(ctx context.Context, failed error, fresh bool) (fleet.RegistryAnswer, error) {
	if failed != nil {
		u.Failed = fleet.Shorten(failed.Error(), fleet.MaxMessage)
	}
	answer := fleet.RegistryAnswer{Place: u.Place, Round: u.Round, Failed: u.Failed}
	if u.Failed == "" && (u.Continuation != nil || u.Round == 0) {
		answer.Again, answer.ListsTooOld, answer.Continuation = fresh, !fresh, u.Continuation
	}
	return answer, u.write(ctx)
}
