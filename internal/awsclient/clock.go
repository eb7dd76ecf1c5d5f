package awsclient

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// ErrNoDate says that answers came from an https endpoint, and none had a usable
// Date header.
var ErrNoDate = errors.New("the clock of this machine cannot be checked: AWS answered without a usable Date header; " +
	"have the proxy in between pass it on")

// maxSkew is how far the clock of this machine and the Date of an answer may be
// apart. That leaves room for a slow answer: its header arrives within
// answerTimeout.
const maxSkew = 2 * time.Minute

// A ClockCheck compares the clock of this machine with the Date of each answer, at
// its receipt and in wall time. It is safe for concurrent use.
type ClockCheck struct {
	now func() time.Time

	mu sync.Mutex
	// dated is true when an answer had a usable Date, undated when a successful
	// answer of an https endpoint had none.
	dated, undated bool
	// wrong is the newest disagreement, until Check has returned it and a later
	// answer agrees. Agrees is true when the newest Date agrees with the clock.
	wrong  error
	agrees bool
	// ahead is the most that the clock was ahead of a Date that agreed, which may
	// be negative. Measured is false when none did.
	ahead    time.Duration
	measured bool
}

// WatchClock returns a check that sees each answer to a client of cfg that is made
// afterwards.
func WatchClock(cfg *aws.Config, now func() time.Time) *ClockCheck {
	c := &ClockCheck{now: now}
	cfg.HTTPClient = watchedClient{cfg.HTTPClient, c}
	return c
}

// Check judges the newest Date and each one since the last Check. It returns an
// error with both times when one was more than two minutes from the clock. It returns
// ErrNoDate when no answer had a usable Date, unless all successful answers came
// from http endpoints, which are emulators. Before the first answer it returns nil.
func (c *ClockCheck) Check() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	wrong := c.wrong
	switch {
	case wrong == nil && c.undated && !c.dated:
		return ErrNoDate
	case c.agrees:
		c.wrong = nil
	}
	return wrong
}

// ServiceTime returns the time of the services when the clock of this machine said
// local. It may return an earlier time, by as long as an answer took and a second,
// but never a later one. When no answer had a Date that agrees with the clock it
// returns local. The result has no monotonic reading.
func (c *ClockCheck) ServiceTime(local time.Time) time.Time {
	if c == nil {
		return local
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return local.Round(0).Add(-c.ahead)
}

func (c *ClockCheck) note(asked *url.URL, answer *http.Response) {
	c.mu.Lock()
	defer c.mu.Unlock()
	date, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		succeeded := answer.StatusCode < http.StatusMultipleChoices
		c.undated = c.undated || succeeded && asked.Scheme == "https"
		return
	}
	local := c.now().Round(0)
	ahead := local.Sub(date)
	c.dated, c.agrees = true, ahead.Abs() <= maxSkew
	switch {
	case !c.agrees:
		c.wrong = fmt.Errorf("the clock of this machine is wrong: it says %s, %s says %s; "+
			"set the clock and run again (after a suspend, set that of WSL and virtual machines too)",
			local.UTC().Format(time.RFC3339), asked.Host, date.UTC().Format(time.RFC3339))
	case !c.measured || ahead > c.ahead:
		c.ahead, c.measured = ahead, true
	}
}

// A watchedClient shows the answers to a check.
type watchedClient struct {
	client aws.HTTPClient
	check  *ClockCheck
}

func (w watchedClient) Do(r *http.Request) (*http.Response, error) {
	answer, err := w.client.Do(r)
	if err == nil {
		w.check.note(r.URL, answer)
	}
	return answer, err
}
