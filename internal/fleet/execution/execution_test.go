package execution_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/inusetest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fleet/execution"
)

type object = inusetest.Object

func earlier(t *testing.T, replies ...string) (string, error) {
	t.Helper()
	service := &inusetest.JSONService{Reply: func(string, object) object {
		var out object
		awstest.NoError(t, json.Unmarshal([]byte(replies[0]), &out))
		if len(replies) > 1 {
			replies = replies[1:]
		}
		return out
	}}
	cfg := awstest.Attempts(awstest.Offline(awstest.InProcess(http.HandlerFunc(service.ServeHTTP))), 1)
	api := awsclient.Service{Config: cfg, Name: "states", SDKID: "SFN", Clock: awstest.Clock}
	return execution.Earlier(t.Context(), api, "arn:aws:states:eu-west-1:111111111111:stateMachine:fleet", "own")
}

func TestTheEarlierExecutionGoesOn(t *testing.T) {
	t.Parallel()
	const own, none = `{"name": "own", "startDate": 20.5}`, `{"executions": []}`
	only := `{"executions": [` + own + `]}`
	for name, test := range map[string]struct {
		replies []string
		want    string
		words   string
	}{
		"alone":              {[]string{none, only}, "", ""},
		"another is earlier": {[]string{`{"executions": [` + own + `, {"name": "x", "startDate": 20.4}]}`}, "x", ""},
		"another is later":   {[]string{`{"executions": [` + own + `, {"name": "a", "startDate": 20.6}]}`}, "", ""},
		"at the same time":   {[]string{`{"executions": [` + own + `, {"name": "a", "startDate": 20.5}]}`}, "a", ""},
		"on the next page":   {[]string{`{"executions": [` + own + `], "nextToken": "n"}`, `{"executions": [{"name": "x", "startDate": 1}]}`}, "x", ""},
		"listed late":        {[]string{only, `{"executions": [` + own + `, {"name": "x", "startDate": 1}]}`}, "x", ""},
		"never listed":       {[]string{none}, "", "start a new execution"},
		"denied":             {[]string{`{"__type": "AccessDeniedException", "message": "no"}`}, "", "allow the action states:ListExecutions"},
		"no list":            {[]string{`{"nextToken": "n"}`}, "", "the answer has no list"},
		"no start":           {[]string{`{"executions": [{"name": "own"}]}`}, "", "without a name or a start"},
	} {
		synctest.Test(t, func(t *testing.T) {
			got, err := earlier(t, test.replies...)
			awstest.Equal(t, name, test.want, got)
			if (err != nil) != (test.words != "") || err != nil && !strings.Contains(err.Error(), test.words) {
				t.Errorf("%s: %v, want %q", name, err, test.words)
			}
		})
	}
}
