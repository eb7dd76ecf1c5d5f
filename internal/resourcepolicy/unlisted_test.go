package resourcepolicy_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
	"github.com/ecr-cleaner/ecr-cleaner/internal/resourcepolicy"
)

// when returns the condition of a statement.
func when(condition string) string { return `, "Condition": {` + condition + `}` }

func TestUnlisted(t *testing.T) {
	t.Parallel()
	const (
		unnamed = "unknown principals (a statement does not name them)"
		unread  = "unknown principals (the policy cannot be read)"
		every   = `AWS "*"`
		lambda  = `{"Service": "lambda.amazonaws.com"}`
		anyone  = `Service "lambda.amazonaws.com" for any account`
	)
	ours, paths := `"aws:PrincipalOrgID": "o-ours"`, `"aws:PrincipalOrgPaths": ["o-ours/r-ab12/ou-ab12-1/*", "o-ours/*"]`
	deny := strings.Replace(allow(`"*"`, ""), "Allow", "Deny", 1)
	for name, test := range map[string]struct{ text, want string }{
		"no policy":             {"", ""},
		"who may push":          {acting(`"Action": "ecr:PutImage"`), ""},
		"a listed account":      {allow(`{"AWS": ["222222222222", "arn:aws:iam::222222222222:role/ci"]}`, ""), ""},
		"another account":       {allow(`{"AWS": ["222222222222", "arn:aws:iam::333333333333:root"]}`, ""), `AWS "arn:aws:iam::333333333333:root"`},
		"everyone":              {allow(`"*"`, ""), every},
		"any account's role":    {allow(`{"AWS": "arn:aws:iam::*:role/ci"}`, ""), `AWS "arn:aws:iam::*:role/ci"`},
		"a unique ID":           {allow(`{"AWS": "AROAEXAMPLEID"}`, ""), `AWS "AROAEXAMPLEID"`},
		"federated":             {allow(`{"Federated": "cognito"}`, ""), `Federated "cognito"`},
		"no AWS principal":      {allow(`{"AWS": []}`, ""), unnamed},
		"all but one":           {`{"Statement": {"Effect": "Allow", "Action": "ecr:*", "NotPrincipal": {"AWS": "222222222222"}}}`, unnamed},
		"all but, in ours":      {`{"Statement": {"Effect": "Allow", "Action": "ecr:*", "NotPrincipal": {"AWS": "222222222222"}` + when(`"StringEquals": {`+ours+`}`) + `}}`, unnamed},
		"no principal":          {`{"Statement": {"Effect": "Allow", "Action": "ecr:*"}}`, unnamed},
		"no JSON":               {"{", unread},
		"a statement of null":   {`{"Statement": [null]}`, unnamed},
		"denied beside allowed": {`{"Statement": [` + statementOf(allow(`"*"`, "")) + `, ` + statementOf(deny) + `]}`, every},

		"our organization":          {allow(`"*"`, when(`"StringEquals": {`+ours+`}`)), ""},
		"a role in it":              {allow(`{"AWS": "arn:aws:iam::333333333333:role/ci"}`, when(`"StringEquals": {`+ours+`}`)), ""},
		"in small letters":          {allow(`"*"`, when(`"StringEquals": {"aws:principalorgid": ["o-ours"]}`)), ""},
		"and a second condition":    {allow(`"*"`, when(`"StringEquals": {`+ours+`, "aws:PrincipalTag/a": "b"}, "Bool": {"aws:SecureTransport": "true"}`)), ""},
		"its paths":                 {allow(`"*"`, when(`"ForAnyValue:StringLike": {`+paths+`}`)), ""},
		"its paths, equal":          {allow(`"*"`, when(`"ForAnyValue:StringEquals": {`+paths+`}`)), ""},
		"two organizations":         {allow(`"*"`, when(`"StringEquals": {"aws:PrincipalOrgID": ["o-ours", "o-theirs"]}`)), every},
		"another organization":      {allow(`"*"`, when(`"StringEquals": {"aws:PrincipalOrgID": "o-theirs"}`)), every},
		"no organization":           {allow(`"*"`, when(`"StringEquals": {"aws:PrincipalOrgID": []}`)), every},
		"like it":                   {allow(`"*"`, when(`"StringLike": {`+ours+`}`)), every},
		"if it exists":              {allow(`"*"`, when(`"StringEqualsIfExists": {`+ours+`}`)), every},
		"not it":                    {allow(`"*"`, when(`"StringNotEquals": {`+ours+`}`)), every},
		"any value":                 {allow(`"*"`, when(`"ForAnyValue:StringEquals": {`+ours+`}`)), every},
		"all values of paths":       {allow(`"*"`, when(`"ForAllValues:StringLike": {`+paths+`}`)), every},
		"paths without a set":       {allow(`"*"`, when(`"StringLike": {`+paths+`}`)), every},
		"a path of a similar one":   {allow(`"*"`, when(`"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-ours2/*"}`)), every},
		"a path with a star":        {allow(`"*"`, when(`"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-ours/*", "*"]}`)), every},
		"the organization's source": {allow(`"*"`, when(`"StringEquals": {"aws:ResourceOrgID": "o-ours"}`)), every},
		"a condition of null":       {allow(`"*"`, `, "Condition": null`), every},
		"a condition of numbers":    {allow(`"*"`, when(`"StringEquals": {`+ours+`}, "NumericEquals": {"a": 1}`)), every},
		"federated in ours":         {allow(`{"Federated": "cognito"}`, when(`"StringEquals": {`+ours+`}`)), `Federated "cognito"`},

		"a service":                   {allow(lambda, ""), anyone},
		"a service in ours":           {allow(lambda, when(`"StringEquals": {`+ours+`}`)), anyone},
		"for a listed account":        {allow(lambda, when(`"StringEquals": {"aws:SourceAccount": "222222222222"}`)), ""},
		"for its function":            {allow(lambda, when(`"StringLike": {"aws:sourceARN": "arn:aws:lambda:eu-west-1:222222222222:function:*"}`)), ""},
		"for its function, as ARN":    {allow(lambda, when(`"ArnLike": {"aws:SourceArn": ["arn:aws:lambda:*:222222222222:*"]}`)), ""},
		"for another's too":           {allow(lambda, when(`"StringEquals": {"aws:SourceAccount": ["222222222222", "333333333333"]}`)), `Service "lambda.amazonaws.com" for 333333333333`},
		"for another's, and a listed": {allow(lambda, when(`"ArnLike": {"aws:SourceArn": "arn:aws:lambda:*:333333333333:*"}, "StringEquals": {"aws:SourceAccount": "222222222222"}`)), ""},
		"for any function":            {allow(lambda, when(`"ArnLike": {"aws:SourceArn": "arn:aws:lambda:eu-west-1:*:function:222222222222"}`)), anyone},
		"for an account like it":      {allow(lambda, when(`"StringLike": {"aws:SourceAccount": "22222222222*"}`)), anyone},
		"unless it exists":            {allow(lambda, when(`"StringEqualsIfExists": {"aws:SourceAccount": "222222222222"}`)), anyone},
		"not for it":                  {allow(lambda, when(`"StringNotEquals": {"aws:SourceAccount": "222222222222"}`)), anyone},
		"of no account":               {allow(lambda, when(`"StringEquals": {"aws:SourceAccount": []}`)), anyone},
		"by another key":              {allow(lambda, when(`"StringEquals": {"aws:PrincipalAccount": "222222222222"}`)), anyone},
	} {
		got := resourcepolicy.Parse(test.text).Unlisted([]string{account}, "o-ours")
		awstest.Equal(t, name, test.want, strings.Join(got, ", "))
	}
	everyone := resourcepolicy.Parse(allow(`"*"`, when(`"StringEquals": {"aws:PrincipalOrgID": ""}`)))
	awstest.Equal(t, "without an organization", []string{every}, everyone.Unlisted(nil, ""))
}

