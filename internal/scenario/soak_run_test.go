package scenario_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/cleaner"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

// disturbed makes a run under faults and judges it.
func (s *soak) disturbed(t *testing.T, seen *tally) error {
	t.Helper()
	plan := s.plan(t, s.configuration())
	before := s.contents(s.trial)
	s.connect(s.fixture)
	s.drawFaults()
	s.server.Inject(s.faults)
	rate := s.limitRate()
	report, err := s.runToItsEnd(t, seen)
	s.line.work.Wait()
	if s.log.end() {
		s.cuts++
		seen.note("cut")
	}
	events := s.server.FaultEvents()
	for _, event := range events {
		seen.note("fault: " + string(event.Kind))
		if event.Vanished != "" {
			s.vanished[event.Repository+event.Vanished] = true
		}
	}
	s.server.Inject(fakeecr.Faults{})
	seen.runs++
	seen.faults += len(events)
	if rate.refusals() > 0 {
		seen.note("fault: rate")
	}
	s.connect(s.fixture)
	j := judgement{soak: s, before: before, after: s.contents(s.trial), plan: &plan, report: &report, seen: seen}
	if errors.Is(err, errLate) {
		return err
	}
	if err := errors.Join(j.judge(err), j.log()); err != nil {
		return fmt.Errorf("%w\nstruck: %v\nreported were\n%s\n%s", err, events,
			strings.Join(s.outcomes(&report), "\n"), strings.Join(skips(&report), "\n"))
	}
	if s.ending != "" && report.Incomplete {
		seen.ended++
	}
	return nil
}

// runToItsEnd applies the configuration and ends the run at a random time.
func (s *soak) runToItsEnd(t *testing.T, seen *tally) (report.Report, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stop := make(chan struct{})
	r := s.runner(t, s.configuration())
	s.runID = fmt.Sprintf("run %x", s.random.Uint64())
	r.Remover, r.Stop, r.RunID, r.Log = s.registry.Remover, stop, s.runID, function.NewLog(&s.log)
	rest := pick(s.random, 0, s.random.IntN(600))
	end := map[string]func(){
		"":        func() {},
		"stopped": func() { close(stop) },
		"cut":     cancel,
		"late":    func() {},
		"killed":  func() { close(s.line.cut); s.log.kill(rest); cancel() }, // no call goes out that is not in the log
	}
	s.ending = pick(s.random, "", "stopped", "cut", "killed", "late")
	s.line.then = end[s.ending]
	if s.ending == "late" {
		return s.runToADeadline(ctx, &r, seen)
	}
	switch s.random.IntN(4) {
	case 0:
		timer := time.AfterFunc(time.Duration(s.random.Int64N(int64(time.Minute))), s.line.then)
		defer timer.Stop()
	case 1:
		s.line.at = 1 + s.random.IntN(12)
	default:
		s.line.at, s.line.ofRemoval = 1+s.random.IntN(4), true
	}
	return r.Run(ctx)
}

// runToADeadline gives the run a time limit, like the programs. The run must end before.
func (s *soak) runToADeadline(ctx context.Context, r *cleaner.Runner, seen *tally) (report.Report, error) {
	deadline, cancel := context.WithTimeout(ctx, time.Duration(1+s.random.Int64N(int64(2*time.Minute))))
	defer cancel()
	run, stop, end := function.Limit(deadline, time.Now())
	defer end()
	r.Stop = stop
	report, err := r.Run(run)
	if deadline.Err() != nil {
		return report, errLate
	}
	if report.Incomplete {
		seen.note("deadline")
	}
	return report, err
}

var errLate = errors.New("the run has not ended before its deadline")

