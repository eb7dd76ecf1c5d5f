package plan_test

import "github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"

const (
	day         = fixture.Day
	expireAll   = fixture.ExpireAll
	expireDead  = fixture.ExpireDead
	expireOld   = fixture.ExpireOld
	scanned     = fixture.Scanned
	unprotected = fixture.Unprotected
)

type reader = fixture.Reader

var (
	entryOf         = fixture.EntryOf
	failing         = fixture.Failing
	image           = fixture.Image
	index           = fixture.Index
	limited         = fixture.Limited
	mustPlan        = fixture.MustPlan
	newFakeRegistry = fixture.NewFakeRegistry
	newRegistry     = fixture.NewRegistry
	newRunner       = fixture.NewRunner
	now             = fixture.Now
	protectedBy     = fixture.ProtectedBy
	pulled          = fixture.Pulled
	restored        = fixture.Restored
	run             = fixture.Run
	scans           = fixture.Scans
	skips           = fixture.Skips
	use             = fixture.Use
	wantError       = fixture.WantError
	withPolicy      = fixture.WithPolicy
	withSubject     = fixture.WithSubject
)
