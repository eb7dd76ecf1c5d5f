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
	"have the proxy in between pass it on")

// maxSkew is the largest accepted difference between the clock of this machine and the
// Date of an answer. A slow answer fits into it, because its header arrives within
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
	// wrong is the newest disagreement. Check clears it once it has returned it and a
	// later answer agrees. Agrees is true when the newest Date agrees with the clock.
	wrong  error
	agrees bool
	// ahead is the most by which the clock was ahead of a Date that agreed; it may be
	// negative. Measured is false when no Date agreed.
	ahead    time.Duration
	measured bool
}

// WatchClock returns a check of the answers to every client that is made of cfg
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

// ServiceTime returns the time of the services at the moment when the clock of this
// machine showed local. The result may be too early, by the duration of an answer and a
// second, but it is never too late. When no answer had a Date that agrees with the
// clock it returns local. The result has no monotonic reading.
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

// A watchedClient passes its answers to a check.
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
