package fleet_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet"
	"github.com/ecr-cleaner/ecr-cleaner/internal/report"
)

func placeOf(n int) config.Place {
	return config.Place{Account: fmt.Sprintf("%012d", n), Region: "eu-west-1"}
}

// judged is an execution "one" with n targets and places, each of which is done.
func judged(t *testing.T, n int) (*fleet.Memory, fleet.Targets) {
	t.Helper()
	s := fleet.NewMemory()
	targets := fleet.Targets{Execution: "one", Mode: config.Apply, Start: awstest.Now, Skipped: []fleet.Skipped{}}
	for i := range n {
		p := placeOf(i)
		targets.Registries, targets.Places = append(targets.Registries, p), append(targets.Places, p)
		write(t, s, outcome(p))
		awstest.NoError(t, fleet.WriteUsed(t.Context(), s, fleet.Used{Execution: "one", Cycle: 1, Place: p, At: awstest.Now}))
	}
	_, err := fleet.WriteTargets(t.Context(), s, targets)
	awstest.NoError(t, err)
	barrier(t, s, targets)
	return s, targets
}

func outcome(p config.Place) fleet.Outcome {
	return fleet.Outcome{Execution: "one", Place: p, Begun: 1, Round: 1, Totals: report.Totals{Repositories: 2}, RunID: "run-1"}
}

func write(t *testing.T, s fleet.Store, o fleet.Outcome) {
	t.Helper()
	awstest.NoError(t, fleet.WriteOutcome(t.Context(), s, o))
}

func barrier(t *testing.T, s fleet.Store, targets fleet.Targets) {
	t.Helper()
	used, err := fleet.ReadUsed(t.Context(), s, targets, 1)
	awstest.NoError(t, err)
	awstest.NoError(t, fleet.WriteBarrier(t.Context(), s, fleet.NewBarrier(targets, 1, used, awstest.Now, time.Hour)))
}

func put(t *testing.T, s fleet.Store, name, text string) {
	t.Helper()
	awstest.NoError(t, s.Put(t.Context(), name, []byte(text)))
}

func judge(t *testing.T, s fleet.Store) fleet.Report {
	t.Helper()
	r, err := fleet.Judge(t.Context(), s, "one", config.Apply, awstest.Now)
	awstest.NoError(t, err)
	return r
}

// read returns the content of an object.
func read(t *testing.T, s fleet.Store, name string) string {
	t.Helper()
	r, _, err := s.Open(t.Context(), name)
	awstest.NoError(t, err)
	text, err := io.ReadAll(r)
	awstest.NoError(t, err)
	return string(text)
}

func TestEverythingIsHandled(t *testing.T) {
	t.Parallel()
	s, targets := judged(t, 3)
	targets.Skipped = []fleet.Skipped{{Account: "999999999999", Reason: "the account is CLOSED"}}
	s.Delete("one/targets.json")
	_, err := fleet.WriteTargets(t.Context(), s, targets)
	awstest.NoError(t, err)
	r := judge(t, s)
	awstest.Equal(t, "handled, expected, done, skipped, failed, message", []any{true, 4, 3, 1, 0, ""},
		[]any{r.Handled, r.Expected, r.Done, r.Skipped, r.Failed, r.Message})
	awstest.Equal(t, "repositories", 6, r.Totals.Repositories)
	awstest.Equal(t, "skipped", fleet.TargetEnd{Account: "999999999999", Outcome: fleet.Omitted, Message: "the account is CLOSED"}, r.Targets[3])
	first := read(t, s, "one/report.json")
	judge(t, s)
	awstest.Equal(t, "second report", first, read(t, s, "one/report.json"))
}

