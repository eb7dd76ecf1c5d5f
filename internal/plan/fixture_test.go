package plan_test

import "github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"

const (
	account     = fixture.Account
	archiveOld  = fixture.ArchiveOld
	day         = fixture.Day
	expireAll   = fixture.ExpireAll
	expireDead  = fixture.ExpireDead
	expireOld   = fixture.ExpireOld
	scanned     = fixture.Scanned
	unprotected = fixture.Unprotected
)

type (
	fakeRegistry = fixture.FakeRegistry
	reader       = fixture.Reader
)

var (
	aging           = fixture.Aging
	entryOf         = fixture.EntryOf
	errThrottled    = fixture.ErrThrottled
	excluded        = fixture.Excluded
	failing         = fixture.Failing
	image           = fixture.Image
	index           = fixture.Index
	limited         = fixture.Limited
	mustPlan        = fixture.MustPlan
	newFakeRegistry = fixture.NewFakeRegistry
	newRegistry     = fixture.NewRegistry
	newRunner       = fixture.NewRunner
	now             = fixture.Now
	numbered        = fixture.Numbered
	outcomes        = fixture.Outcomes
	outdate         = fixture.Outdate
	protectedBy     = fixture.ProtectedBy
	pulled          = fixture.Pulled
	push            = fixture.Push
	reported        = fixture.Reported
	repositoryOf    = fixture.RepositoryOf
	restored        = fixture.Restored
	run             = fixture.Run
	runNamed        = fixture.RunNamed
	scans           = fixture.Scans
	skips           = fixture.Skips
	slowest         = fixture.Slowest
	sorted          = fixture.Sorted
	stored          = fixture.Stored
	use             = fixture.Use
	wantError       = fixture.WantError
	withPolicy      = fixture.WithPolicy
	withStatus      = fixture.WithStatus
	withSubject     = fixture.WithSubject
)