// A statement more never lists an account.
func FuzzUnlisted(f *testing.F) {
	f.Add(statementOf(allow(`"*"`, "")), statementOf(allow(`"*"`, when(`"StringEquals": {"aws:PrincipalOrgID": "o-ours"}`))), account, "o-ours")
	f.Add(statementOf(allow(`{"Service": "x"}`, when(`"StringEquals": {"aws:SourceAccount": "333333333333"}`))), `{"Effect": "Deny", "Action": "*", "Principal": "*"}`, account, "")
	f.Add(`{"Effect": "Allow", "NotAction": [], "NotPrincipal": {}}`, `[]`, "", "")
	f.Fuzz(func(t *testing.T, one, more, listed, organization string) {
		accounts := []string{listed}
		resourcepolicy.Parse(one).Unlisted(accounts, organization)
		if !json.Valid([]byte(one)) || !json.Valid([]byte(more)) {
			return
		}

		before := resourcepolicy.Parse(`{"Statement": [`+one+`]}`).Unlisted(accounts, organization)
		for _, both := range []string{one + ", " + more, more + ", " + one} {
			if after := resourcepolicy.Parse(`{"Statement": [`+both+`]}`).Unlisted(accounts, organization); len(before) > 0 && len(after) == 0 {
				t.Errorf("%q are no longer unlisted by %s", before, both)
			}
		}
		if fewer := resourcepolicy.Parse(`{"Statement": [`+one+`]}`).Unlisted(nil, ""); len(fewer) == 0 && len(before) > 0 {
			t.Errorf("%q are unlisted with more lists only", before)
		}
	})
}
