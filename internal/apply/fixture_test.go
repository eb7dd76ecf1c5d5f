package apply_test

import "github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"

const (
	day        = fixture.Day
	expireAll  = fixture.ExpireAll
	expireDead = fixture.ExpireDead
	scanned    = fixture.Scanned
)

type (
	fakeRegistry = fixture.FakeRegistry
	logged       = fixture.Logged
	reader       = fixture.Reader
	remover      = fixture.Remover
)

var (
	aging           = fixture.Aging
	applyPlan       = fixture.Apply
	applyTo         = fixture.ApplyTo
	errThrottled    = fixture.ErrThrottled
	errUnanswered   = fixture.ErrUnanswered
	failing         = fixture.Failing
	image           = fixture.Image
	index           = fixture.Index
	losing          = fixture.Losing
	newFakeRegistry = fixture.NewFakeRegistry
	newRunner       = fixture.NewRunner
	now             = fixture.Now
	numbered        = fixture.Numbered
	planOf          = fixture.PlanOf
	pulled          = fixture.Pulled
	refuse          = fixture.Refuse
	reported        = fixture.Reported
	repositoryOf    = fixture.RepositoryOf
	restored        = fixture.Restored
	run             = fixture.Run
	scans           = fixture.Scans
	settled         = fixture.Settled
	use             = fixture.Use
	withPolicy      = fixture.WithPolicy
	withStatus      = fixture.WithStatus
)
