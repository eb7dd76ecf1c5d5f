// Package role assumes roles of AWS accounts. Its errors say what to do, and have no external ID.
package role

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
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
)

const (
	duration   = time.Hour       // of a session; a role that assumes a role gets no longer one
	beforeEnd  = 5 * time.Minute // when the credentials are renewed, before they expire
	maxAssume  = time.Minute
	maxCaller  = 10 * time.Second // in a VPC without an endpoint of STS there is no answer
	maxSession = 64               // characters of the name of a session
)

// A Caller assumes roles with its own credentials, in its own Region. It is safe for
// concurrent use.
type Caller struct {
	cfg     aws.Config
	session string

	ask  sync.Once
	name string
}

// NewCaller returns a caller. The session, which may be the ID of a run, gives the sessions
// their name.
func NewCaller(cfg aws.Config, session string) *Caller { return &Caller{cfg: cfg, session: session} }

// Advice is where a person allows a role to be assumed.
type Advice struct {
	Permission string // that of the caller
	Trust      string // the trust policy of the role
	Field      string // of the configuration, which has the ARN and the external ID
}

// A Role is a role with its credentials, which are renewed before they expire. It is safe for
// concurrent use.
type Role struct {
	ARN         string
	Credentials aws.CredentialsProvider

	externalID string
	advice     Advice
	caller     *Caller
	provider   aws.CredentialsProvider

	first sync.Once
	err   error // of the first attempt to assume the role
}

// Role returns a role, which it does not assume yet. The external ID may be empty.
func (c *Caller) Role(arn, externalID string, advice Advice) *Role {
	r := &Role{ARN: arn, externalID: externalID, advice: advice, caller: c}
	r.provider = stscreds.NewAssumeRoleProvider(sts.NewFromConfig(c.cfg), arn, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName, o.Duration = sessionName(c.session), duration
		if externalID != "" {
			o.ExternalID = &externalID
		}
	})
	r.Credentials = aws.NewCredentialsCache(r, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = beforeEnd })
	return r
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

// principal returns the ARN of the role or user that assumes the roles, or words for it.
func (c *Caller) principal(ctx context.Context) string {
	c.ask.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, maxCaller)
		defer cancel()
		c.name = "the role of the cleaner"
		if caller, err := awsclient.Caller(ctx, c.cfg); err == nil {
			c.name = caller.ARN()
		}
	})
	return c.name
}

// Assume assumes the role. Later calls return the error of the first, an [*Error] or nil.
func (r *Role) Assume(ctx context.Context) error {
	r.first.Do(func() { _, r.err = r.Credentials.Retrieve(ctx) })
	return r.err
}

// Retrieve assumes the role. It implements [aws.CredentialsProvider] for the cache, whose
// context has no end, and whose goroutine must not panic.
func (r *Role) Retrieve(ctx context.Context) (credentials aws.Credentials, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &Error{fmt.Sprintf("assume role %s: the program is faulty: %v; please report it", r.ARN, cause)}
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, maxAssume)
	defer cancel()
	if credentials, err = r.provider.Retrieve(ctx); err != nil {
		err = &Error{r.explain(ctx, err)}
	}
	return credentials, err
}

// explain says why the role cannot be assumed, and what to do. It leaves out the external
// ID, which STS may repeat.
func (r *Role) explain(ctx context.Context, err error) string {
	cause := err.Error()
	if r.externalID != "" && !query.HasCode(err, denied...) {
		cause = strings.ReplaceAll(cause, r.externalID, "EXTERNAL-ID")
	}
	doing := "assume role " + r.ARN
	unreached := awsclient.IsUnreached(err) || errors.Is(err, context.DeadlineExceeded)
	switch {
	case query.HasCode(err, denied...):
		return fmt.Sprintf("%s: %s; the action sts:AssumeRole is denied to %s: allow it (%s), "+
			"let the trust policy of the role admit that caller (%s; a person invokes the function instead), "+
			"and give the external ID of the trust policy in externalId in %s",
			doing, cause, r.caller.principal(ctx), r.advice.Permission, r.advice.Trust, r.advice.Field)
	case awsclient.IsThrottled(err):
		return fmt.Sprintf("%s: %s; STS throttles the action sts:AssumeRole: run again later", doing, cause)
	case unreached:
		return fmt.Sprintf("%s: %s; STS did not answer the action sts:AssumeRole: check the network; "+
			"in a VPC without internet access, create an endpoint for STS", doing, cause)
	}
	return fmt.Sprintf("%s: %s; the action sts:AssumeRole failed: check roleArn and externalId in %s", doing, cause, r.advice.Field)
}

var denied = []string{"AccessDenied", "AccessDeniedException"}

// An Error says why a role could not be assumed. It does not wrap the answer of STS, so
// that the call that needs the credentials does not take it for its own answer.
type Error struct{ text string }

func (e *Error) Error() string { return e.text }
