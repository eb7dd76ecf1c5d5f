package plan_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/finding"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
)

// A policyReader is a registry with resource policies.
type policyReader struct {
	reader
	text string
	err  error
}

func (r policyReader) RepositoryPolicyText(context.Context, string) (string, error) {
	return r.text, r.err
}

func TestWhoElseMayPullIsAFinding(t *testing.T) {
	t.Parallel()
	allow := func(action, principal string) string {
		return `{"Statement": [{"Effect": "Allow", "Action": ` + action + `, "Principal": ` + principal + `}]}`
	}
	const others = "its policy lets %s pull; protect.references has no list of the images that they use"
	for name, test := range map[string]struct {
		text, config, want string
		err                error
	}{
		"no policy":        {"", scanned, "", nil},
		"unreadable":       {"{", scanned, fmt.Sprintf(others, "unknown principals (the policy cannot be read)"), nil},
		"an account":       {allow(`["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]`, `{"AWS": "arn:aws:iam::999999999999:root"}`), scanned, fmt.Sprintf(others, "arn:aws:iam::999999999999:root"), nil},
		"anybody":          {allow(`"ecr:*"`, `"*"`), scanned, fmt.Sprintf(others, "*"), nil},
		"several":          {allow(`"*"`, `{"AWS": ["222222222222", "123456789012", "111111111111", "111111111111"]}`), scanned, fmt.Sprintf(others, "111111111111, 222222222222"), nil},
		"this account":     {allow(`"ecr:BatchGetImage"`, `{"AWS": "arn:aws:iam::123456789012:role/ci"}`), scanned, "", nil},
		"who may push":     {allow(`"ecr:PutImage"`, `{"AWS": "999999999999"}`), scanned, "", nil},
		"who is denied":    {strings.Replace(allow(`"ecr:*"`, `"*"`), "Allow", "Deny", 1), scanned, "", nil},
		"a service":        {allow(`"ecr:BatchGetImage"`, `{"Service": "lambda.amazonaws.com"}`), scanned, "", nil},
		"one statement":    {`{"Statement": {"Effect": "Allow", "Action": "ecr:BatchGetImage", "Principal": "*"}}`, scanned, fmt.Sprintf(others, "*"), nil},
		"with a list":      {allow(`"ecr:*"`, `"*"`), strings.Replace(scanned, `"inUse"`, `"references": ["r"], "inUse"`, 1), "", nil},
		"without a scan":   {allow(`"ecr:*"`, `"*"`), expireAll, "", nil},
		"not to be read":   {"", scanned, "it is not known which other accounts may pull from it: denied", errors.New("denied")},
		"action no string": {allow(`[1]`, `"*"`), scanned, fmt.Sprintf(others, "unknown principals (the policy cannot be read)"), nil},
		"a name like ours": {allow(`"ecr:*"`, `{"AWS": "arn:aws:iam::999999999999:role/of-123456789012"}`), scanned, fmt.Sprintf(others, "arn:aws:iam::999999999999:role/of-123456789012"), nil},
		"a wildcard":       {allow(`"ecr:BatchGetIm*"`, `"*"`), scanned, fmt.Sprintf(others, "*"), nil},
		"one character":    {allow(`"ecr:BatchGetImag?"`, `"*"`), scanned, fmt.Sprintf(others, "*"), nil},
		"all but an action": {
			`{"Statement": {"Effect": "Allow", "NotAction": "ecr:PutImage", "Principal": "*"}}`, scanned, fmt.Sprintf(others, "*"), nil,
		},
		"all but some": {
			`{"Statement": {"Effect": "Allow", "Action": "ecr:*", "NotPrincipal": {"AWS": "x"}}}`, scanned, fmt.Sprintf(others, "everyone outside NotPrincipal"), nil,
		},
		"a service for another account": {
			`{"Statement": {"Effect": "Allow", "Action": "ecr:BatchGetImage", "Principal": {"Service": "lambda.amazonaws.com"},
			  "Condition": {"StringLike": {"aws:sourceArn": ["arn:aws:lambda:eu-west-1:123456789012:function:*", "arn:aws:lambda:eu-west-1:999999999999:function:*"]}}}}`,
			scanned, fmt.Sprintf(others, "lambda.amazonaws.com for 999999999999"), nil,
		},
	} {
		w := newFakeRegistry(image("sha256:a", 9*day))
		r := newRunner(t, w, test.config)
		r.Registry = policyReader{w.Reader(), test.text, test.err}
		scans(&r, inuse.Scan{Uses: []inuse.Use{use("sha256:a", "x")}[:0]})
		report := run(t, &r)
		got := slices.DeleteFunc(report.Findings, func(f finding.Finding) bool { return f.Kind != finding.SharedRepository })
		switch {
		case test.want == "" && len(got) > 0:
			t.Errorf("%s: findings %v, want none", name, got)
		case test.want != "" && (len(got) != 1 || got[0].Message != test.want || got[0].Repository != "app"):
			t.Errorf("%s: findings %v, want %q", name, got, test.want)
		}
	}
}
