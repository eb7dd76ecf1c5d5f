package fleet

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/awserror"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/exit"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/session"
	"github.com/ecr-cleaner/ecr-cleaner/internal/cli/text"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	records "github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
	"github.com/ecr-cleaner/ecr-cleaner/internal/words"
)

// A player plays the steps of an execution in mode plan.
type player struct {
	*session.Flags
	answer      func(context.Context, json.RawMessage) (any, error)
	store       records.Store
	execution   string
	concurrency int

	mu     sync.Mutex
	failed map[string]string // errors of the handler by phase and place, which it has not written
}

func newPlayer(f *session.Flags, concurrency int) *player {
	store := records.NewMemory()
	handler := &function.Handler{
		Configuration: f.Configuration, Read: f.ReadConfiguration, Connect: f.Connect, Now: f.Now,
		RunID: func(context.Context) string { return session.NewRunID() }, Log: slog.New(slog.DiscardHandler),
		Fleet: &function.Fleet{Store: store}, Assume: f.Assume,
	}
	return &player{
		Flags: f, answer: handler.Answer, store: store, execution: session.NewRunID(), concurrency: concurrency, failed: map[string]string{},
	}
}

// An event is a request of the state machine.
type event struct {
	Mode         config.Mode          `json:"mode"`
	Step         config.Step          `json:"step,omitempty"`
	Target       *config.Place        `json:"target,omitempty"`
	Execution    string               `json:"execution"`
	Cycle        int                  `json:"cycle,omitempty"`
	Targets      []string             `json:"targets,omitempty"`
	Continuation *config.Continuation `json:"continuation,omitempty"`
}

// call has one event answered.
func call[Answer any](ctx context.Context, p *player, e event) (a Answer, err error) {
	e.Execution = p.execution
	text, err := json.Marshal(e)
	if err != nil {
		return a, err
	}
	answer, err := p.answer(ctx, text)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return a, err
	}
	a, ok := answer.(Answer)
	if !ok {
		return a, fmt.Errorf("the answer is a %T: the program is faulty; please report it", answer)
	}
	return a, nil
}

// play plays all steps and returns the judge's report.
func (p *player) play(ctx context.Context, targets []string) (*records.Report, error) {
	p.Progress.Phase("listing targets")
	first, err := call[records.TargetsAnswer](ctx, p, event{Mode: config.Plan, Step: config.StepTargets, Targets: targets})
	if err != nil {
		return nil, usage(err)
	}
	cycle := first.CycleAnswer
	for {
		if err := p.ask(ctx, cycle.Cycle); err != nil {
			return nil, err
		}
		if _, err := call[records.BarrierAnswer](ctx, p, event{Mode: config.Plan, Step: config.StepBarrier, Cycle: cycle.Cycle}); err != nil {
			return nil, usage(err)
		}
		if err := p.planAll(ctx, cycle.Cycle); err != nil {
			return nil, err
		}
		if cycle, err = call[records.CycleAnswer](ctx, p, event{Mode: config.Plan, Step: config.StepNext, Cycle: cycle.Cycle}); err != nil {
			return nil, usage(err)
		}
		if cycle.RegistriesLeft == 0 {
			break
		}
	}
	p.Progress.Phase("writing the result")
	if _, err := call[records.JudgeAnswer](ctx, p, event{Mode: config.Plan, Step: config.StepJudge}); err != nil {
		return nil, usage(err)
	}
	return p.report(ctx)
}

// usage gives an error of the handler its exit status.
func usage(err error) error {
	_, request := errors.AsType[*function.RequestError](err)
	_, configuration := errors.AsType[*function.ConfigurationError](err)
	if request || configuration {
		return exit.Usagef("%w", err)
	}
	return exit.Failuref("%w", err)
}

