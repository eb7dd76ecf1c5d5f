package cleaner

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
	"github.com/ecr-cleaner/ecr-cleaner/internal/usage"
)

// A Runner plans a whole registry and, when it has a Remover, applies each
// plan. The fields are its world; none but those said to be optional may be
// nil.
type Runner struct {
	Registry plan.Registry
	// Remover removes images; nil only plans.
	Remover apply.Remover
	Config  config.Config
	// ConfigurationHash identifies the configuration before a request narrowed
	// it; a saved plan is bound to it.
	ConfigurationHash string
	// Region is the region of the registry.
	Region string
	// Now is the instant at which policies are evaluated. If it is zero, Begin sets it
	// from the Clock and the ServiceTime.
	Now time.Time
	// ServiceTime returns the time of ECR at the moment when the Clock showed that time:
	// Now is compared with ECR's times of images. Optional.
	ServiceTime func(clock time.Time) time.Time
	// CheckClock compares the Clock with the answers so far. It returns an error when
	// they disagree, or when no answer of a run that may remove images had a time. It is
	// called before any evaluation and before each removing call, and must be safe for
	// concurrent use. Optional.
	CheckClock func() error
	RunID      string
	Log        *slog.Logger
	// OwnPulls finds out whether ECR records the pulls of the role that makes the calls.
	// It is called at most once, after a manifest was read. Nil means that ECR records
	// them.
	OwnPulls func(context.Context) plan.OwnPulls
	// Scan makes an in-use scan; nil if no source is configured. Clock tells its age,
	// and may be nil only when Scan is nil and Now is set.
	Scan  func(context.Context) inuse.Scan
	Clock func() time.Time
	// Workers is the number of repositories that are planned at a time, and of
	// those that are applied, at least 1.
	Workers int
	// Rotate has the repositories handled in an order that the day decides, so
	// that none is always the one for which the time runs out: where the time
	// suffices for k of n repositories, each has its turn within about 2n/k days.
	Rotate bool
	// MaxDetails bounds the images that the report holds, by about the length of
	// their JSON text in bytes; 0 does not. It is granted in the order of the
	// listing, and Omitted says what is missing.
	MaxDetails int
	// Pace bounds the removing calls that are under way at a time; nil does not.
	// A call waits for its turn before the re-check, not between that and the
	// removal.
	Pace *pace.Pace
	// Commit returns nil once all lines written to Log are saved. After an error nothing
	// more may be removed. It is called before each removing call, after the log has
	// named the images. Optional.
	Commit func() error
	// Stop is closed when no further repository and no further removing call
	// shall be begun. Optional.
	Stop <-chan struct{}
	// Saved, when set, is the plan to keep to: only what it holds is removed,
	// and nothing when it is older than MaxPlanAge.
	Saved      *report.Report
	MaxPlanAge time.Duration
	// Approve, when set, gets the plan of RunNamed before anything is removed. An error
	// from it ends the run.
	Approve func(*plan.Plan) error

	scanner  *usage.Scanner
	ownPulls *plan.OwnPullsOnce
	// keptByOwnPulls counts the indexes that are kept because the reading of their
	// manifests may count as a pull.
	keptByOwnPulls *atomic.Int64
	// begun is the time of the Clock when Begin fixed Now.
	begun time.Time
}

// Run plans and applies the repositories that the configuration selects, and reports on
// each. They come in the order of the listing, or in that of Rotate. The error says
// that the registry could not be listed, or it is that of Begin, a [*SavedPlanError] or
// a [*config.SelectionError]; then nothing was done. Every other failure is in the
// report.
func (r *Runner) Run(ctx context.Context) (report.Report, error) {
	registry, err := r.list(ctx)
	if err := r.Begin(err); err != nil {
		return report.Report{}, err
	}
	report := r.newReport()
	report.Account = registry.account
	if err := r.checkSaved(registry.account); err != nil {
		return report, err
	}
	if err := cmp.Or(registry.selection.Err(), r.checkRequested()); err != nil {
		return report, err
	}
	r.prepare(registry.account)
	r.scanner.SetRepositories(registry.names, true)
	r.workThrough(ctx, registry.selected, &report)
	for _, name := range r.missingFrom(registry.names) {
		plan := r.gone(name, "deleted since the plan was saved")
		r.applyGuarded(ctx, &plan, nil)
		report.Add(r.reportOn(ctx, &plan, true))
	}
	endScan(&report, r.scanner)
	r.endOwnPulls(ctx, &report)
	return report, nil
}

// prepare sets up the scanner and the question about own pulls, which a run on the
// registry of that account shares.
func (r *Runner) prepare(account string) {
	r.scanner, r.ownPulls, r.keptByOwnPulls = r.newScanner(account), plan.AskOnce(r.OwnPulls), new(atomic.Int64)
}

