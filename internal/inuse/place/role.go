package place

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ecr-cleaner/ecr-cleaner/internal/awsclient"
	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

const (
	duration   = time.Hour       // of a session; a role that assumes a role gets no longer one
	beforeEnd  = 5 * time.Minute // when the credentials are renewed, before they expire
	maxAssume  = time.Minute
	maxCaller  = 10 * time.Second // in a VPC without an endpoint of STS there is no answer
	maxSession = 64               // characters of the name of a session
)

// roles are the roles that one scan may assume.
type roles struct {
	cfg     aws.Config // of the caller
	session string
	members map[[2]string]*member

	ask  sync.Once
	name string // of the caller
}

// sessionName replaces what STS does not accept in the name of a session.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func sessionName(id string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("_+=,.@-", r):
			return r
		}
		return '-'
	}, id)
	if len(name) < 2 { // which is too short for STS
		return "ecr-cleaner"
	}
	return name[:min(len(name), maxSession)]
}

// caller returns the ARN of the role or user that assumes the roles, or words for it.
func (r *roles) caller(ctx context.Context) string {
	r.ask.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, maxCaller)
		defer cancel()
		r.name = "the role of the cleaner"
		if caller, err := awsclient.Caller(ctx, r.cfg); err == nil {
			r.name = caller.ARN()
		}
	})
	return r.name
}

// A member is the role in another account. All sources in the account share it.
type member struct {
	account, role, externalID string
	roles                     *roles
	provider                  aws.CredentialsProvider
	credentials               *aws.CredentialsCache

	first sync.Once
	err   error // of the first attempt to assume the role
}

// member returns the member for the account, always the same one for the same role.
func (r *roles) member(account config.Account) *member {
	key := [2]string{account.RoleARN, account.ExternalID}
	if m := r.members[key]; m != nil {
		return m
	}
	m := &member{account: account.ID(), role: account.RoleARN, externalID: account.ExternalID, roles: r}
	m.provider = stscreds.NewAssumeRoleProvider(sts.NewFromConfig(r.cfg), m.role, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName, o.Duration = sessionName(r.session), duration
		if m.externalID != "" {
			o.ExternalID = &m.externalID
		}
	})
	m.credentials = aws.NewCredentialsCache(m, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = beforeEnd })
	r.members[key] = m
	return m
}

// assume assumes the role once for all sources of the account. Later calls return the same
// error. A nil member has no role.
func (m *member) assume(ctx context.Context) error {
	if m == nil {
		return nil
	}
	m.first.Do(func() { _, m.err = m.credentials.Retrieve(ctx) })
	return m.err
}

// Retrieve assumes the role. It implements [aws.CredentialsProvider] for the cache, whose
// context has no end, and whose goroutine must not panic.
func (m *member) Retrieve(ctx context.Context) (credentials aws.Credentials, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &roleError{fmt.Sprintf("assume role %s: the program is faulty: %v; please report it", m.role, cause)}
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, maxAssume)
	defer cancel()
	if credentials, err = m.provider.Retrieve(ctx); err != nil {
		err = &roleError{m.explain(ctx, err)}
	}
	return credentials, err
}

// explain says why the role cannot be assumed, and what to do. It leaves out the external
// ID, which STS may repeat.
func (m *member) explain(ctx context.Context, err error) string {
	cause := err.Error()
	if m.externalID != "" && !query.HasCode(err, denied...) {
		cause = strings.ReplaceAll(cause, m.externalID, "EXTERNAL-ID")
	}
	doing := "assume role " + m.role
	unreached := isUnreached(err) || errors.Is(err, context.DeadlineExceeded)
	switch {
	case query.HasCode(err, denied...):
		return fmt.Sprintf("%s: %s; the action sts:AssumeRole is denied to %s: allow it (parameter MemberRoleArns of template.yaml), "+
			"let the trust policy of the role admit that caller (CleanerRoleArn of deploy/member-role.yaml; a person invokes the function instead), "+
			"and give the external ID of the trust policy in externalId in protect.accounts", doing, cause, m.roles.caller(ctx))
	case awsclient.IsThrottled(err):
		return fmt.Sprintf("%s: %s; STS throttles the action sts:AssumeRole: run again later", doing, cause)
	case unreached:
		return fmt.Sprintf("%s: %s; STS did not answer the action sts:AssumeRole: check the network; "+
			"in a VPC without internet access, create an endpoint for STS", doing, cause)
	}
	return fmt.Sprintf("%s: %s; the action sts:AssumeRole failed: check roleArn and externalId in protect.accounts", doing, cause)
}

var denied = []string{"AccessDenied", "AccessDeniedException"}

// A roleError says why a role could not be assumed. It does not wrap the answer of STS, so
// that the call that needs the credentials does not take it for its own answer.
type roleError struct{ text string }

func (e *roleError) Error() string { return e.text }
