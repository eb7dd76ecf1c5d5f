package usage_test

import "github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/fixture"

const (
	account   = fixture.Account
	day       = fixture.Day
	expireOld = fixture.ExpireOld
	scanned   = fixture.Scanned
)

var (
	entryOf         = fixture.EntryOf
	image           = fixture.Image
	index           = fixture.Index
	newFakeRegistry = fixture.NewFakeRegistry
	newRunner       = fixture.NewRunner
	outdate         = fixture.Outdate
	run             = fixture.Run
	runNamed        = fixture.RunNamed
	scans           = fixture.Scans
	skips           = fixture.Skips
)