// Begin checks the clock and fixes Now, unless it is set. Call it after the first calls
// of a run, with their error as failed. If it returns an error, nothing may be
// evaluated: the clock is wrong, which may have caused failed, or it returns failed
// itself.
func (r *Runner) Begin(failed error) error {
	if r.CheckClock != nil {
		if err := r.CheckClock(); err != nil {
			return err
		}
	}
	if failed == nil && r.Now.IsZero() {
		r.begun = r.Clock().UTC().Round(0) // wall time, which passes while the machine is suspended
		if r.Now = r.begun; r.ServiceTime != nil {
			r.Now = r.ServiceTime(r.begun)
		}
	}
	return failed
}

// End returns the present by the Clock, shifted as Now is. It is for a run that began
// without a Now.
func (r *Runner) End() time.Time { return r.Now.Add(max(r.Clock().Sub(r.begun), 0)) }

// newScanner returns a scanner that remembers what the saved plan was made
// with, or nil when there is nothing to scan.
func (r *Runner) newScanner(account string) *usage.Scanner {
	if r.Scan == nil {
		return nil
	}
	s := &usage.Scanner{Scan: r.Scan, Clock: r.Clock, Account: account, Region: r.Region, Lists: r.Config.InUse().References}
	if r.Saved != nil {
		s.Before = r.Saved.InUse
	}
	return s
}

func (r *Runner) newReport() report.Report {
	mode := config.Plan
	if r.Remover != nil {
		mode = config.Apply
	}
	return report.Report{
		Version: report.Version, RunID: r.RunID, Mode: mode, Region: r.Region, Start: r.Now,
		Configuration: r.ConfigurationHash, Repositories: []report.Repository{},
	}
}

// A listing is the list of the registry's repositories at the beginning of a run.
type listing struct {
	account string
	// selected are the repositories of the run, and names are the names of all.
	selected []plan.Repository
	names    map[string]bool
	// selection has seen all repositories.
	selection *config.Selection
}

// list lists the registry. It reads the whole list before anything is removed.
func (r *Runner) list(ctx context.Context) (listing, error) {
	all := listing{names: map[string]bool{}, selection: r.Config.Repositories.Selection()}
	for repository, err := range r.Registry.Repositories(ctx) {
		if err != nil {
			return listing{}, err
		}
		all.account, all.names[repository.Name] = repository.RegistryID, true
		if all.selection.Select(repository.Name) && r.inSavedPlan(repository.Name) {
			all.selected = append(all.selected, repository)
		}
	}
	return all, nil
}

func (r *Runner) stopped() bool {
	select {
	case <-r.Stop: // a nil channel is never ready
		return true
	default:
		return false
	}
}

// apply carries the plan out, unless this run only plans. Again makes the plan
// once more.
func (r *Runner) apply(ctx context.Context, plan *plan.Plan, again replan) {
	if r.Remover != nil {
		r.remove(ctx, plan, again)
	} else {
		r.logPlan(ctx, plan)
	}
}

// reportOn reports on a plan, applied or not.
func (r *Runner) reportOn(ctx context.Context, plan *plan.Plan, detailed bool) report.Repository {
	if r.Remover != nil {
		apply.CheckOutcomes(plan)
	}
	r.keptByOwnPulls.Add(int64(plan.KeptByOwnPulls))
	report := report.Of(plan, detailed)
	r.logRepository(ctx, &report)
	return report
}

func (r *Runner) logRepository(ctx context.Context, report *report.Repository) {
	level := slog.LevelInfo
	if report.NotDone() > 0 || report.Skipped.IsFailure() {
		level = slog.LevelError
	}
	r.logger().LogAttrs(ctx, level, "repository",
		slog.String("repository", report.Name),
		slog.String("policy", report.Policy),
		slog.Int("evaluated", report.Evaluated),
		slog.Int("expired", report.Expired),
		slog.Int("transitioned", report.Transitioned),
		slog.Int("protected", report.Protected),
		slog.Int("deleted", report.Deleted),
		slog.Int("archived", report.Archived),
		slog.Int("blocked", report.Blocked),
		slog.Int("changed", report.Changed),
		slog.Int("gone", report.Gone),
		slog.Int("failed", report.Failed),
		slog.Int("unknown", report.Unknown),
		slog.Int("not_attempted", report.NotAttempted),
		slog.String("skipped", string(report.Skipped)),
		slog.String("message", report.Message))
}

// endScan says what the in-use scan came to.
func endScan(r *report.Report, s *usage.Scanner) {
	failed := s.Failures()
	r.InUse = s.Counts()
	r.Findings = slices.Concat(failed, s.Findings(), r.Findings)
	r.Incomplete = r.Incomplete || len(failed) > 0
}
