package awsclient_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// A datedAnswer is an answer with that Date header. It arrives when the clock of this machine shows
// at. The zero status is 200, the zero scheme https, and an empty Date is no header.
type datedAnswer struct {
	at     time.Time
	date   string
	scheme string
	status int
}

// answerAt returns an answer of a service whose clock shows now. The clock of this
// machine is ahead by that duration.
func answerAt(ahead time.Duration) datedAnswer {
	return datedAnswer{at: now.Add(ahead), date: now.Format(http.TimeFormat)}
}

// watched returns the ClockCheck after these answers.
func watched(t *testing.T, answers ...datedAnswer) *awsclient.ClockCheck {
	t.Helper()
	var local time.Time
	var current datedAnswer
	cfg := aws.Config{HTTPClient: awstest.Client(func(*http.Request) (*http.Response, error) {
		local = current.at
		answer := &http.Response{StatusCode: max(current.status, 200), Header: http.Header{}, Body: http.NoBody}
		if current.date != "" {
			answer.Header.Set("Date", current.date)
		}
		return answer, nil
	})}
	check := awsclient.WatchClock(&cfg, func() time.Time { return local })
	for _, current = range answers {
		scheme := "https"
		if current.scheme != "" {
			scheme = current.scheme
		}
		do(t, cfg, scheme+"://ecr.invalid", nil)
	}
	return check
}

func TestTheClockIsComparedWithTheDateOfAnswers(t *testing.T) {
	t.Parallel()
	const wrong, unknown = "the clock of this machine is wrong", "without a usable Date header"
	dated := func(text string) datedAnswer { return datedAnswer{at: now, date: text} }
	over := func(a datedAnswer, scheme string, status int) datedAnswer {
		a.scheme, a.status = scheme, status
		return a
	}
	for name, test := range map[string]struct {
		answers []datedAnswer
		want    string // "" for no error
	}{
		"no answer":                      {},
		"the same second":                {[]datedAnswer{answerAt(0)}, ""},
		"119 s ahead":                    {[]datedAnswer{answerAt(119 * time.Second)}, ""},
		"119 s behind":                   {[]datedAnswer{answerAt(-119 * time.Second)}, ""},
		"121 s ahead":                    {[]datedAnswer{answerAt(121 * time.Second)}, wrong},
		"121 s behind":                   {[]datedAnswer{answerAt(-121 * time.Second)}, wrong},
		"60 days ahead":                  {[]datedAnswer{answerAt(60 * 24 * time.Hour)}, wrong},
		"500 years behind":               {[]datedAnswer{{at: now.AddDate(-500, 0, 0), date: now.Format(http.TimeFormat)}}, wrong},
		"at an http endpoint":            {[]datedAnswer{over(answerAt(121*time.Second), "http", 0)}, wrong},
		"in an error answer":             {[]datedAnswer{over(answerAt(121*time.Second), "https", 403)}, wrong},
		"RFC 850":                        {[]datedAnswer{dated("Sunday, 01-Mar-26 12:00:00 GMT")}, ""},
		"RFC 850, another hour":          {[]datedAnswer{dated("Sunday, 01-Mar-26 13:00:00 GMT")}, wrong},
		"asctime":                        {[]datedAnswer{dated("Sun Mar  1 12:00:00 2026")}, ""},
		"asctime, another hour":          {[]datedAnswer{dated("Sun Mar  1 11:00:00 2026")}, wrong},
		"no Date":                        {[]datedAnswer{dated("")}, unknown},
		"no Date at an http endpoint":    {[]datedAnswer{over(dated(""), "http", 0)}, ""},
		"no Date in an error of a proxy": {[]datedAnswer{over(dated(""), "https", 503)}, ""},
		"a Date that is none":            {[]datedAnswer{dated("yesterday")}, unknown},
		"a Date in RFC 3339":             {[]datedAnswer{dated("2026-03-01T12:00:00Z")}, unknown},
		"a Date in some answers":         {[]datedAnswer{answerAt(0), dated("")}, ""},
		"a Date in the second answer":    {[]datedAnswer{dated(""), answerAt(0)}, ""},
		"first right, then wrong":        {[]datedAnswer{answerAt(0), answerAt(time.Hour)}, wrong},
		"first wrong, then right":        {[]datedAnswer{answerAt(time.Hour), answerAt(0)}, wrong},
		"wrong, then without a Date":     {[]datedAnswer{answerAt(time.Hour), dated("")}, wrong},
		"an answer that took 30 s":       {[]datedAnswer{answerAt(30 * time.Second)}, ""},
	} {
		err := watched(t, test.answers...).Check()
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", name, err, test.want)
		}
		awstest.Equal(t, name+": error is ErrNoDate", test.want == unknown, errors.Is(err, awsclient.ErrNoDate))
	}
}

func TestAWrongClockIsNamedWithBothTimes(t *testing.T) {
	t.Parallel()
	err := watched(t, datedAnswer{at: now.Add(60*24*time.Hour + time.Millisecond).Local(), date: "Sun, 01 Mar 2026 12:00:00 GMT"}).Check()
	want := "the clock of this machine is wrong: it says 2026-04-30T12:00:00Z, ecr.invalid says 2026-03-01T12:00:00Z; " +
		"set the clock and run again (after a suspend, also set the clock of WSL and virtual machines)"
	awstest.Equal(t, "error", want, fmt.Sprint(err))
}

