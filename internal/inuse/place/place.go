// Package place has the in-use sources in other places than the registry's: other Regions of
// its account, and other accounts. It takes the sources of package services and makes their
// calls there. In another account it assumes a role.
package place

import (
	"context"
	"sync"
	"time"

	"github.com/ecr-cleaner/ecr-cleaner/internal/config"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/query"
	"github.com/ecr-cleaner/ecr-cleaner/internal/inuse/services"
	"github.com/ecr-cleaner/ecr-cleaner/internal/role"
)

// Sources returns a source for each service in each Region and account in the settings of
// env. They are for one in-use scan. Env is for the registry's own account and Region. The
// caller assumes the roles in the other accounts.
func Sources(env query.Environment, caller *role.Caller) []inuse.Source {
	var all []inuse.Source
	s := &scan{env: env, known: map[string]bool{}}
	for _, region := range env.Settings.Regions {
		for _, service := range env.Settings.InUse {
			all = s.add(all, nil, region, service)
		}
	}
	members := map[[2]string]*member{}
	for _, account := range env.Settings.Accounts {
		key := [2]string{account.RoleARN, account.ExternalID}
		m := members[key]
		if m == nil {
			m = &member{account: account.ID(), Role: caller.Role(account.RoleARN, account.ExternalID, advice)}
			members[key] = m
		}
		for _, region := range account.Regions {
			for _, service := range account.InUse {
				all = s.add(all, m, region, service)
			}
		}
	}
	return all
}

// A member is the role in another account. All sources in the account share it.
type member struct {
	account string
	*role.Role
}

var advice = role.Advice{
	Permission: "parameter MemberRoleArns of template.yaml",
	Trust:      "CleanerRoleArn of deploy/member-role.yaml",
	Field:      "protect.accounts",
}

// assume assumes the role once for all sources of the account. A nil member has no role.
func (m *member) assume(ctx context.Context) error {
	if m == nil {
		return nil
	}
	return m.Assume(ctx)
}

// A scan has what its sources share.
type scan struct {
	env   query.Environment
	known map[string]bool // the names of the sources
	// answered has an entry for each service and Region: whether the first source there that
	// ended has had an answer.
	answered sync.Map
	begin    sync.Once
	until    time.Time // the end of the sources, or zero for no end
}

// add adds a source, unless another entry of the configuration has added it.
func (s *scan) add(to []inuse.Source, m *member, region, service string) []inuse.Source {
	env, where := s.env, region
	env.AWS.Region = region
	if m != nil {
		where = m.account + "/" + region
		env.AWS.Credentials = m.Credentials
	}
	env.Place = where
	name := config.SourceIn(service, where)
	if s.known[name] {
		return to
	}
	s.known[name] = true
	return append(to, source{Source: services.New(service, env), scan: s, member: m, name: name, service: service, region: region})
}

const (
	// maxTime limits the time of one source. A place that answers too slowly, or no more, must
	// not take the time of the others. Thousands of calls take that long.
	maxTime = 5 * time.Minute
	// margin is between the end of the last source and the end of the scan, which otherwise
	// would be too old to be of use.
	margin = time.Minute
)

// limit returns a context for one source, and its time.
func (s *scan) limit(ctx context.Context) (limited context.Context, cancel func(), most time.Duration) {
	s.begin.Do(func() {
		if deadline, ok := ctx.Deadline(); ok {
			s.until = deadline.Add(-min(margin, timeUntil(deadline)/10))
		}
	})
	most = maxTime
	if !s.until.IsZero() {
		most = min(most, timeUntil(s.until))
	}
	limited, cancel = context.WithTimeout(ctx, most)
	return limited, cancel, most
}

func timeUntil(t time.Time) time.Duration { return time.Until(t) } //nolint:forbidigo // measures a wait, as a timer does