func (p *player) ask(ctx context.Context, cycle int) error {
	var all []config.Place
	if err := p.read(ctx, records.PlacesName(p.execution), &all); err != nil {
		return err
	}
	return p.each(ctx, len(all), "asked %d of "+places(len(all)), func(i int) {
		_, err := call[records.PlaceAnswer](ctx, p, event{Mode: config.References, Target: &all[i], Cycle: cycle})
		p.note("place ", all[i], err)
	})
}

func (p *player) planAll(ctx context.Context, cycle int) error {
	var items []records.Item
	if err := p.read(ctx, records.RegistriesName(p.execution, cycle), &items); err != nil {
		return err
	}
	return p.each(ctx, len(items), "planned %d of "+text.Count(len(items), "registry"), func(i int) {
		e := event{Mode: config.Plan, Target: &items[i].Place, Cycle: cycle, Continuation: items[i].Continuation}
		for {
			a, err := call[records.RegistryAnswer](ctx, p, e)
			p.note("registry ", items[i].Place, err)
			if err != nil || !a.Again {
				return
			}
			e.Continuation = a.Continuation
		}
	})
}

// each calls do for 0 to n-1, as many at a time as the concurrency, and shows how many ended.
func (p *player) each(ctx context.Context, n int, progress string, do func(i int)) error {
	var wait sync.WaitGroup
	next, ended := make(chan int), 0
	p.Progress.Phase(fmt.Sprintf(progress, 0))
	for range min(p.concurrency, n) {
		wait.Go(func() {
			for i := range next {
				do(i)
				p.mu.Lock()
				ended++
				p.Progress.Phase(fmt.Sprintf(progress, ended))
				p.mu.Unlock()
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		next <- i
	}
	close(next)
	wait.Wait()
	return ctx.Err()
}

func (p *player) note(kind string, at config.Place, err error) {
	if err != nil {
		p.mu.Lock()
		p.failed[kind+at.String()] = err.Error()
		p.mu.Unlock()
	}
}

// report returns the judge's report. It has the errors that the handler has not written.
func (p *player) report(ctx context.Context) (*records.Report, error) {
	var r records.Report
	if err := p.read(ctx, p.execution+"/report.json", &r); err != nil {
		return nil, err
	}
	r.Execution = "" // its objects are gone
	for i := range r.Targets {
		if t := &r.Targets[i]; t.Outcome == records.Failed {
			t.Message = clean(cmp.Or(p.failed["registry "+t.Account+"/"+t.Region], p.why(ctx, *t)))
		}
		r.Targets[i].Reports = nil // they were in memory
	}
	for i := range r.Places {
		if e := &r.Places[i]; e.Outcome == records.Failed {
			e.Message = clean(cmp.Or(p.failed["place "+e.Account+"/"+e.Region], e.Message))
		}
	}
	return &r, nil
}

func clean(message string) string {
	return strings.ReplaceAll(awserror.Clean(message), "failed to refresh cached credentials, ", "")
}

// why returns the message of a failed target, with what the report of its last run says.
func (p *player) why(ctx context.Context, t records.TargetEnd) string {
	message, points := strings.CutSuffix(t.Message, "; the reports of its runs say why")
	var last report.Report
	if !points || len(t.Reports) == 0 || p.read(ctx, strings.TrimPrefix(t.Reports[len(t.Reports)-1], p.store.Location("")), &last) != nil {
		return t.Message
	}
	var all []string
	add := func(findings []finding.Finding) {
		for _, f := range findings {
			if f.Kind.Failure() != "" {
				all = append(all, strings.TrimPrefix(f.Repository+": "+f.Message, ": "))
			}
		}
	}
	add(last.Findings)
	for i := range last.Repositories {
		add(last.Repositories[i].Findings)
	}
	if len(all) == 0 {
		return message
	}
	return message + ": " + strings.Join(words.Few(all), "; ")
}

func (p *player) read(ctx context.Context, name string, out any) error {
	r, _, err := p.store.Open(ctx, name)
	if err == nil {
		err = errors.Join(json.NewDecoder(r).Decode(out), r.Close())
	}
	if err != nil {
		return exit.Failuref("read %s: %w", name, err)
	}
	return nil
}
