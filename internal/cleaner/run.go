package cleaner

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/apply"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/pace"
	"github.com/ecr-cleaner/ecr-cleaner/internal/plan"
	"github.com/ecr-cleaner/ecr-cleaner/internal/registrystate"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
	"github.com/ecr-cleaner/ecr-cleaner/internal/resourcepolicy"
	"github.com/ecr-cleaner/ecr-cleaner/internal/usage"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// A Runner plans a registry and, if it has a Remover, applies the plans. All fields must
// be set, except optional ones.
type Runner struct {
	Registry plan.Registry
	// Remover removes images. If it is nil, the run only plans.
	Remover apply.Remover
	Config  config.Config
	// ConfigurationHash identifies the configuration without the request.
	ConfigurationHash string
	Region            string
	RunID             string
	Log               *slog.Logger

	// Clock is the wall clock. It is optional if Scan is nil and Now is set.
	Clock func() time.Time
	// Now is the time at which policies are evaluated. If it is zero, Begin sets it.
	Now time.Time
	// ServiceTime converts a time of Clock to ECR's time. Optional.
	ServiceTime func(clock time.Time) time.Time
	// CheckClock returns an error if Clock disagrees with the time in ECR's responses. It
	// is called before any evaluation and before each removing call. It must be safe for
	// concurrent use. Optional.
	CheckClock func() error

	// Scan makes an in-use scan. It is nil if no in-use source is configured.
	Scan func(context.Context) inuse.Scan
	// OwnPulls finds out whether ECR records the pulls of this role. It is called at most
	// once, after a manifest was read. Nil means that ECR records them.
	OwnPulls func(context.Context) plan.OwnPulls

	// RegistryState reads settings of the registry that the report has findings about.
	// Optional.
	RegistryState registrystate.Reader

	// Workers is the number of repositories that are planned at a time, and that are
	// applied at a time, at least 1.
	Workers int
	// Rotate starts each day with other repositories, in the rotation order.
	Rotate bool
	// Continue says where the run begins in the order of the repositories' positions, and
	// what it may still remove. The zero value is the first run; Rotate then does not count.
	// If the run ends early, its report says how to continue. Nil is a run by itself. Not
	// with Saved.
	Continue *config.Continuation
	// MaxDetails limits the images in the report to about this many bytes of JSON. The
	// report counts the images that do not fit. 0 is no limit.
	MaxDetails int
	// Pace limits the removing calls that are made at a time. A call waits before its
	// re-check. Nil is no limit.
	Pace *pace.Pace
	// Commit returns nil once all lines written to Log are saved. It is called before
	// each removing call. After an error the run removes nothing more. Optional.
	Commit func() error
	// Stop is closed to start no more repositories and no more removing calls. Optional.
	Stop <-chan struct{}

	// Saved is a saved plan, at most MaxPlanAge old. The run removes only images that are
	// in it. Optional.
	Saved      *report.Report
	MaxPlanAge time.Duration
	// Account is the account that the registry must be of. Optional.
	Account string
	// Approve gets the plan of RunNamed before anything is removed. Its error ends the
	// run. Optional.
	Approve func(*plan.Plan) error
	// Progress counts the repositories of the run. Optional.
	Progress *Progress

	// begun is the time of Clock when Begin set Now.
	begun   time.Time
	planner plan.Planner
	course  *course
}

// Run plans and applies the selected repositories, and reports on them in the order of
// the listing. The error is that of the listing or of Begin, a [*report.PlanError], a
// [*selected.Error] or a [*ContinuationError]. After an error nothing was removed. Every
// other failure is in the report.
func (r *Runner) Run(ctx context.Context) (report.Report, error) {
	listed, err := r.list(ctx)
	if err := r.Begin(err); err != nil {
		return report.Report{}, err
	}
	if r.course, err = r.newCourse(); err != nil {
		return report.Report{}, err
	}
	if r.course != nil {
		listed.selected = slices.DeleteFunc(listed.selected, r.course.passed)
	}
	result := r.newReport(listed.account)
	if err := r.checkSaved(listed.account); err != nil {
		return result, err
	}
	if err := cmp.Or(listed.selection.Err(), r.checkRequested()); err != nil {
		return result, err
	}
	known := usage.All
	if !listed.selection.Whole() {
		known = usage.Allowed
	}
	r.PlannerOf(listed.account).Scanner.SetRepositories(listed.names, known)
	settings := registrystate.Of(ctx, r.RegistryState)
	keptByOwnPulls := r.workThrough(ctx, listed.selected, settings, &result)
	for _, name := range r.missingFrom(listed.names) {
		p := r.gone(name, "the repository was deleted after the plan was saved")
		r.applyGuarded(ctx, &p, nil)
		result.Add(r.reportOn(ctx, &p, true))
	}
	r.finish(ctx, &result, settings, keptByOwnPulls)
	return result, nil
}

