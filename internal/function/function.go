// Package function is the Lambda function. It makes a run from an event, and returns the
// run's report as the answer. The command ecrclean invoke calls it with an event file.
package function

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config/selected"
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
	j, access, err := h.prepare(ctx, request)
	if err != nil {
		return nil, err
	}
	if request.Target != nil {
		j.registry, err = h.target(ctx, *request.Target, j.run.Mode, access)
		j.account, j.from = request.Target.Account, cmp.Or(request.Continuation, &config.Continuation{})
	} else {
		j.registry, err = h.Connect(ctx)
	}
	if _, faulty := errors.AsType[*ConfigurationError](err); faulty {
		return nil, err
	}
	if err != nil {
		return nil, &RegistryError{err}
	}
	j.registry.RunID = h.RunID(ctx)
	if j.run.Mode == config.References {
		return h.references(ctx, j.run, j.hash, j.registry)
	}
	report, err := h.clean(ctx, j)
	if err != nil {
		return nil, err
	}
	return h.answer(ctx, report), nil
}

// A job is one run of the engine.
type job struct {
	run      config.Config
	hash     string // of the whole configuration
	registry Registry
	account  string               // that the registry must be of, or ""
	from     *config.Continuation // for a run that continues, or that may be continued
	until    time.Time            // a time at which to stop, or zero
}

// clean plans the registry and, in mode apply, removes images.
func (h *Handler) clean(ctx context.Context, j job) (*report.Report, error) {
	runner := j.registry.Runner(j.run, h.Now)
	limited, stop, cancel := Limit(ctx, h.Now())
	defer cancel()
	if !j.until.IsZero() {
		stop, cancel = earlier(limited, stop, j.until.Sub(h.Now()))
		defer cancel()
	}
	runner.ConfigurationHash, runner.Log, runner.Stop = j.hash, h.Log, stop
	runner.Commit, runner.MaxDetails, runner.Rotate = h.Commit, MaxAnswer, true
	runner.Account, runner.Continue = j.account, j.from
	if j.run.Mode == config.Apply {
		runner.Remover = j.registry.Remover
	}
	report, err := runner.Run(limited)
	if _, none := errors.AsType[*selected.Error](err); none {
		return nil, &RequestError{err}
	}
	if err != nil {
		return nil, &RegistryError{err}
	}
	report.End, report.Calls = runner.End(), j.registry.Calls()
	return &report, nil
}

// earlier returns a channel that is closed when stop is, or after that time.
func earlier(ctx context.Context, stop <-chan struct{}, after time.Duration) (<-chan struct{}, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, after)
	go func() {
		select {
		case <-stop: // a nil channel is never ready
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx.Done(), cancel
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

// prepare returns the job for the request, without its registry, and the roles of its target.
func (h *Handler) prepare(ctx context.Context, request config.Request) (j job, access config.Access, err error) {
	all, hash, err := h.configuration(ctx)
	if err != nil {
		return j, access, err
	}
	j.run, j.hash = all, hash
	if request.Target != nil {
		if j.run, access, err = all.ForTarget(*request.Target); err != nil {
			return j, access, &RequestError{err}
		}
	}
	if j.run, err = h.narrow(j.run, request); err == nil && request.Target != nil {
		j.run, err = alone(j.run, all, *request.Target, j.run.Mode)
	}
	return j, access, err
}

// narrow returns the configuration narrowed by the request.
func (h *Handler) narrow(configuration config.Config, request config.Request) (config.Config, error) {
	run, err := configuration.Narrow(request)
	if err != nil {
		return run, &RequestError{err}
	}
	if run.Mode == config.References && run.References.S3 == "" {
		return run, &ConfigurationError{errNoTarget}
	}
	return run, h.supported(run)
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