// Each fault is a failure of exactly its target, and of the execution.
func TestATargetThatWasNotHandledFails(t *testing.T) {
	t.Parallel()
	const name = "one/outcomes/000000000001/eu-west-1.json"
	change := func(change func(*fleet.Outcome)) func(*testing.T, *fleet.Memory) {
		return func(t *testing.T, s *fleet.Memory) {
			t.Helper()
			o := outcome(placeOf(1))
			change(&o)
			text, err := json.Marshal(o)
			awstest.NoError(t, err)
			put(t, s, name, string(text))
		}
	}
	text := func(text string) func(*testing.T, *fleet.Memory) {
		return func(t *testing.T, s *fleet.Memory) { t.Helper(); put(t, s, name, text) }
	}
	for want, fault := range map[string]func(*testing.T, *fleet.Memory){
		"it has no outcome":                func(_ *testing.T, s *fleet.Memory) { s.Delete(name) },
		"unexpected end":                   text(`{"execution": "one", "acc`),
		"invalid character":                text(`<html>`),
		`is of 222222222222/`:              text(`{"execution": "one", "account": "222222222222", "region": "eu-west-1", "begun": 1, "round": 1}`),
		`in execution "two"`:               change(func(o *fleet.Outcome) { o.Execution = "two" }),
		"the role is denied":               change(func(o *fleet.Outcome) { o.Failed = "the role is denied" }),
		"run 2 (run-1) began and did not":  change(func(o *fleet.Outcome) { o.Begun = 2 }),
		"run 2 before run 1":               change(func(o *fleet.Outcome) { o.Round = 2 }),
		"it never began":                   change(func(o *fleet.Outcome) { o.Begun, o.Round = 0, 0 }),
		"work remains after run 1":         change(func(o *fleet.Outcome) { o.Continuation = &config.Continuation{Round: 2} }),
		"images failed: 3, scanFailed: 1;": change(func(o *fleet.Outcome) { o.Undone = map[string]int{"scanFailed": 1, "images failed": 3} }),
	} {
		s, _ := judged(t, 3)
		fault(t, s)
		r := judge(t, s)
		awstest.Equal(t, want+": handled, done, failed", []any{false, 2, 1}, []any{r.Handled, r.Done, r.Failed})
		awstest.Contains(t, r.Targets[1].Message, want)
		awstest.Contains(t, r.Message, "1 of 3 targets", "000000000001/eu-west-1: ", want)
		if strings.Contains(r.Message, "\n") {
			t.Errorf("%s: several lines: %q", want, r.Message)
		}
	}
}

func TestAnOutcomeOfNoTarget(t *testing.T) {
	t.Parallel()
	s, _ := judged(t, 1)
	write(t, s, outcome(placeOf(7)))
	r := judge(t, s)
	awstest.Equal(t, "handled, done, failed", []any{false, 1, 0}, []any{r.Handled, r.Done, r.Failed})
	awstest.Contains(t, r.Message, "one/outcomes/000000000007/eu-west-1.json")
}

func TestAPlaceThatHasNoListFails(t *testing.T) {
	t.Parallel()
	const name = "one/lists/1/places/000000000001/eu-west-1.json"
	used := func(change func(*fleet.Used)) func(*testing.T, *fleet.Memory) {
		return func(t *testing.T, s *fleet.Memory) {
			t.Helper()
			u := fleet.Used{Execution: "one", Cycle: 1, Place: placeOf(1), At: awstest.Now}
			change(&u)
			text, err := json.Marshal(u)
			awstest.NoError(t, err)
			put(t, s, name, string(text))
		}
	}
	for want, fault := range map[string]func(*testing.T, *fleet.Memory){
		"no list in cycle 1":         func(_ *testing.T, s *fleet.Memory) { s.Delete(name) },
		"its list cannot be read":    func(t *testing.T, s *fleet.Memory) { t.Helper(); put(t, s, name, `{"acc`) },
		"ecs is denied":              used(func(u *fleet.Used) { u.Problem = "ecs is denied" }),
		"its list is of 00000000000": used(func(u *fleet.Used) { u.Place = placeOf(2) }),
		"in cycle 2 of":              used(func(u *fleet.Used) { u.Cycle = 2 }),
		`of execution "two"`:         used(func(u *fleet.Used) { u.Execution = "two" }),
		"old":                        used(func(u *fleet.Used) { u.At = awstest.Now.Add(-2 * time.Hour) }),
	} {
		s, targets := judged(t, 3)
		fault(t, s)
		barrier(t, s, targets)
		r := judge(t, s)
		awstest.Equal(t, want+": handled, done", []any{false, 3}, []any{r.Handled, r.Done})
		awstest.Equal(t, want+": place", fleet.Failed, r.Places[1].Outcome)
		awstest.Contains(t, r.Message, "1 of 3 places", want)
	}
}