// Begin checks the clock and sets Now. Call it after the first calls of a run, with their
// error as failed. It returns failed, or the error of the clock, which can be the cause
// of failed. After an error nothing may be evaluated.
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

// End returns the present time, by the clock of Now. It needs a Now that Begin has set.
func (r *Runner) End() time.Time { return r.Now.Add(max(r.Clock().Sub(r.begun), 0)) }

func (r *Runner) newReport(account string) report.Report {
	mode := config.Plan
	if r.Remover != nil {
		mode = config.Apply
	}
	return report.Report{
		Version: report.Version, RunID: r.RunID, Mode: mode, Account: account, Region: r.Region, Start: r.Now,
		Configuration: r.ConfigurationHash, Repositories: []report.Repository{},
	}
}

// reportOn logs and reports on a plan, with its images if detailed is true.
func (r *Runner) reportOn(ctx context.Context, p *plan.Plan, detailed bool) report.Repository {
	if r.Remover != nil {
		apply.CheckOutcomes(p)
	}
	repository := report.Of(p, detailed)
	r.logRepository(ctx, &repository)
	return repository
}

// finish adds the findings about the whole run. KeptByOwnPulls is the number of indexes
// that are kept only because this role's reads of their manifests may count as pulls.
func (r *Runner) finish(ctx context.Context, result *report.Report, settings *registrystate.Settings, keptByOwnPulls int) {
	counts, findings := r.planner.Scanner.Results()
	failed := func(f finding.Finding) bool { return f.Kind.Failure() != "" }
	result.Incomplete = result.Incomplete || slices.ContainsFunc(findings, failed)
	result.InUse, result.Findings = counts, slices.Concat(findings, result.Findings)
	ownPulls, known := r.planner.OwnPulls.Known()
	kept := words.Count(keptByOwnPulls, "index is kept", "indexes are kept")
	switch {
	case known && ownPulls.Err != nil:
		result.Findings = append(result.Findings, finding.Finding{Kind: finding.OwnPullsUnknown, Message: fmt.Sprintf(
			"the cleaner cannot find out whether ECR records this role's reads of manifests as pulls (%v), and assumes that it does; "+
				"%s only for that reason; allow the role ecr:ListPullTimeUpdateExclusions, and check that it can reach STS",
			ownPulls.Err, kept)})
	case known && keptByOwnPulls > 0:
		result.Findings = append(result.Findings, finding.Finding{Kind: finding.OwnPullsCount, Message: fmt.Sprintf(
			"%s because ECR records this role's reads of manifests as pulls; unless the role also pulls images to run them, "+
				"as SSO, CI and node roles do, register it: aws ecr register-pull-time-update-exclusion --principal-arn %s",
			kept, cmp.Or(ownPulls.Principal, "ROLE_ARN"))})
	}
	all, removedFrom := namesOf(result)
	result.Findings = append(result.Findings, settings.Findings(ctx, all, removedFrom)...)
}

// PlannerOf returns the planner of a run that has begun. Account is the account of the
// registry; an empty account is any.
func (r *Runner) PlannerOf(account string) plan.Planner {
	r.planner = plan.Planner{Registry: r.Registry, Now: r.Now, OwnPulls: plan.AskOnce(r.OwnPulls), RegistryPolicy: &resourcepolicy.Once{}}
	if r.Scan != nil {
		r.planner.Scanner = &usage.Scanner{
			Scan: r.Scan, Clock: r.Clock, Account: account, Region: r.Region, Lists: r.Config.InUse().Lists(),
		}
		if r.Saved != nil {
			r.planner.Scanner.Before = r.Saved.InUse
		}
	}
	return r.planner
}

// Explain explains the image with the name, a digest, the beginning of one, or a tag. It returns
// an error if not exactly one listed image has the name, or if the repository could not be read.
func (r *Runner) Explain(ctx context.Context, repository, name string) (plan.Explanation, error) {
	found, err := r.find(ctx, repository)
	if err != nil {
		return plan.Explanation{Repository: repository}, err
	}
	_, explained, err := r.PlannerOf(found.RegistryID).Explain(ctx, &r.Config, found, []string{name})
	if err != nil {
		return plan.Explanation{Repository: repository}, err
	}
	return explained[0], nil
}

// find begins a run on one repository.
func (r *Runner) find(ctx context.Context, repository string) (plan.Repository, error) {
	found, err := plan.FindRepository(ctx, r.Registry, repository)
	if r.Account != "" && found.RegistryID != "" && found.RegistryID != r.Account {
		err = fmt.Errorf("the image is in the registry of account %s, and these credentials are for account %s; "+
			"use credentials of account %s", r.Account, found.RegistryID, r.Account)
	}
	return found, r.Begin(err)
}
