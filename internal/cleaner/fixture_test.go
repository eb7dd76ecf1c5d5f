package cleaner_test

import "github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"

const (
	archiveOld  = fixture.ArchiveOld
	day         = fixture.Day
	expireAll   = fixture.ExpireAll
	expireOld   = fixture.ExpireOld
	scanned     = fixture.Scanned
	unprotected = fixture.Unprotected
)

type (
	fakeRegistry = fixture.FakeRegistry
	logged       = fixture.Logged
	reader       = fixture.Reader
	remover      = fixture.Remover
)

var (
	aging           = fixture.Aging
	before          = fixture.Before
	errThrottled    = fixture.ErrThrottled
	image           = fixture.Image
	index           = fixture.Index
	newFakeRegistry = fixture.NewFakeRegistry
	newRegistry     = fixture.NewRegistry
	newRunner       = fixture.NewRunner
	now             = fixture.Now
	numbered        = fixture.Numbered
	outcomes        = fixture.Outcomes
	pulled          = fixture.Pulled
	push            = fixture.Push
	refuse          = fixture.Refuse
	reported        = fixture.Reported
	repositoryOf    = fixture.RepositoryOf
	run             = fixture.Run
	runNamed        = fixture.RunNamed
	scans           = fixture.Scans
	skips           = fixture.Skips
	use             = fixture.Use
	withPolicy      = fixture.WithPolicy
)
