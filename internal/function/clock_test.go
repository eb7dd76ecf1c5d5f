package function_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/function"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
)

// A signatureCheck refuses requests that are signed for a time more than five minutes
// from its clock, as AWS does, or refuses all requests.
type signatureCheck struct {
	http.Handler
	refuseAll bool
	refused   int
}

func (s *signatureCheck) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err == nil && signed.Sub(now).Abs() <= 5*time.Minute && !s.refuseAll {
		s.Handler.ServeHTTP(w, r)
		return
	}
	s.refused++
	w.Header().Set("Date", now.Format(http.TimeFormat))
	w.Header().Set("X-Amzn-ErrorType", "InvalidSignatureException")
	w.WriteHeader(http.StatusForbidden)
	fmt.Fprintf(w, `{"__type": "InvalidSignatureException", "message": "Signature expired: %s is now earlier than another time"}`, r.Header.Get("X-Amz-Date"))
}

// The embedded registry has the right time; this machine has not.
func TestAWrongClockIsAnErrorOfTheRegistry(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, ahead := range []time.Duration{60 * day, 121 * time.Second, -121 * time.Second, -60 * day} {
		for name, signatures := range map[string]*signatureCheck{
			"signatures are not checked": nil,
			"signatures are checked":     {},
			"every signature is refused": {refuseAll: true},
		} {
			for _, mode := range []string{"plan", "apply"} {
				f := newFixture(t, expireAll)
				f.push("app", 59*day)
				f.push("app", time.Hour)
				handler := http.Handler(f.registry)
				if signatures != nil {
					signatures.Handler, handler = f.registry, signatures
				}
				f.Now = func() time.Time { return now.Add(ahead) }
				f.connect(awstest.Serve(t, handler))
				_, err := f.Handle(t.Context(), json.RawMessage(`{"mode": "`+mode+`"}`))
				for _, at := range []time.Time{now, now.Add(ahead)} {
					wantError[*function.RegistryError](t, err, at.Format(time.RFC3339))
				}
				if err != nil && strings.Contains(err.Error(), "Signature") {
					t.Errorf("%s: the error is that of the signature: %v", name, err)
				}
				if signatures != nil && signatures.refuseAll && signatures.refused == 0 {
					t.Errorf("%s: no signature was refused", name)
				}
				calls := f.registry.Calls()
				if left := f.registry.Images("app"); len(left) != 2 || calls["DescribeImages"]+calls["BatchDeleteImage"] > 0 {
					t.Errorf("%s: %d images are left after the calls %v", name, len(left), calls)
				}
			}
		}
	}
}

// Policies and protection use the time of AWS, from which the clock of this machine may
// differ by two minutes: no image is removed early. The report ends after it begins.
func TestVerdictsCountByTheTimeOfAWS(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{110 * time.Second, 0, -110 * time.Second} {
		for age, want := range map[time.Duration]int{day - time.Minute: 0, day + time.Minute: 1} {
			f := newFixture(t, expireAll)
			f.push("app", age)
			f.Now = func() time.Time { return now.Add(ahead) }
			f.connect(awstest.Serve(t, f.registry))
			report, err := f.Handle(t.Context(), json.RawMessage(`{"mode": "apply"}`))
			awstest.NoError(t, err)
			if report.Totals.Deleted != want || !report.Start.Equal(now) || report.End.Before(report.Start) {
				t.Errorf("%v ahead, pushed %v ago: %d deleted from %v to %v", ahead, age, report.Totals.Deleted, report.Start, report.End)
			}
		}
	}
}

// undated leaves the Date out of the answers.
type undated struct{ http.Handler }

func (u undated) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := httptest.NewRecorder()
	u.Handler.ServeHTTP(answer, r)
	maps.Copy(w.Header(), answer.Header())
	w.Header()["Date"] = nil
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // the caller may have given up
}

// connectTo has the handler connect to the server, with the server's certificate.
func (f *fixture) connectTo(t *testing.T, server *httptest.Server) {
	t.Helper()
	t.Cleanup(server.Close)
	cfg := awsclient.Local(server.URL, awstest.Region)
	cfg.HTTPClient = server.Client()
	f.connect(cfg)
}

// If no answer has a Date, apply removes nothing unless an emulator answers. A plan is still made.
func TestWithoutADateNothingIsRemoved(t *testing.T) {
	t.Parallel()
	for scheme, start := range map[string]func(http.Handler) *httptest.Server{"http": httptest.NewServer, "https": httptest.NewTLSServer} {
		for _, mode := range []string{"plan", "apply"} {
			f := newFixture(t, expireAll)
			f.push("app", 9*day)
			f.connectTo(t, start(undated{f.registry}))
			report, err := f.Handle(t.Context(), json.RawMessage(`{"mode": "`+mode+`"}`))
			left, want := len(f.registry.Images("app")), 1
			switch {
			case scheme == "https" && mode == "apply":
				wantError[*function.RegistryError](t, err, awsclient.ErrNoDate.Error())
			case mode == "apply":
				want = 0
				fallthrough
			default:
				if err != nil || report.Totals.Expired != 1 {
					t.Errorf("%s, %s: %+v, %v", scheme, mode, report, err)
				}
			}
			awstest.Equal(t, fmt.Sprintf("%s, %s: images that are left", scheme, mode), want, left)
		}
	}
}

// If AWS refuses a call without a Date, the error is the refusal, not the missing Date.
func TestARefusalWithoutADateIsTheError(t *testing.T) {
	t.Parallel()
	f := newFixture(t, expireAll)
	f.registry.Fail("DescribeRepositories", "", "AccessDeniedException")
	f.connectTo(t, httptest.NewTLSServer(undated{f.registry}))
	_, err := f.Handle(t.Context(), json.RawMessage(`{"mode": "apply"}`))
	wantError[*function.RegistryError](t, err, "not authorized to perform: ecr:DescribeRepositories")
}

// The time of a scan is AWS's, like the pull times with which it is compared.
func TestAScanBeginsAtATimeOfAWS(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{0, 90 * time.Second, -90 * time.Second} {
		local := func() time.Time { return now.Add(ahead) }
		_, cfg := awstest.Registry(t)
		r := function.Connect(cfg, local)
		r.Sources = func(config.Config, string) []inuse.Source { return nil }
		runner := r.Runner(config.Default(), local)
		_, err := r.Account(t.Context())
		awstest.NoError(t, err)
		awstest.Equal(t, fmt.Sprintf("beginning of the scan with a clock that is %v ahead", ahead), now, runner.Scan(t.Context()).At)
	}
}
