package resourcepolicy_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/resourcepolicy"
)

const account = "222222222222"

// allow returns a policy with one statement that allows the pull to the principal, with
// further members.
func allow(principal, members string) string {
	return `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], "Principal": ` + principal + members + `}]}`
}

// acting returns a policy that allows everybody the action.
func acting(action string) string {
	return `{"Statement": {"Effect": "Allow", ` + action + `, "Principal": "*"}}`
}

func TestMayAdmit(t *testing.T) {
	t.Parallel()
	const organization = `, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}`
	deny := strings.Replace(allow(`"*"`, ""), "Allow", "Deny", 1)
	for name, test := range map[string]struct {
		text string
		want bool
	}{
		"no policy":         {"", false},
		"no statement":      {`{"Statement": []}`, false},
		"another's number":  {allow(`{"AWS": "333333333333"}`, ""), false},
		"others' ARNs":      {allow(`{"AWS": ["arn:aws:iam::333333333333:root", "arn:aws-cn:iam::444444444444:role/of-222222222222"]}`, ""), false},
		"who may push":      {acting(`"Action": "ecr:PutImage"`), false},
		"a wildcard to put": {acting(`"Action": ["ecr:Put*", "ecr:Replicate*"]`), false},
		"who is denied":     {deny, false},

		"everybody":                {allow(`"*"`, ""), true},
		"every AWS principal":      {allow(`{"AWS": "*"}`, ""), true},
		"an organization":          {allow(`"*"`, organization), true},
		"an unknown condition":     {allow(`"*"`, `, "Condition": {"x": {"y": "333333333333"}}`), true},
		"its number":               {allow(`{"AWS": "222222222222"}`, ""), true},
		"its root":                 {allow(`{"AWS": ["333333333333", "arn:aws:iam::222222222222:root"]}`, ""), true},
		"its role, in a condition": {allow(`{"AWS": "arn:aws:iam::222222222222:role/ci"}`, organization), true},
		"its session":              {allow(`{"AWS": "arn:aws:sts::222222222222:assumed-role/ci/x"}`, ""), true},
		"a unique ID":              {allow(`{"AWS": "AROAEXAMPLEID"}`, ""), true},
		"any account's role":       {allow(`{"AWS": "arn:aws:iam::*:role/ci"}`, ""), true},
		"an ARN without account":   {allow(`{"AWS": "arn:aws:iam:::root"}`, ""), true},
		"no ARN":                   {allow(`{"AWS": "x:aws:iam::333333333333:root"}`, ""), true},
		"a service":                {allow(`{"Service": "lambda.amazonaws.com"}`, ""), true},
		"a service for another":    {allow(`{"Service": "lambda.amazonaws.com"}`, `, "Condition": {"StringLike": {"aws:sourceArn": "arn:aws:lambda:eu-west-1:333333333333:function:*"}}`), true},
		"another and a service":    {allow(`{"AWS": "333333333333", "Service": "lambda.amazonaws.com"}`, ""), true},
		"federated":                {allow(`{"Federated": "arn:aws:iam::333333333333:saml-provider/x"}`, ""), true},
		"canonical user":           {allow(`{"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}`, ""), true},
		"a new kind":               {allow(`{"Robot": "333333333333"}`, ""), true},
		"a kind in small letters":  {allow(`{"aws": "333333333333"}`, ""), true},
		"no AWS principal":         {allow(`{"AWS": []}`, ""), true},
		"a principal of null":      {allow(`{"AWS": [null]}`, ""), true},
		"no principal":             {`{"Statement": [{"Effect": "Allow", "Action": "ecr:BatchGetImage"}]}`, true},
		"all but one":              {`{"Statement": [{"Effect": "Allow", "Action": "ecr:*", "NotPrincipal": {"AWS": "222222222222"}}]}`, true},
		"both":                     {allow(`{"AWS": "333333333333"}`, `, "NotPrincipal": null`), true},
		"all actions":              {acting(`"Action": "*"`), true},
		"all of ECR":               {acting(`"Action": "ECR:*"`), true},
		"one of the two actions":   {acting(`"Action": ["ecr:PutImage", "ecr:getdownloadurlforlayer"]`), true},
		"a wildcard":               {acting(`"Action": "ecr:Batch*Image"`), true},
		"one character":            {acting(`"Action": "ecr:BatchGetImag?"`), true},
		"all but an action":        {acting(`"NotAction": "ecr:BatchGetImage"`), true},
		"no action":                {acting(`"Sid": "x"`), true},
		"no effect":                {strings.Replace(allow(`"*"`, ""), `"Effect": "Allow", `, "", 1), true},
		"an effect in small":       {strings.Replace(allow(`"*"`, ""), "Allow", "deny", 1), true},
		"allowed and denied":       {`{"Statement": [` + statementOf(allow(`"*"`, "")) + `, ` + statementOf(deny) + `]}`, true},

		"no JSON":               {"{", true},
		"no object":             {`[]`, true},
		"null":                  {"null", true},
		"without statements":    {`{}`, true},
		"statements of null":    {`{"Statement": null}`, true},
		"a statement of null":   {`{"Statement": [null]}`, true},
		"more after it":         {`{"Statement": []} {}`, true},
		"two lists":             {`{"Statement": [], "statement": []}`, true},
		"two effects":           {`{"Statement": {"Effect": "Allow", "Effect": "Deny", "Action": "*", "Principal": "*"}}`, true},
		"an action of a number": {acting(`"Action": [1]`), true},
		"a principal in words":  {allow(`"333333333333"`, ""), true},
	} {
		awstest.Equal(t, name, test.want, resourcepolicy.Parse(test.text).MayAdmit(account))
	}
}

