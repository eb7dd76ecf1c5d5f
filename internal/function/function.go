// Package function is the Lambda function. It makes a run from an event, and returns the
// run's report as the answer. The command ecrclean invoke calls it with an event file.
package function

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/jsondoc"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// The limits of an answer and of a run.
const (
	MaxAnswer = 200_000          // bytes; destinations of asynchronous invocations accept 256 KB
	MaxMargin = 30 * time.Second // the largest margin of [Limit]
)

// A Handler handles events. All fields except Commit and FunctionName must be set.
type Handler struct {
	Configuration string        // the value of CLEANER_CONFIG
	Read          config.Reader // reads the configuration at the location in Configuration
	Connect       func(ctx context.Context) (Registry, error)
	Now           func() time.Time
	RunID         func(ctx context.Context) string // the ID of the run with this context
	Log           *slog.Logger
	Commit        func() error // as in [cleaner.Runner]
	FunctionName  string       // the dimension of the metrics; no metrics are written if it is ""
	Fleet         *Fleet       // nil refuses requests of executions of the fleet
	// Assume connects to a Region with a role, for requests with a target. Nil refuses these.
	Assume func(ctx context.Context, role Role) (Registry, error)
}

// Answer is [Handler.Handle] for the events of the fleet's state machine too. The answer is
// a [*report.Report] or one of the answers of package fleet.
func (h *Handler) Answer(ctx context.Context, event json.RawMessage) (any, error) {
	request, err := h.request(event)
	switch {
	case err != nil:
		return nil, err
	case request.Execution != "":
		return h.execution(ctx, request)
	}
	return h.handle(ctx, request)
}

// Handle carries out one event and returns the report. The error is a [*RequestError], a
// [*ConfigurationError] or a [*RegistryError]; every other failure is in the report. Before
// one of the first two errors, Handle has read no more than the configuration and, if the
// request names missing repositories, the names of the repositories.
func (h *Handler) Handle(ctx context.Context, event json.RawMessage) (*report.Report, error) {
	request, err := h.request(event)
	switch {
	case err != nil:
		return nil, err
	case request.Execution != "":
		return nil, &RequestError{errExecution}
	}
	return h.handle(ctx, request)
}

func (h *Handler) handle(ctx context.Context, request config.Request) (*report.Report, error) {
	run, hash, err := h.prepare(ctx, request)
	if err != nil {
		return nil, err
	}
	registry, err := h.Connect(ctx)
	if err != nil {
		return nil, &RegistryError{err}
	}
	registry.RunID = h.RunID(ctx)
	if run.Mode == config.References {
		return h.references(ctx, run, hash, registry)
	}
	runner := registry.Runner(run, h.Now)
	limited, stop, cancel := Limit(ctx, h.Now())
	defer cancel()
	runner.ConfigurationHash, runner.Log, runner.Stop = hash, h.Log, stop
	runner.Commit, runner.MaxDetails, runner.Rotate = h.Commit, MaxAnswer, true
	if run.Mode == config.Apply {
		runner.Remover = registry.Remover
	}
	report, err := runner.Run(limited)
	if _, none := errors.AsType[*config.SelectionError](err); none {
		return nil, &RequestError{err}
	}
	if err != nil {
		return nil, &RegistryError{err}
	}
	report.End, report.Calls = runner.End(), registry.Calls()
	return h.answer(ctx, &report), nil
}

// answer logs the report, and returns it in a form that fits into the answer.
func (h *Handler) answer(ctx context.Context, report *report.Report) *report.Report {
	LogRun(ctx, h.Log, report)
	h.logMetrics(ctx, report)
	report.Fit(MaxAnswer)
	return report
}

func (h *Handler) request(event []byte) (config.Request, error) {
	request, problems := config.ParseRequest(event)
	if err := problems.Err(); err != nil {
		return request, &RequestError{err}
	}
	h.warn("request", problems.Warnings())
	return request, nil
}

// configuration returns the configuration without regard to the request, and its hash.
func (h *Handler) configuration(ctx context.Context) (all config.Config, hash string, err error) {
	all, warnings, err := config.Load(ctx, h.Configuration, h.Read)
	if err != nil {
		return all, "", &ConfigurationError{err}
	}
	h.warn("configuration", warnings)
	if all.Protect.Kubeconfig != nil {
		return all, "", &ConfigurationError{errKubeconfig}
	}
	if hash, err = all.Hash(); err != nil {
		return all, "", &ConfigurationError{err}
	}
	return all, hash, nil
}

// prepare returns the configuration narrowed by the request, and its hash without it.
func (h *Handler) prepare(ctx context.Context, request config.Request) (run config.Config, hash string, err error) {
	configuration, hash, err := h.configuration(ctx)
	if err != nil {
		return run, "", err
	}
	if run, err = configuration.Narrow(request); err != nil {
		return run, "", &RequestError{err}
	}
	if run.Mode == config.References && run.References.S3 == "" {
		return run, "", &ConfigurationError{errNoTarget}
	}
	return run, hash, h.supported(run)
}

func (h *Handler) warn(document string, warnings jsondoc.Problems) {
	for _, w := range warnings {
		h.Log.Warn("suspicious", slog.String("document", document), slog.String("problem", w.String()))
	}
}

// supported logs the fields that this version lacks. In mode apply they are an error.
func (h *Handler) supported(run config.Config) error {
	fields := run.Unsupported()
	switch {
	case len(fields) == 0:
		return nil
	case run.Mode == config.Apply:
		return &ConfigurationError{&config.UnsupportedError{Fields: fields}}
	}
	h.Log.Warn("plan does not consider all of the configuration", slog.Any("fields", fields))
	return nil
}

// Limit returns the context of the run, and a channel that is closed a margin before the
// deadline of ctx. Then the run begins no further repository. Half of the margin later the
// run's context ends, so that the answer is ready before Lambda kills the function. The
// margin is [MaxMargin] or, for a short run, a tenth of its time. Without a deadline there
// is no limit, and the channel is nil.
func Limit(ctx context.Context, now time.Time) (run context.Context, stop <-chan struct{}, cancel func()) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, nil, func() {}
	}
	margin := min(MaxMargin, deadline.Sub(now)/10)
	run, cancelRun := context.WithDeadline(ctx, deadline.Add(-margin/2))
	begin, cancelBegin := context.WithDeadline(run, deadline.Add(-margin))
	return run, begin.Done(), func() { cancelBegin(); cancelRun() }
}
