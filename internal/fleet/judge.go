package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// maxCause limits the message of one target or place in the message of the report.
const maxCause = 400

// Judge compares the outcome objects with the targets of the execution, and the places with
// their lists in the newest cycle. It writes the report and returns it. The error is that of
// writing or listing, or that the mode is not the execution's; every other failure is in the report.
func Judge(ctx context.Context, s Store, execution string, mode config.Mode, now time.Time) (Report, error) {
	t, err := ReadTargets(ctx, s, execution)
	if err != nil {
		r := Report{Version: Version, Execution: execution, Mode: mode, End: now, Targets: []TargetEnd{}, Places: []PlaceEnd{}}
		problem := fmt.Sprintf("the targets of execution %s cannot be read, and its outcomes are not known: %v; repeat step judge", execution, err)
		if errors.Is(err, ErrMissing) {
			problem = fmt.Sprintf("step targets failed, and nothing was cleaned: its error is in the history of execution %s", execution)
		}
		r.Message = Shorten(problem, MaxMessage)
		return r, writeObject(ctx, s, fleetReportName(execution), r)
	}
	if err := t.Suits(mode); err != nil {
		return Report{}, err
	}
	targets, strangers, err := judgeTargets(ctx, s, t)
	if err != nil {
		return Report{}, err
	}
	places, err := judgePlaces(ctx, s, t)
	if err != nil {
		return Report{}, err
	}
	r := t.sum(targets, places, strangers)
	r.End = now
	return r, cmp.Or(ctx.Err(), writeObject(ctx, s, fleetReportName(execution), r))
}

// ReportLocation returns the location of the report.
func ReportLocation(s Store, execution string) string { return s.Location(fleetReportName(execution)) }

// judgeTargets returns how each target ended, and the names of outcome objects of no target.
func judgeTargets(ctx context.Context, s Store, t Targets) (ends []TargetEnd, strangers []string, err error) {
	names, err := s.List(ctx, t.Execution+"/outcomes/")
	if err != nil {
		return nil, nil, err
	}
	unknown := map[string]bool{}
	for _, name := range names {
		unknown[name] = true
	}
	read := make([]bool, len(t.Registries))
	for i, p := range t.Registries {
		name := outcomeName(t.Execution, p)
		read[i] = unknown[name]
	}
	for _, p := range t.Registries {
		delete(unknown, outcomeName(t.Execution, p))
	}
	ends = make([]TargetEnd, len(t.Registries))
	each(len(ends), func(i int) {
		o, err := Outcome{}, ErrMissing
		if read[i] {
			o, err = ReadOutcome(ctx, s, t.Execution, t.Registries[i])
		}
		ends[i] = endOf(t.Registries[i], o, err)
	})
	return ends, slices.Sorted(maps.Keys(unknown)), nil
}

// endOf returns how a target ended by its outcome object, or by the error of reading it.
func endOf(p config.Place, o Outcome, err error) TargetEnd {
	end := TargetEnd{Account: p.Account, Region: p.Region, Outcome: Failed}
	if err == nil {
		end.Rounds, end.Totals, end.Undone, end.Calls, end.Reports = o.Round, &o.Totals, o.Undone, o.Calls, o.Reports
	}
	end.Message = Shorten(o.problem(err), MaxMessage)
	if end.Message == "" {
		end.Outcome = Done
	}
	return end
}

// problem says why a target has failed, or is empty. The error is that of reading the outcome.
func (o *Outcome) problem(err error) string {
	again := "start another execution"
	switch {
	case errors.Is(err, ErrMissing):
		return "it has no outcome: the function did not begin, or was stopped before it removed anything; " +
			"the error is in the execution's history, in the map of registries; " + again
	case err != nil:
		return "its outcome cannot be read: " + err.Error() + "; " + again
	case o.Failed != "":
		return o.Failed
	case o.Begun > o.Round:
		return fmt.Sprintf("run %d (%s) began and did not end: the function was stopped; what it removed is in its log; %s", o.Begun, o.RunID, again)
	case o.Round == 0:
		return "it never began, because the lists of images in use were too old; raise MaxConcurrencyKnow or fleet.listsMaxAgeMinutes; " + again
	case o.Continuation != nil:
		return fmt.Sprintf("work remains after run %d, and no further run began; its error is in the execution's history; %s", o.Round, again)
	case o.Begun != o.Round:
		return fmt.Sprintf("its outcome has run %d before run %d began; %s", o.Round, o.Begun, again)
	case len(o.Undone) > 0:
		var causes []string
		for _, cause := range slices.Sorted(maps.Keys(o.Undone)) {
			causes = append(causes, cause+": "+strconv.Itoa(o.Undone[cause]))
		}
		return "not handled: " + strings.Join(causes, ", ") + "; the reports of its runs say why"
	}
	return ""
}

