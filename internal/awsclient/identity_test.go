package awsclient_test

import (
	"testing"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr"
	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

func TestCallerIsARoleWhateverItsSession(t *testing.T) {
	t.Parallel()
	_, cfg := awstest.Registry(t, fakeecr.WithAccount("210987654321"))
	got, err := awsclient.Caller(t.Context(), cfg)
	if want := (awsclient.Principal{Partition: "aws", Account: "210987654321", Kind: "role", Name: "cleaner"}); err != nil || got != want {
		t.Errorf("Caller = %+v, %v; want %+v", got, err, want)
	}
}

func TestCallerErrors(t *testing.T) {
	t.Parallel()
	registry, cfg := awstest.Registry(t)
	registry.Fail("GetCallerIdentity", "", "AccessDenied")
	if got, err := awsclient.Caller(t.Context(), cfg); err == nil {
		t.Errorf("Caller = %+v for a call that is denied", got)
	}
}

// The session of a role has another ARN than the role, without its path.
func TestParsePrincipal(t *testing.T) {
	t.Parallel()
	role := awsclient.Principal{Partition: "aws", Account: "123456789012", Kind: "role", Name: "cleaner"}
	for arn, want := range map[string]awsclient.Principal{
		"arn:aws:iam::123456789012:role/cleaner":                   role,
		"arn:aws:iam::123456789012:role/team/a/cleaner":            role,
		"arn:aws:sts::123456789012:assumed-role/cleaner/session":   role,
		"arn:aws-cn:sts::123456789012:assumed-role/cleaner/i-0123": {Partition: "aws-cn", Account: "123456789012", Kind: "role", Name: "cleaner"},
		"arn:aws:iam::123456789012:user/team/somebody":             {Partition: "aws", Account: "123456789012", Kind: "user", Name: "somebody"},
		"arn:aws:iam::123456789012:root":                           {Partition: "aws", Account: "123456789012", Kind: "root", Name: "root"},
		"arn:aws:sts::123456789012:federated-user/somebody":        {Partition: "aws", Account: "123456789012", Kind: "federated-user", Name: "somebody"},
	} {
		got, err := awsclient.ParsePrincipal(arn)
		awstest.NoError(t, err)
		awstest.Equal(t, "ParsePrincipal("+arn+")", want, got)
		if again, err := awsclient.ParsePrincipal(got.ARN()); err != nil || again != got {
			t.Errorf("ParsePrincipal(%s) = %+v, %v; want %+v", got.ARN(), again, err, got)
		}
	}
	for _, arn := range []string{"", "cleaner", "arn:aws:iam::123456789012"} {
		if got, err := awsclient.ParsePrincipal(arn); err == nil {
			t.Errorf("ParsePrincipal(%q) = %+v", arn, got)
		}
	}
}