// statementOf returns the one statement of the policy.
func statementOf(policy string) string {
	var document struct{ Statement []json.RawMessage }
	if err := json.Unmarshal([]byte(policy), &document); err != nil {
		panic(err)
	}
	return string(document.Statement[0])
}

func TestPullersLeaveOutAccounts(t *testing.T) {
	t.Parallel()
	policy := resourcepolicy.Parse(allow(`{"AWS": ["222222222222", "arn:aws:iam::333333333333:root", "AROAEXAMPLEID"], "CanonicalUser": "u",
		"Service": "lambda.amazonaws.com"}`, `, "Condition": {"StringLike": {"aws:sourceAccount": ["222222222222", "444444444444"]}}`))
	awstest.Equal(t, "outside of one", []string{"AROAEXAMPLEID", "arn:aws:iam::333333333333:root", "lambda.amazonaws.com for 444444444444", "u"}, policy.Pullers("222222222222"))
	awstest.Equal(t, "outside of three", []string{"AROAEXAMPLEID", "u"}, policy.Pullers("222222222222", "333333333333", "444444444444"))
}

// If the context of a caller ends, the callers with another context get no error.
func TestOnceReadsOnce(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	reads := 0
	read := func(ctx context.Context) (string, error) {
		reads++
		return allow(`"*"`, ""), ctx.Err()
	}
	var once resourcepolicy.Once
	for i, ctx := range []context.Context{ended, ended, t.Context(), t.Context(), ended} {
		policy, err := once.Get(ctx, read)
		if ok := i >= 2; (err == nil) != ok || ok && !policy.MayAdmit(account) || reads != min(i+1, 3) {
			t.Errorf("call %d after %d reads: %v", i, reads, err)
		}
	}
	failed := func(context.Context) (string, error) { reads++; return "", errors.New("denied") }
	var denied, none *resourcepolicy.Once = &resourcepolicy.Once{}, nil
	reads = 0
	for range 2 {
		_, err := denied.Get(t.Context(), failed)
		_, also := none.Get(t.Context(), failed)
		if err == nil || also == nil {
			t.Errorf("no error: %v, %v", err, also)
		}
	}
	awstest.Equal(t, "reads", 3, reads)
}

// A statement more never takes an account out.
func FuzzMayAdmit(f *testing.F) {
	f.Add(statementOf(allow(`"*"`, "")), `{"Effect": "Deny", "Action": "*", "Principal": "*"}`, account)
	f.Add(statementOf(allow(`{"AWS": "333333333333"}`, "")), `null`, account)
	f.Add(`{"Effect": "Allow", "NotAction": [], "NotPrincipal": {}}`, `[]`, "")
	f.Fuzz(func(t *testing.T, one, more, of string) {
		resourcepolicy.Parse(one).MayAdmit(of)
		resourcepolicy.Parse(one).Pullers(of)
		if !json.Valid([]byte(one)) || !json.Valid([]byte(more)) || !resourcepolicy.Parse(`{"Statement": [`+one+`]}`).MayAdmit(of) {
			return
		}
		for _, both := range []string{one + ", " + more, more + ", " + one} {
			if !resourcepolicy.Parse(`{"Statement": [` + both + `]}`).MayAdmit(of) {
				t.Errorf("no longer admitted by %s", both)
			}
		}
	})
}