// judgePlaces returns how the in-use scan of each place ended in the newest cycle. A place whose
// list did not count at the barrier has failed.
func judgePlaces(ctx context.Context, s Store, t Targets) ([]PlaceEnd, error) {
	cycle, err := newestCycle(ctx, s, t.Execution)
	if err != nil {
		return nil, err
	}
	uncounted := map[config.Place]string{}
	if b, err := ReadBarrier(ctx, s, t.Execution, cycle); err == nil { // without one, no registry is done
		for _, failed := range b.Failed {
			uncounted[failed.Place] = failed.Problem
		}
	}
	ends := make([]PlaceEnd, len(t.Places))
	each(len(ends), func(i int) {
		p := t.Places[i]
		used, err := readObject[Used](ctx, s, placeName(t.Execution, cycle, p))
		problem := cmp.Or(used.unlisted(t.Execution, p, cycle, err), uncounted[p])
		ends[i] = PlaceEnd{Account: p.Account, Region: p.Region, Outcome: Failed, Findings: used.Findings, Message: Shorten(problem, MaxMessage)}
		if ends[i].Message == "" {
			ends[i].Outcome = Done
		}
	})
	return ends, nil
}

func (u *Used) unlisted(execution string, p config.Place, cycle int, err error) string {
	switch {
	case errors.Is(err, ErrMissing):
		return fmt.Sprintf("it has no list in cycle %d: the function did not end there; the error is in the execution's history, in the map of places", cycle)
	case err != nil:
		return "its list cannot be read: " + err.Error()
	case u.Place != p || u.Cycle != cycle || u.Execution != execution:
		return fmt.Sprintf("its list is of %s in cycle %d of execution %q", u.Place, u.Cycle, u.Execution)
	}
	return u.Problem
}

// newestCycle returns the number of the newest cycle whose registries are listed, at least 1.
func newestCycle(ctx context.Context, s Store, execution string) (int, error) {
	names, err := s.List(ctx, execution+"/items/registries-")
	newest := 1
	for n := range len(names) + 1 {
		if slices.Contains(names, RegistriesName(execution, n)) {
			newest = max(newest, n)
		}
	}
	return newest, err
}

// sum returns the report on the targets and places.
func (t Targets) sum(targets []TargetEnd, places []PlaceEnd, strangers []string) Report {
	r := Report{
		Version: Version, Execution: t.Execution, Mode: t.Mode, Start: t.Start, Configuration: t.Configuration,
		Expected: len(t.Registries) + len(t.Skipped), Targets: targets, Places: places,
	}
	for _, skipped := range t.Skipped {
		r.Targets = append(r.Targets, TargetEnd{Account: skipped.Account, Region: skipped.Region, Outcome: Omitted, Message: Shorten(skipped.Reason, MaxMessage)})
	}
	slices.SortStableFunc(r.Targets, func(a, b TargetEnd) int {
		return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.Region, b.Region))
	})
	var failed, unlisted []string
	for _, end := range r.Targets {
		switch end.Outcome {
		case Done:
			r.Done++
		case Omitted:
			r.Skipped++
		case Failed:
			r.Failed++
			failed = append(failed, end.Account+"/"+end.Region+": "+Shorten(end.Message, maxCause))
		}
		if end.Totals != nil {
			r.Totals.AddRound(*end.Totals)
		}
	}
	for _, end := range places {
		if end.Outcome == Failed {
			unlisted = append(unlisted, end.Account+"/"+end.Region+": "+Shorten(end.Message, maxCause))
		}
	}
	r.Message = message(&r, failed, unlisted, strangers)
	r.Handled = r.Message == ""
	return r
}

// message names the targets and places that were not handled, in one line. It is empty if
// there are none.
func message(r *Report, failed, unlisted, strangers []string) string {
	var parts []string
	add := func(what string, few []string) {
		if len(few) > 0 {
			parts = append(parts, what+": "+strings.Join(words.Few(few), "; "))
		}
	}
	add(fmt.Sprintf("%d of %s not handled", len(failed), words.Count(r.Expected, "target was", "targets were")), failed)
	add(fmt.Sprintf("%d of %s no list of images in use", len(unlisted), words.Count(len(r.Places), "place has", "places have")), unlisted)
	add("outcomes of no target", strangers)
	if sum := r.Done + r.Skipped + r.Failed; sum != r.Expected {
		parts = append(parts, fmt.Sprintf("the program is faulty: %d targets are expected and %d have ended; please report it", r.Expected, sum))
	}
	return Shorten(strings.Join(parts, ". "), MaxMessage)
}