// A list of an earlier cycle does not replace that of the newest.
func TestPlacesAreJudgedByTheNewestCycle(t *testing.T) {
	t.Parallel()
	s, _ := judged(t, 1)
	put(t, s, fleet.RegistriesName("one", 2), "[]")
	awstest.Contains(t, judge(t, s).Message, "no list in cycle 2")
}

func TestAnExecutionWithoutTargets(t *testing.T) {
	t.Parallel()
	s := fleet.NewMemory()
	awstest.Contains(t, judge(t, s).Message, "step targets failed", "history of execution one")
	put(t, s, "one/targets.json", `{"exec`)
	if message := judge(t, s).Message; strings.Contains(message, "nothing was cleaned") || !strings.Contains(message, "cannot be read") {
		t.Errorf("with targets that are cut: %s", message)
	}
}

// unlistable is a store that cannot list.
type unlistable struct{ *fleet.Memory }

var errDenied = errors.New("denied")

func (unlistable) List(context.Context, string) ([]string, error) { return nil, errDenied }

func TestAJudgeThatCannotListFails(t *testing.T) {
	t.Parallel()
	s, _ := judged(t, 1)
	_, err := fleet.Judge(t.Context(), unlistable{s}, "one", config.Apply, awstest.Now)
	awstest.ErrorIs(t, "judge", err, errDenied)
}

func TestTheNextCycleHasTheRegistriesWithWorkLeft(t *testing.T) {
	t.Parallel()
	s, targets := judged(t, 5)
	items := make([]fleet.Item, len(targets.Registries))
	for i, p := range targets.Registries {
		items[i].Place = p
	}
	text, err := json.Marshal(items)
	awstest.NoError(t, err)
	put(t, s, fleet.RegistriesName("one", 1), string(text))
	next := func() int {
		t.Helper()
		left, err := fleet.Next(t.Context(), s, "one", 1)
		awstest.NoError(t, err)
		return left
	}
	awstest.Equal(t, "if all are done", 0, next())
	open, late, failed, killed := outcome(placeOf(0)), outcome(placeOf(1)), outcome(placeOf(2)), outcome(placeOf(3))
	open.Continuation, failed.Continuation = &config.Continuation{Round: 2}, &config.Continuation{Round: 2}
	late.Begun, late.Round, failed.Failed, killed.Begun = 0, 0, "denied", 2
	for _, o := range []fleet.Outcome{open, late, failed, killed} {
		write(t, s, o)
	}
	s.Delete("one/outcomes/000000000004/eu-west-1.json")
	awstest.Equal(t, "with work left", 2, next())
	var got []fleet.Item
	awstest.NoError(t, json.Unmarshal([]byte(read(t, s, fleet.RegistriesName("one", 2))), &got))
	awstest.Equal(t, "items", []fleet.Item{{Place: placeOf(0), Continuation: open.Continuation}, {Place: placeOf(1)}}, got)
	for i := range items {
		late.Place = placeOf(i)
		write(t, s, late)
	}
	awstest.Equal(t, "if none has begun", 0, next())
	_, err = fleet.Next(t.Context(), s, "one", 9)
	awstest.ErrorIs(t, "a cycle without items", err, fleet.ErrMissing)
}
