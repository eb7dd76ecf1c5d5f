package role_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/role"
)

const (
	arn    = "arn:aws:iam::222222222222:role/reader"
	secret = "the-word"
)

var advice = role.Advice{Permission: "PERMISSION", Trust: "TRUST", Field: "FIELD"}

// The session has the name of the run, without what STS refuses.
func TestARoleIsAssumedOnce(t *testing.T) {
	t.Parallel()
	for session, want := range map[string]string{
		"run-1": "run-1", "a b/c:é": "a-b-c--", "": "ecr-cleaner", "x": "ecr-cleaner", strings.Repeat("a", 70): strings.Repeat("a", 64),
	} {
		for _, externalID := range []string{"", secret} {
			sts := &inusetest.STS{}
			r := role.NewCaller(awstest.Serve(t, sts), session).Role(arn, externalID, advice)
			awstest.Equal(t, "calls before the role is needed", 0, len(sts.Assumed()))
			for range 2 {
				awstest.NoError(t, r.Assume(t.Context()))
			}
			credentials, err := r.Credentials.Retrieve(t.Context())
			awstest.NoError(t, err)
			awstest.Equal(t, "there are credentials", true, credentials.HasKeys() && credentials.CanExpire)
			awstest.Equal(t, "calls", 1, len(sts.Assumed()))
			call := sts.Assumed()[0]
			awstest.Equal(t, "role, session, external ID, seconds", []string{arn, want, externalID, "3600"},
				[]string{call.Get("RoleArn"), call.Get("RoleSessionName"), call.Get("ExternalId"), call.Get("DurationSeconds")})
		}
	}
}

// The error says what to do where, and never has the external ID, which STS may repeat.
func TestAnErrorSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status        int // 0 breaks the connection
		code, message string
		want          []string
	}{
		"denied":        {http.StatusForbidden, "AccessDenied", "not authorized", []string{"denied to arn:aws:iam::123456789012:role/cleaner", "PERMISSION", "TRUST", "externalId in FIELD"}},
		"throttled":     {http.StatusBadRequest, "Throttling", "Rate exceeded", []string{"STS throttles", "run again later"}},
		"malformed":     {http.StatusBadRequest, "ValidationError", "Value 'the-word' failed", []string{"Value 'EXTERNAL-ID' failed", "check roleArn and externalId in FIELD"}},
		"without reply": {0, "", "", []string{"STS did not answer", "create an endpoint for STS"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sts := &inusetest.STS{Refuse: func(form url.Values) (int, string, string) {
				switch {
				case form.Get("Action") != "AssumeRole":
					return 0, "", ""
				case test.status == 0:
					panic(http.ErrAbortHandler)
				}
				return test.status, test.code, test.message
			}}
			r := role.NewCaller(awstest.Attempts(awstest.Serve(t, sts), 1), "run-1").Role(arn, secret, advice)
			err := r.Assume(t.Context())
			if err == nil {
				t.Fatal("the role is assumed")
			}
			awstest.ErrorContains(t, err, append(test.want, "assume role "+arn+": ", "sts:AssumeRole")...)
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the external ID is in %v", err)
			}
			calls := len(sts.Assumed())
			awstest.ErrorContains(t, r.Assume(t.Context()), err.Error())
			awstest.Equal(t, "calls after the second", calls, len(sts.Assumed()))
		})
	}
}

// The cache calls Retrieve in a goroutine of its own, where a panic would end the process.
func TestAPanicIsAnError(t *testing.T) {
	t.Parallel()
	r := role.NewCaller(awstest.Serve(t, &inusetest.STS{}), "run-1").Role(arn, "", advice)
	_, err := r.Retrieve(nil) //nolint:staticcheck // a nil context causes the panic
	awstest.ErrorContains(t, err, "assume role "+arn+": the program is faulty", "please report it")
}