var faultKinds = []fakeecr.FaultKind{
	fakeecr.Throttled, fakeecr.ServerError, fakeecr.BadGateway, fakeecr.Reset, fakeecr.LostAnswer, fakeecr.LateWork,
	fakeecr.SlowAnswer, fakeecr.CutAnswer, fakeecr.TruncatedJSON, fakeecr.EmptyAnswer, fakeecr.HTMLAnswer, fakeecr.WrongContentType,
	fakeecr.EmptyPage, fakeecr.RepeatedPage, fakeecr.OverlappingPage, fakeecr.RepeatedToken, fakeecr.ExpiredToken,
	fakeecr.RefusedImages, fakeecr.VanishedImage,
}

// refusals are failure codes for images. ECR returns ImageNotFound only for images that
// do not exist.
var refusals = slices.DeleteFunc(slices.Clone(fakeecr.ImageFailureCodes), func(code string) bool { return code == "ImageNotFound" })

// drawFaults draws faults for up to 30 % of the calls: of all calls, or of those that describe and
// remove, so that more runs reach the removals. Faults that only a few calls can have are more
// frequent: refused images need a deletion, and a wrong token needs a short page.
func (s *soak) drawFaults() {
	operations := []string{"DescribeImages", "BatchDeleteImage", "UpdateImageStorageClass"}
	if s.random.IntN(2) == 0 {
		operations = append(operations, "DescribeRepositories", "BatchGetImage", "GetLifecyclePolicy", "GetRepositoryPolicy")
		if !s.pullsAreNotRecorded { // else the answer decides which pulls of indexes count
			operations = append(operations, "ListPullTimeUpdateExclusions")
		}
	}
	s.faults = fakeecr.Faults{
		Seed: s.random.Uint64(), Delay: pick(s.random, time.Second, 5*time.Second, 15*time.Second, 2*time.Minute),
	}
	short := 0.3 * s.random.Float64()
	kinds := make([]fakeecr.FaultKind, 1+s.random.IntN(5))
	rate := pick(s.random, 0.3, 0.3*s.random.Float64()) / float64(len(kinds))
	for i := range kinds {
		code := pick(s.random, refusals...)
		kinds[i] = pick(s.random, append(faultKinds, fakeecr.RefusedImages, fakeecr.RefusedImages)...)
		for _, operation := range operations {
			rule := fakeecr.FaultRule{Kind: kinds[i], Operation: operation, Probability: rate}
			switch kinds[i] {
			case fakeecr.RefusedImages:
				rule.Probability, rule.Code = 0.3, code
			case fakeecr.RepeatedToken, fakeecr.ExpiredToken:
				short, rule.Probability = 0.5, 0.3
			}
			s.faults.Rules = append(s.faults.Rules, rule)
		}
	}
	s.faults.Rules = append(s.faults.Rules, fakeecr.FaultRule{Kind: fakeecr.ShortPage, Operation: "DescribeImages", Probability: short})
}

// A rate refuses calls that come too soon after the last admitted call of the same operation.
type rate struct {
	next       http.Handler
	operations []string
	least      time.Duration

	mu      sync.Mutex
	last    map[string]time.Time
	refused int
}

// limitRate puts a rate in front of the registry in one of four runs.
func (s *soak) limitRate() *rate {
	r := &rate{next: s.line.next, least: pick(s.random, 50*time.Millisecond, 300*time.Millisecond, time.Second), last: map[string]time.Time{}}
	if s.random.IntN(4) == 0 {
		r.operations = pick(s.random, []string{"DescribeImages"}, []string{"BatchDeleteImage", "UpdateImageStorageClass"})
		s.line.next = r
	}
	return r
}

func (r *rate) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	_, operation, _ := strings.Cut(request.Header.Get("X-Amz-Target"), ".")
	if !slices.Contains(r.operations, operation) || r.allows(operation) {
		r.next.ServeHTTP(w, request)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = io.WriteString(w, `{"__type": "ThrottlingException", "message": "Rate exceeded"}`) // the caller may have gone
}

func (r *rate) allows(operation string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if last, known := r.last[operation]; known && now.Sub(last) < r.least {
		r.refused++
		return false
	}
	r.last[operation] = now
	return true
}

func (r *rate) refusals() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refused
}
