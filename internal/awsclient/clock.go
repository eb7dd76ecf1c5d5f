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

// ErrNoDate says that https endpoints answered, and no answer had a usable Date header.
var ErrNoDate = errors.New("the clock of this machine cannot be checked: AWS answered without a usable Date header; " +
	"make the proxy pass this header on")

const maxSkew = 2 * time.Minute // between the clock and a Date; an answer may take answerTimeout

// A ClockCheck compares the wall clock with the Date of each answer, when it arrives. It is
// safe for concurrent use.
type ClockCheck struct {
	now func() time.Time

	mu      sync.Mutex
	undated bool // a successful answer of an https endpoint had no usable Date
	// wrong is the error of the newest Date that differs from the clock. Check clears it
	// after returning it, if agrees: the newest Date agrees with the clock.
	wrong  error
	agrees bool
	// ahead is the largest lead of the clock over a Date that agrees; it may be negative.
	ahead    time.Duration
	measured bool // a Date agrees
}

// WatchClock returns a check of the answers to every client that is made from cfg later.
func WatchClock(cfg *aws.Config, now func() time.Time) *ClockCheck {
	c := &ClockCheck{now: now}
	cfg.HTTPClient = watchedClient{cfg.HTTPClient, c}
	return c
}

// Check returns an error if the newest Date, or any Date since the last Check, differs from
// the clock by more than two minutes. It returns ErrNoDate if https endpoints answered,
// and no answer had a usable Date. Answers of http endpoints, which are emulators, need none.
func (c *ClockCheck) Check() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	wrong := c.wrong
	switch {
	case wrong == nil && c.undated && !c.measured: // no answer had a Date
		return ErrNoDate
	case c.agrees:
		c.wrong = nil
	}
	return wrong
}

// ServiceTime returns AWS's time for the time local of this machine's clock, or local if no
// Date agrees with the clock. The result has no monotonic reading. It may be too early, by
// the duration of an answer and a second, but is never too late.
func (c *ClockCheck) ServiceTime(local time.Time) time.Time {
	if c == nil {
		return local
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return local.Round(0).Add(-c.ahead)
}

func (c *ClockCheck) note(endpoint *url.URL, answer *http.Response) {
	c.mu.Lock()
	defer c.mu.Unlock()
	date, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		succeeded := answer.StatusCode < http.StatusMultipleChoices
		c.undated = c.undated || succeeded && endpoint.Scheme == "https"
		return
	}
	local := c.now().Round(0)
	ahead := local.Sub(date)
	c.agrees = ahead.Abs() <= maxSkew
	switch {
	case !c.agrees:
		c.wrong = fmt.Errorf("the clock of this machine is wrong: it says %s, %s says %s; "+
			"set the clock and run again (after a suspend, also set the clock of WSL and virtual machines)",
			local.UTC().Format(time.RFC3339), endpoint.Host, date.UTC().Format(time.RFC3339))
	case !c.measured || ahead > c.ahead:
		c.ahead, c.measured = ahead, true
	}
}

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