// A later answer that agrees does not hide a wrong clock. Once the wrong clock was
// reported, the newest answer counts.
func TestEveryDisagreementIsReported(t *testing.T) {
	t.Parallel()
	answers := make(chan time.Duration, 1)
	local := now
	cfg := aws.Config{HTTPClient: awstest.Client(func(*http.Request) (*http.Response, error) {
		local = now.Add(<-answers)
		return &http.Response{StatusCode: 200, Header: http.Header{"Date": {now.Format(http.TimeFormat)}}, Body: http.NoBody}, nil
	})}
	check := awsclient.WatchClock(&cfg, func() time.Time { return local })
	for i, step := range []struct {
		ahead []time.Duration // of the answers since the last check
		wrong bool
	}{
		{[]time.Duration{0}, false},
		{[]time.Duration{time.Hour, 0}, true},
		{nil, false}, // the newest answer agrees
		{[]time.Duration{time.Hour}, true},
		{nil, true}, // the newest answer still disagrees
		{[]time.Duration{0}, true},
		{nil, false},
	} {
		for _, ahead := range step.ahead {
			answers <- ahead
			do(t, cfg, "https://ecr.invalid", nil)
		}
		awstest.Equal(t, fmt.Sprintf("step %d: error", i), step.wrong, check.Check() != nil)
	}
}

func TestTimesOfServicesAreNeverTooLate(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for name, test := range map[string]struct {
		answers []datedAnswer
		behind  time.Duration // of the time of the services, compared with the clock
	}{
		"nothing is known":                 {nil, 0},
		"no Date":                          {[]datedAnswer{{at: now}}, 0},
		"the same second":                  {[]datedAnswer{answerAt(0)}, 0},
		"the clock is ahead":               {[]datedAnswer{answerAt(90 * s)}, 90 * s},
		"the clock is behind":              {[]datedAnswer{answerAt(-90 * s)}, -90 * s},
		"the largest of several":           {[]datedAnswer{answerAt(-90 * s), answerAt(30 * s), answerAt(10 * s)}, 30 * s},
		"one that disagrees plays no part": {[]datedAnswer{answerAt(30 * s), answerAt(time.Hour)}, 30 * s},
	} {
		if got := watched(t, test.answers...).ServiceTime(now); !got.Equal(now.Add(-test.behind)) {
			t.Errorf("%s: %v, want %v before %v", name, got, test.behind, now)
		}
	}
}

// The clock is read as wall time, since the monotonic clock stands still while the
// machine is suspended.
func TestTheClockIsReadAsWallTime(t *testing.T) {
	t.Parallel()
	local := time.Now()
	cfg := aws.Config{HTTPClient: awstest.Client(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{"Date": {local.UTC().Format(http.TimeFormat)}}, Body: http.NoBody}, nil
	})}
	check := awsclient.WatchClock(&cfg, func() time.Time { return local })
	do(t, cfg, "https://ecr.invalid", nil)
	if got := check.ServiceTime(local); strings.Contains(got.String(), "m=") {
		t.Errorf("ServiceTime = %v, with a monotonic reading", got)
	}
}

func TestTheCheckPassesAnswersAndErrorsOn(t *testing.T) {
	t.Parallel()
	cut := errors.New("cut")
	cfg := aws.Config{HTTPClient: awstest.Client(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == "/cut" {
			return nil, cut
		}
		return &http.Response{StatusCode: 418, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("tea"))}, nil
	})}
	check := awsclient.WatchClock(&cfg, func() time.Time { return now })
	for path, want := range map[string]string{"/": "418 tea <nil>", "/cut": "0  cut"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://ecr.invalid"+path, http.NoBody)
		awstest.NoError(t, err)
		status, body := 0, ""
		answer, err := cfg.HTTPClient.Do(r)
		if answer != nil {
			text, _ := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			status, body = answer.StatusCode, string(text)
		}
		awstest.Equal(t, path, want, fmt.Sprint(status, " ", body, " ", err))
	}
	if err := check.Check(); err != nil {
		t.Errorf("after a refusal and a lost answer: %v", err)
	}
}

func TestANilCheckHasSeenNoAnswer(t *testing.T) {
	t.Parallel()
	var check *awsclient.ClockCheck
	if err := check.Check(); err != nil || !check.ServiceTime(now).Equal(now) {
		t.Errorf("Check: %v, ServiceTime: %v", err, check.ServiceTime(now))
	}
}

func TestTheCheckIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	cfg := aws.Config{HTTPClient: awstest.Client(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{"Date": {now.Format(http.TimeFormat)}}, Body: http.NoBody}, nil
	})}
	check := awsclient.WatchClock(&cfg, func() time.Time { return now })
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				do(t, cfg, "https://ecr.invalid", nil)
				if err := check.Check(); err != nil || !check.ServiceTime(now).Equal(now) {
					t.Errorf("Check: %v", err)
				}
			}
		})
	}
	wg.Wait()
}
